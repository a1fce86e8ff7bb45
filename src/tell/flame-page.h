/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_FLAME_PAGE_H
#define HW_TELL_FLAME_PAGE_H

/* What stands around the data of a flame graph's page; made from page/ by tools/page2c.py. */

extern const char hw_flame_page_head[], hw_flame_page_tail[];

#endif
