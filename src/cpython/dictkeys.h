/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_DICTKEYS_H
#define HW_CPYTHON_DICTKEYS_H

/*
 * The key block of a dict (PyDictKeysObject), CPython Objects/dict-common.h and
 * Include/internal/pycore_dict.h. Two shapes: sized by dk_size up to 3.10, by dk_log2_size since.
 *
 *     header | index table | entries {hash, key, value} or, when all keys are str, {key, value}
 */

#include "cpython/py.h"

struct hw_dict_keys {
    hw_addr addr, entries;
    uint64_t entry_count;  /* dk_nentries: used and deleted ones */
    uint64_t usable;       /* entries still free */
    uint64_t size;         /* slots of the index table */
    uint64_t index_bytes;  /* of the whole index table */
    uint32_t entry_bytes, key_offset, value_offset;
    int64_t refcount;
    bool split;            /* values live elsewhere; the block may be shared */
};

/* Reads and checks the head of the block. False: unreadable or absurd. */
bool hw_dict_keys_read(struct hw_py *py, hw_addr addr, struct hw_dict_keys *ret);

#endif
