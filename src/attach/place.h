/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ATTACH_PLACE_H
#define HW_ATTACH_PLACE_H

/*
 * A path by which a process, which may have another root directory, other mounts and fewer rights
 * than we, can load our library: the library's own where that is the same file there, else a copy
 * in a directory of ours in its /tmp, /var/tmp or /dev/shm, for as long as it takes.
 */

#include "heapwhy.h"

#include <limits.h>

struct hw_place {
    char path[PATH_MAX];   /* of the library, as the process sees it */
    char script[PATH_MAX]; /* likewise; "": none */
    char directory[64];    /* that we made, as the process sees it */
    int parent;            /* where it was made; -1: there is none */
    char name[32];         /* its name there; "": there is none */
};

/* library: an absolute path of ours. Errors: HW_ERR_IO, HW_ERR_PERMISSION. */
bool hw_place_make(struct hw_place *place, pid_t pid, const char *library, struct hw_err *err);

/* A path from the process's list of mappings, which tells them as we see them, as the process sees
 * it. */
void hw_place_translate(pid_t pid, const char *path, char to[PATH_MAX]);

/* Adds a script, in a directory of ours in any case. It takes the place of an earlier one. On
 * failure nothing of ours is left. */
bool hw_place_add(struct hw_place *place, pid_t pid, const char *text, size_t bytes,
                  struct hw_err *err);

/* Removes what was copied: who has loaded it keeps it. */
void hw_place_remove(struct hw_place *place);

#endif
