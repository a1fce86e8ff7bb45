/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One pool of CPython 3.11's allocator, made by hand: struct pool_header of Objects/obmalloc.c. */

enum { HEAD = 48, BLOCK = 32, BLOCKS = 20 };
enum { REF_COUNT = 0, FREEBLOCK = 8, SZIDX = 36, NEXTOFFSET = 40 };
static const hw_addr pool_at = 0x7f0000100000;

struct made {
    unsigned char *memory;
    struct hw_layout layout;
    struct hw_pymalloc_arena arena;
    struct hw_image *image;
    struct hw_blocks blocks;
    bool known[BLOCKS];
    unsigned visited[BLOCKS], visits;
    bool again;
};

static void put32(struct made *made, size_t at, uint32_t value)
{
    memcpy(made->memory + at, &value, sizeof(value));
}

static void put64(struct made *made, size_t at, uint64_t value)
{
    memcpy(made->memory + at, &value, sizeof(value));
}

static size_t block_at(unsigned block)
{
    return HEAD + (size_t)block * BLOCK;
}

/* is_free ends with -1. */
static void make(struct made *made, const int *is_free)
{
    *made = (struct made){.memory = calloc(1, HW_PYMALLOC_POOL_BYTES_MAX)};
    struct hw_field *f = made->layout.f;
    made->layout.s[HW_S_pool_header] = HEAD;
    f[HW_F_pool_header_ref_count].offset = REF_COUNT;
    f[HW_F_pool_header_freeblock].offset = FREEBLOCK;
    f[HW_F_pool_header_szidx].offset = SZIDX;
    f[HW_F_pool_header_nextoffset].offset = NEXTOFFSET;
    unsigned used = BLOCKS;
    size_t link = FREEBLOCK;
    for (; *is_free >= 0; is_free++, used--) {
        put64(made, link, pool_at + block_at((unsigned)*is_free));
        link = block_at((unsigned)*is_free);
    }
    put32(made, REF_COUNT, used);
    put32(made, SZIDX, BLOCK / HW_PYMALLOC_BLOCK_STEP - 1);
    put32(made, NEXTOFFSET, (uint32_t)block_at(BLOCKS));
    struct hw_memory_segment segment = {pool_at, made->memory, HW_PYMALLOC_POOL_BYTES_MAX,
                                        HW_PROT_READ | HW_PROT_WRITE};
    assert_true(hw_image_open_memory(&segment, 1, &made->image, NULL));
    made->arena = (struct hw_pymalloc_arena){.start = pool_at,
                                             .pools = pool_at,
                                             .unused = pool_at + HW_PYMALLOC_POOL_BYTES_MAX,
                                             .pools_end = pool_at + HW_PYMALLOC_POOL_BYTES_MAX};
    made->blocks = (struct hw_blocks){.image = made->image, .again = calloc(1, 8), .again_words = 1};
    made->blocks.pymalloc = (struct hw_pymalloc){
        .image = made->image, .layout = &made->layout, .pool_bytes = HW_PYMALLOC_POOL_BYTES_MAX,
        .arena_bytes = 1 << 20, .arenas = &made->arena, .arena_count = 1};
}

static void unmake(struct made *made)
{
    hw_image_close(made->image);
    free(made->blocks.again);
    free(made->memory);
}

static bool visit(void *ctx, const struct hw_block *block, bool *ret_again)
{
    struct made *made = ctx;
    uint64_t number = (block->addr - pool_at - HEAD) / BLOCK;
    assert_true(block->is_small);
    assert_int_equal(block->bytes, BLOCK);
    assert_in_range(number, 0, BLOCKS - 1);
    made->visited[number]++;
    made->visits++;
    *ret_again = made->again;
    return true;
}

static void is_known(void *ctx, hw_addr pool, uint64_t *bits)
{
    const struct made *made = ctx;
    assert_int_equal(pool, pool_at);
    for (unsigned i = 0; i < BLOCKS; i++) {
        size_t bit = block_at(i) / HW_PYMALLOC_BLOCK_STEP;
        if (made->known[i])
            bits[bit / 64] |= (uint64_t)1 << bit % 64;
    }
}

static void walk(struct made *made)
{
    struct hw_block_visitor visitor = {visit, is_known, made};
    assert_true(hw_blocks_walk(&made->blocks, &visitor));
}

static void test_visits_what_is_in_use_and_not_known(void **state)
{
    (void)state;
    struct made made;
    make(&made, (const int[]){3, 7, -1});
    made.known[0] = made.known[5] = true;
    walk(&made);
    assert_int_equal(made.visits, BLOCKS - 4);
    assert_false(made.visited[0] || made.visited[3] || made.visited[5] || made.visited[7]);
    unmake(&made);
}

/* As many are known as are in use, but they are not the same. */
static void test_what_is_known_may_be_free(void **state)
{
    (void)state;
    struct made made;
    make(&made, (const int[]){1, 2, 3, -1});
    for (unsigned i = 0; i < BLOCKS - 3; i++)
        made.known[i] = true;
    walk(&made);
    assert_int_equal(made.visits, 3);
    assert_true(made.visited[17] && made.visited[18] && made.visited[19]);
    unmake(&made);
}

static void test_a_known_pool_is_left_out(void **state)
{
    (void)state;
    struct made made;
    make(&made, (const int[]){4, -1});
    memset(made.known, true, sizeof(made.known));
    walk(&made);
    assert_int_equal(made.visits, 0);
    unmake(&made);
}

static void test_walks_again_where_it_was_asked_to(void **state)
{
    (void)state;
    struct made made;
    struct hw_block_visitor visitor = {visit, is_known, &made};
    make(&made, (const int[]){-1});
    walk(&made);
    assert_true(hw_blocks_walk_again(&made.blocks, &visitor));
    assert_int_equal(made.visits, BLOCKS);
    made.again = true;
    walk(&made);
    assert_true(hw_blocks_walk_again(&made.blocks, &visitor));
    assert_int_equal(made.visits, 3 * BLOCKS);
    unmake(&made);
}

/* A free list that makes no sense: then all that was handed out may be in use. */
static void test_a_torn_pool(void **state)
{
    (void)state;
    struct made made;
    make(&made, (const int[]){-1});
    put64(&made, FREEBLOCK, pool_at + block_at(2) + 8);
    walk(&made);
    assert_int_equal(made.visits, BLOCKS);
    unmake(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_visits_what_is_in_use_and_not_known),
        cmocka_unit_test(test_what_is_known_may_be_free),
        cmocka_unit_test(test_a_known_pool_is_left_out),
        cmocka_unit_test(test_walks_again_where_it_was_asked_to),
        cmocka_unit_test(test_a_torn_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
