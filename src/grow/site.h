/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_GROW_SITE_H
#define HW_GROW_SITE_H

/* From a site as growth.c finds it to the place that a user can name, with its history. */

#include "base/buf.h"
#include "grow/growth.h"

enum { HW_SITE_BORN_MIN = 3 }; /* fewer new objects are noise */

/* Finds box, name, members and lengths of a site whose fronts and births are known. */
bool hw_site_settle(struct hw_growth *growth, struct hw_site *site);

/* An edge of the tree (or HW_NONE) that leads to an object's __dict__; to what only C sees. */
bool hw_edge_is_namespace(const struct hw_graph *graph, uint32_t edge);
bool hw_edge_is_internal(const struct hw_graph *graph, uint32_t edge);

/* Held by an interpreter itself, as one of many under one label. */
bool hw_edge_is_rooted(const struct hw_graph *graph, hw_id from, uint32_t edge);

/* The path of a site: sys.modules['app'].hub.players[*].history */
void hw_site_spell(const struct hw_growth *growth, const struct hw_site *site, struct hw_buf *out);

/* New objects below new members of the box itself, not below its old members. */
uint64_t hw_box_births(const struct hw_growth *growth, hw_id box);

bool hw_node_has_members(const struct hw_growth *growth, hw_id id);
/* The object that Python code would name: not its __dict__. */
hw_id hw_node_owner(const struct hw_growth *growth, hw_id id);
/* The nearest object above that Python can reach. */
hw_id hw_node_leave_internals(const struct hw_growth *growth, hw_id id);

#endif
