/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_METER_H
#define HW_INSIDE_METER_H

/* What memory is measured by: one face for the sources that a profile can choose. */

#include "inside/inside.h"

enum hw_meter_kind {
    HW_METER_PYTHON, /* bytes of this thread from Python's allocators: see allocated.h */
    HW_METER_RSS,    /* resident memory, in pages */
    HW_METER_CALL,   /* what a Python function returns */
};

struct hw_meter {
    enum hw_meter_kind kind;
    PyObject *call; /* strong; of HW_METER_CALL */
    int statm;      /* of HW_METER_RSS, while somebody reads: /proc/self/statm of the process reader */
    pid_t reader;
    unsigned readers;
};

/* source: "python", "rss", or a callable. 0, or -1 with an exception. */
int hw_meter_init(struct hw_meter *meter, PyObject *source);
void hw_meter_deinit(struct hw_meter *meter);

/* Prepares for reading in this thread; each ends with hw_meter_stop(). *ret_base is to be added to what is
 * read: with HW_METER_PYTHON the resident memory now, so that sums begin with what the process has. */
int hw_meter_start(struct hw_meter *meter, int64_t *ret_base);
void hw_meter_stop(struct hw_meter *meter);

int hw_meter_read(struct hw_meter *meter, int64_t *ret_bytes); /* 0, or -1 with an exception */

/* Of this process, now; 0: /proc cannot be read. */
int64_t hw_meter_rss(void);

/* rss() -> bytes. */
PyObject *hw_meter_rss_object(PyObject *module, PyObject *none);

#endif
