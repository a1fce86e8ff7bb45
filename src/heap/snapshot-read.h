/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_SNAPSHOT_READ_H
#define HW_HEAP_SNAPSHOT_READ_H

/*
 * An open snapshot file. Nothing in it is believed before it is checked: the head when it is
 * opened, each chunk's checksum when the chunk is fetched, each number when it is decoded. Memory
 * is taken only for what the file's size vouches for.
 */

#include "heap/graph.h"
#include "heap/snapshot-format.h"

struct hw_snap_file {
    const char *path; /* for messages; the caller's */
    int fd;
    struct hw_snap_head head;
};

bool hw_snap_file_open(struct hw_snap_file *file, const char *path, struct hw_err *err);
void hw_snap_file_close(struct hw_snap_file *file);

/* Is this a chunk that this reader uses? */
bool hw_snap_row_is_known(const struct hw_snap_row *row);
/* The stored bytes of a chunk, checked, in a malloc'ed block that the caller frees. */
bool hw_snap_file_chunk(const struct hw_snap_file *file, const struct hw_snap_row *row,
                        unsigned char **ret_data, struct hw_err *err);
/* Makes a graph of the known chunks. The caller owns *ret_graph. */
bool hw_snap_file_load(const struct hw_snap_file *file, struct hw_graph **ret_graph,
                       struct hw_err *err);

#endif
