/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_RECORDER_H
#define HW_INSIDE_RECORDER_H

/*
 * Resident memory of a process over time, looked at by a thread that never holds the interpreter:
 * what the program does in the meantime, be it one long call into C, is not missed.
 */

#include "inside/inside.h"

/* Puts the type Recorder into the module. 0, or -1. */
int hw_recorder_init(PyObject *module);

#endif
