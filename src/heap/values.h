/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_VALUES_H
#define HW_HEAP_VALUES_H

/*
 * Short texts (packed as base/value.h says) that belong to some of the nodes. Added in rising order
 * of id, kept as independently compressed blocks, found by the first id of a block.
 */

#include "base/buf.h"
#include "heapwhy.h"

enum { HW_VALUE_MAX_BYTES = 200, HW_VALUE_BLOCK_BYTES = 64 * 1024, HW_VALUE_LEVEL = 1 };

enum { HW_VALUE_MEMOS = 1 << 15 };
struct hw_value_memo {
    hw_id id;
    uint32_t hash; /* 0: empty */
};

/* An unpacked block. */
enum { HW_VALUE_CACHES = 8 };
struct hw_value_cache {
    struct hw_buf raw;
    size_t block; /* SIZE_MAX: none */
    size_t at;    /* where in it the text after id begins */
    uint64_t id;  /* the last one passed, or the block's first */
};

struct ZSTD_CCtx_s;

struct hw_value_block {
    hw_id first;    /* id of its first text */
    uint32_t count; /* texts in it */
    uint32_t raw_bytes;
    uint32_t bytes;  /* packed */
    uint64_t offset; /* in packed */
};

struct hw_values {
    struct hw_value_block *blocks;
    size_t block_count, block_capacity;
    struct hw_buf packed; /* all blocks, one behind the other */
    struct hw_buf open;   /* the block that is being filled */
    uint32_t open_count;
    hw_id open_first, open_last;
    struct ZSTD_CCtx_s *packer; /* made when first needed */
    /* Some unpacked blocks, so that texts read in order cost nothing, also in turns. */
    struct hw_value_cache caches[HW_VALUE_CACHES];
    size_t cache_next; /* to be taken for the next block */
    struct hw_value_memo *memos; /* by id modulo HW_VALUE_MEMOS; made when first needed */
};

void hw_values_init(struct hw_values *values);
void hw_values_deinit(struct hw_values *values);
/* id must be larger than the one before. Texts are cut at HW_VALUE_MAX_BYTES. */
bool hw_values_add(struct hw_values *values, hw_id id, const char *text, size_t bytes,
                   struct hw_err *err);
bool hw_values_finish(struct hw_values *values, struct hw_err *err); /* packs the open block */
/* Copies the text of id, terminated, into buf (cut to fit); returns its length, 0: none, or the
 * block is damaged. Changes the cache, hence not const. */
size_t hw_values_get(struct hw_values *values, hw_id id, char *buf, size_t buf_bytes);
/* A hash of the text of id, never 0 when there is a text; 0: none. For those who compare the same
 * texts again and again, names above all. Changes the memos, hence not const. */
uint32_t hw_values_hash(struct hw_values *values, hw_id id);
/* The hash that a text has. */
uint32_t hw_value_hash(const char *text, size_t bytes);
/* Unpacks every block: are the texts those of rising nodes below node_count? */
bool hw_values_validate(struct hw_values *values, uint32_t node_count, struct hw_err *err);

#endif
