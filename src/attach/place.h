/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ATTACH_PLACE_H
#define HW_ATTACH_PLACE_H

/*
 * A path by which a process, which may have another root directory, other mounts and fewer rights than we,
 * can load our library: the library's own where that is the same file there, else a copy in a directory of
 * ours in its /tmp, /var/tmp or /dev/shm, for as long as it takes.
 */

#include "heapwhy.h"

#include <limits.h>

struct hw_place {
    char path[PATH_MAX]; /* as the process sees it */
    int root, parent;    /* directories; -1: nothing was copied */
    char name[32];       /* of the directory that was made in parent */
};

/* library: an absolute path of ours. Errors: HW_ERR_IO, HW_ERR_PERMISSION. */
bool hw_place_make(struct hw_place *place, pid_t pid, const char *library, struct hw_err *err);

/* Removes what was copied: who has loaded it keeps it. */
void hw_place_remove(struct hw_place *place);

#endif
