/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_PARTITION_H
#define HW_INSIDE_PARTITION_H

/*
 * A heap set in parts, each member in one. The members and their parts stay as they were when the
 * partition was made: the table and the sets of its rows always agree.
 *
 *     TYPE       type
 *     CLASS      type; of a dict (dict, class whose instance's attributes it holds) or (dict, None)
 *     MODULE     str: of a module, function, class, or of the object's class
 *     SIZE       int
 *     REFERRERS  tuple of what CLASS gives for each referrer, and of "<variable>" for frames and roots
 *     VIA        tuple of labels (edge.h) through which it is referred; an index or number is [*]
 *     SITE       (file, line) that allocated it, or None: not traced
 *     ID         the address
 *     UNITY      None
 *
 * Memory while it is made: the bitmaps of live.h and 1 to 4 bytes for each member (column.h); when it is
 * done, the members' bitmap and that column. REFERRERS and VIA: the owners of dicts, 1 to 4 bytes for
 * each dict of the heap.
 */

#include "inside/grouping.h"
#include "inside/heapset.h"

/* For module.c: partition(set, by, own) -> _heapwhy.Partition. */
PyObject *hw_partition(PyObject *module, PyObject *args, PyObject *kwargs);
extern const char hw_partition_doc[];
int hw_partition_init(PyObject *module);

#endif
