/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_ANSWER_H
#define HW_INSIDE_ANSWER_H

/*
 * Asking from Python, and the answer as a Python object: heapwhy._heapwhy.Answer. It keeps what the
 * library said, in C memory, and writes it when somebody wants it.
 */

#include "inside/inside.h"

/* ask(question, graphs, word=None, *, most=1, links=0, depth=4) -> Answer */
PyObject *hw_ask(PyObject *module, PyObject *args, PyObject *kwargs);
extern const char hw_ask_doc[];

/* Makes the type. 0, or -1. */
int hw_answer_init(PyObject *module);

#endif
