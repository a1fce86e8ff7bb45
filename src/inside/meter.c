/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/meter.h"

#include "inside/allocated.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int hw_meter_init(struct hw_meter *meter, PyObject *source)
{
    if (PyUnicode_Check(source) && PyUnicode_CompareWithASCIIString(source, "python") == 0) {
        meter->kind = HW_METER_PYTHON;
        return 0;
    }
    if (PyUnicode_Check(source) && PyUnicode_CompareWithASCIIString(source, "rss") == 0) {
        meter->kind = HW_METER_RSS;
        return 0;
    }
    if (!PyCallable_Check(source)) {
        PyErr_Format(PyExc_ValueError, "memory is measured by 'python', 'rss' or a function, not by %R", source);
        return -1;
    }
    Py_INCREF(source);
    meter->kind = HW_METER_CALL;
    meter->call = source;
    return 0;
}

void hw_meter_deinit(struct hw_meter *meter)
{
    Py_CLEAR(meter->call);
}

/* ---- resident memory ---- */

static int statm_open(void)
{
    return open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

static int64_t statm_read(int fd)
{
    char text[128];
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = 0;
    const char *second = strchr(text, ' '); /* proc(5): size resident shared ..., in pages */
    return second ? strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

int64_t hw_meter_rss(void)
{
    int fd = statm_open();
    if (fd < 0)
        return 0;
    int64_t bytes = statm_read(fd);
    close(fd);
    return bytes;
}

/* After a fork the open file would tell of the parent. */
static int64_t rss_of_reader(struct hw_meter *meter)
{
    if (meter->reader != getpid()) {
        close(meter->statm);
        meter->statm = statm_open();
        meter->reader = getpid();
    }
    return statm_read(meter->statm);
}

/* ---- reading ---- */

int hw_meter_start(struct hw_meter *meter, int64_t *ret_base)
{
    *ret_base = 0;
    if (meter->kind == HW_METER_RSS && meter->readers++ == 0) {
        meter->statm = statm_open();
        meter->reader = getpid();
    }
    if (meter->kind != HW_METER_PYTHON)
        return 0;
    if (hw_allocated_start() < 0)
        return -1;
    *ret_base = hw_meter_rss() - hw_allocated_bytes();
    return 0;
}

void hw_meter_stop(struct hw_meter *meter)
{
    if (meter->kind == HW_METER_PYTHON)
        hw_allocated_stop();
    if (meter->kind == HW_METER_RSS && --meter->readers == 0)
        close(meter->statm);
}

static int read_call(PyObject *call, int64_t *ret_bytes)
{
    PyObject *told = PyObject_CallObject(call, NULL);
    if (!told)
        return -1;
    long long bytes = PyLong_AsLongLong(told);
    Py_DECREF(told);
    if (bytes == -1 && PyErr_Occurred())
        return -1;
    *ret_bytes = bytes;
    return 0;
}

int hw_meter_read(struct hw_meter *meter, int64_t *ret_bytes)
{
    if (meter->kind == HW_METER_CALL)
        return read_call(meter->call, ret_bytes);
    *ret_bytes = meter->kind == HW_METER_PYTHON ? hw_allocated_bytes() : rss_of_reader(meter);
    return 0;
}

PyObject *hw_meter_rss_object(PyObject *module, PyObject *none)
{
    return PyLong_FromLongLong(hw_meter_rss());
}
