/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/native.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * Buffers of the standard library. The offsets have been the same in CPython 3.8 to 3.15 (Modules/
 * mmapmodule.c mmap_object, Include/cpython/memoryobject.h, Modules/_ctypes/ctypes.h CDataObject);
 * a structure of another size is refused. bytearray, array and BytesIO are not here: their
 * __sizeof__ counts their buffers.
 */

enum {
    MMAP_DATA = 16,
    MMAP_SIZE = 24,
    MANAGED_BUF = 32, /* master.buf */
    MANAGED_OBJ = 40,
    MANAGED_LEN = 48,
    MEMORYVIEW_LEN = 72, /* view.len */
    CDATA_PTR = 16,
    CDATA_NEEDSFREE = 24,
    CDATA_SIZE = 40,
    CDATA_BYTES = 96,
};

/* All that is mapped, whether or not the pages were touched: data is NULL when it was closed. */
static uint64_t mmap_bytes(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    hw_addr data = load64(p + MMAP_DATA);
    uint64_t size = load64(p + MMAP_SIZE);
    return data && hw_native_mapped(py, data, size) ? size : 0;
}

static uint64_t managed_bytes(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    hw_addr buf = load64(p + MANAGED_BUF);
    uint64_t len = load64(p + MANAGED_LEN);
    if (buf && len < (uint64_t)1 << 47)
        hw_native_claim(py, load64(p + MANAGED_OBJ), buf, buf + len);
    return 0;
}

/* Small data lies inside the object (b_value). Instances made from others' memory (b_base,
 * from_buffer) do not free it. */
static uint64_t cdata_bytes(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    hw_addr data = load64(p + CDATA_PTR);
    uint64_t size = load64(p + CDATA_SIZE);
    bool inside = data >= addr && data < addr + CDATA_BYTES;
    if (!load32(p + CDATA_NEEDSFREE) || !data || inside)
        return 0;
    return hw_native_mapped(py, data, size) ? size : 0;
}

/* How much of its exporter it shows. */
static size_t memoryview_text(struct hw_py *py, const unsigned char *p, char *to, size_t max)
{
    return (size_t)snprintf(to, max, "nbytes=%" PRIu64, load64(p + MEMORYVIEW_LEN));
}

const struct hw_native hw_native_buffers[] = {
    {.tp_name = "mmap.mmap", .basicsize = 72, .bytes = mmap_bytes},
    {.tp_name = "mmap.mmap", .basicsize = 80, .bytes = mmap_bytes, .text = hw_native_mmap_text},
    {.tp_name = "mmap.mmap", .basicsize = 88, .bytes = mmap_bytes},
    {.tp_name = "memoryview", .basicsize = 144, .text = memoryview_text},
    {.tp_name = "managedbuffer", .basicsize = 112, .bytes = managed_bytes},
    {.tp_name = "_ctypes._CData", .basicsize = CDATA_BYTES, .bytes = cdata_bytes},
    {.tp_name = "_ctypes.Structure", .basicsize = CDATA_BYTES, .bytes = cdata_bytes},
    {.tp_name = "_ctypes.Union", .basicsize = CDATA_BYTES, .bytes = cdata_bytes},
    {.tp_name = "_ctypes.Array", .basicsize = CDATA_BYTES, .bytes = cdata_bytes},
    {.tp_name = "_ctypes._Pointer", .basicsize = CDATA_BYTES, .bytes = cdata_bytes},
    {.tp_name = "_ctypes._SimpleCData", .basicsize = CDATA_BYTES, .bytes = cdata_bytes},
    {0},
};
