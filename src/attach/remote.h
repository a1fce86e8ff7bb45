/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ATTACH_REMOTE_H
#define HW_ATTACH_REMOTE_H

/*
 * The interpreter's own way in, from 3.14 on (PEP 768; Python/ceval_gil.c, _PyRunRemoteDebugger):
 * it runs a script whose path was written into the state of its main thread, as soon as that thread
 * comes by. Written as sys.remote_exec() does, but while all threads stand still, so that no bit of
 * theirs is lost.
 */

#include "base/buf.h"
#include "cpython/runtime.h"
#include "image/call.h"

struct hw_remote {
    hw_addr pending, path, breaker; /* in the main thread's state; 0: there is no such way */
};

/* Fails with HW_ERR_PERMISSION where the owner has forbidden it (-X disable_remote_debug,
 * PYTHON_DISABLE_REMOTE_DEBUG): then no other way is to be taken either. */
bool hw_remote_find(struct hw_image *image, const struct hw_runtime *runtime,
                    struct hw_remote *ret_remote, struct hw_err *err);

/* Asks for the script to be run that lies there for the process. ret_try->called: false when
 * somebody else has asked for something already. */
bool hw_remote_ask(struct hw_image *image, const struct hw_remote *remote, const char *script,
                   const volatile int *cancel, struct hw_call_try *ret_try, struct hw_err *err);

/* The interpreter has begun with the script, or the process is gone. */
bool hw_remote_is_taken(struct hw_image *image, const struct hw_remote *remote);

/* Takes it back. *ret_taken: it was too late. */
bool hw_remote_withdraw(struct hw_image *image, const struct hw_remote *remote, bool *ret_taken,
                        struct hw_err *err);

/* The text of a script that loads the library at a path, or, when that is loaded, makes it obey.
 * False: the path is not to be written into a script. */
bool hw_remote_script(struct hw_buf *buf, const char *library);

#endif
