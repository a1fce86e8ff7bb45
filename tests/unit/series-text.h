/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TESTS_SERIES_TEXT_H
#define HW_TESTS_SERIES_TEXT_H

/*
 * Series of snapshots written by hand: a story is told once, with the snapshot's number as its
 * parameter. Snapshots are 5 seconds apart unless the text says otherwise.
 */

#include "base/buf.h"
#include "heapwhy.h"

/* Appends the graph text of snapshot k to out. */
typedef void tell_snapshot(struct hw_buf *out, unsigned k);

struct hw_series *series_from(tell_snapshot *tell, unsigned count);

/* A process with modules app and sys: the text ends in the namespace of app, so that entries can
 * follow. */
void tell_app(struct hw_buf *out);

/* Entries [first, last) of a dict: key i -> instance `type` at addr + i * 0x40, then those
 * instances are told by tell_instances(). */
void tell_entries(struct hw_buf *out, unsigned first, unsigned last, hw_addr addr);
void tell_elements(struct hw_buf *out, unsigned first, unsigned last, hw_addr addr);
void tell_instances(struct hw_buf *out, unsigned first, unsigned last, hw_addr addr,
                    const char *type);

#endif
