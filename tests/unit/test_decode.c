/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"

#include "base/arena.h"
#include "image/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Objects made by hand, in the layout of every known version of CPython. */

enum { MEMORY_BYTES = 16384 };
#define BASE 0x7f0000000000

struct target {
    unsigned char memory[MEMORY_BYTES];
    struct hw_image *image;
    struct hw_arena arena;
    struct hw_py py;
};

static void put(struct target *target, hw_addr at, uint64_t value)
{
    memcpy(target->memory + (at - BASE), &value, sizeof(value));
}

#define PUT(target, addr, field, value) put(target, (addr) + (target)->py.layout->f[HW_F_##field].offset, value)

/* The memory as it is from now on. */
static void freeze(struct target *target)
{
    struct hw_memory_segment segment = {BASE, target->memory, MEMORY_BYTES, HW_PROT_READ};
    const struct hw_layout *layout = target->py.layout;
    assert_true(hw_image_open_memory(&segment, 1, &target->image, NULL));
    assert_true(hw_py_init(&target->py, target->image, layout, layout->version_min, &target->arena, NULL));
}

static void thaw(struct target *target)
{
    hw_py_deinit(&target->py);
    hw_image_close(target->image);
    hw_arena_deinit(&target->arena);
}

static const unsigned char *bytes_at(const struct target *target, hw_addr addr)
{
    return target->memory + (addr - BASE);
}

/* What was decoded are these references, all of one kind; forgets them. */
static void expect(struct target *target, enum hw_label_kind kind, size_t count, const hw_addr *to)
{
    struct hw_refs *refs = &target->py.refs;
    assert_int_equal(refs->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(refs->to[i], to[i]);
        assert_int_equal(refs->label[i] >> HW_LABEL_SHIFT, kind);
    }
    refs->count = 0;
}

static void expect_damaged(struct target *target, bool damaged)
{
    assert_int_equal(target->py.object_damaged, damaged);
    target->py.object_damaged = false;
}

static void each_layout(void (*test)(const struct hw_layout *layout))
{
    assert_true(hw_layout_count > 5);
    for (size_t i = 0; i < hw_layout_count; i++)
        test(hw_layouts[i]);
}

static void check_list(const struct hw_layout *layout)
{
    static const hw_addr items[] = {0x1000, 0x2000, 0x3000};
    struct target target = {.py.layout = layout};
    hw_addr good = BASE, long_one = BASE + 0x100, astray = BASE + 0x200, empty = BASE + 0x300, data = BASE + 0x1000;
    for (size_t i = 0; i < 3; i++)
        put(&target, data + i * 8, items[i]);
    PUT(&target, good, PyVarObject_ob_size, 3);
    PUT(&target, good, PyListObject_ob_item, data);
    PUT(&target, long_one, PyVarObject_ob_size, HW_MAX_ITEMS + 1);
    PUT(&target, long_one, PyListObject_ob_item, data);
    PUT(&target, astray, PyVarObject_ob_size, 1);
    PUT(&target, astray, PyListObject_ob_item, BASE + MEMORY_BYTES);
    freeze(&target);
    hw_decode_list(&target.py, good, bytes_at(&target, good));
    expect(&target, HW_LABEL_INDEX, 3, items);
    hw_decode_list(&target.py, empty, bytes_at(&target, empty));
    expect(&target, HW_LABEL_INDEX, 0, NULL);
    expect_damaged(&target, false);
    hw_decode_list(&target.py, long_one, bytes_at(&target, long_one));
    expect(&target, HW_LABEL_INDEX, 0, NULL);
    expect_damaged(&target, true);
    hw_decode_list(&target.py, astray, bytes_at(&target, astray));
    expect(&target, HW_LABEL_INDEX, 0, NULL);
    expect_damaged(&target, true);
    thaw(&target);
}

static void lists(void **state)
{
    (void)state;
    each_layout(check_list);
}

static void check_tuple(const struct hw_layout *layout)
{
    static const hw_addr items[] = {0x1000, 0x2000};
    struct target target = {.py.layout = layout};
    hw_addr good = BASE, at_the_end = BASE + MEMORY_BYTES - 64;
    PUT(&target, good, PyVarObject_ob_size, 2);
    for (size_t i = 0; i < 2; i++)
        PUT(&target, good + i * 8, PyTupleObject_ob_item, items[i]);
    PUT(&target, at_the_end, PyVarObject_ob_size, 100);
    freeze(&target);
    hw_decode_tuple(&target.py, good, bytes_at(&target, good));
    expect(&target, HW_LABEL_INDEX, 2, items);
    expect_damaged(&target, false);
    hw_decode_tuple(&target.py, at_the_end, bytes_at(&target, at_the_end));
    expect(&target, HW_LABEL_INDEX, 0, NULL);
    expect_damaged(&target, true);
    thaw(&target);
}

static void tuples(void **state)
{
    (void)state;
    each_layout(check_tuple);
}

static void check_set(const struct hw_layout *layout)
{
    enum { DUMMY = 0x5000 };
    static const hw_addr members[] = {0x1000, 0x2000};
    struct target target = {.py.layout = layout};
    hw_addr good = BASE, large = BASE + 0x200, table = BASE + 0x1000;
    PUT(&target, good, PySetObject_mask, 7);
    PUT(&target, good, PySetObject_table, table);
    PUT(&target, table + layout->s[HW_S_setentry], setentry_key, members[0]);
    PUT(&target, table + 3 * layout->s[HW_S_setentry], setentry_key, DUMMY); /* deleted */
    PUT(&target, table + 3 * layout->s[HW_S_setentry], setentry_hash, UINT64_MAX);
    PUT(&target, table + 7 * layout->s[HW_S_setentry], setentry_key, members[1]);
    PUT(&target, large, PySetObject_mask, UINT64_MAX);
    freeze(&target);
    target.py.set_dummy = DUMMY;
    hw_decode_set(&target.py, good, bytes_at(&target, good));
    expect(&target, HW_LABEL_MEMBER, 2, members);
    expect_damaged(&target, false);
    hw_decode_set(&target.py, large, bytes_at(&target, large));
    expect(&target, HW_LABEL_MEMBER, 0, NULL);
    expect_damaged(&target, true);
    thaw(&target);
}

static void sets(void **state)
{
    (void)state;
    each_layout(check_set);
}

/* The last item of one block and the first of the next. */
static void check_deque(const struct hw_layout *layout)
{
    static const hw_addr items[] = {0x1000, 0x2000};
    struct target target = {.py.layout = layout};
    hw_addr good = BASE, torn = BASE + 0x200, first = BASE + 0x1000, second = BASE + 0x2000;
    uint64_t last = (layout->s[HW_S_dequeblock] - 16) / 8 - 1;
    for (hw_addr deque = good; deque <= torn; deque += torn - good) {
        PUT(&target, deque, PyVarObject_ob_size, 2);
        PUT(&target, deque, dequeobject_leftindex, last);
    }
    PUT(&target, good, dequeobject_leftblock, first);
    PUT(&target, torn, dequeobject_leftblock, second); /* no block follows it */
    PUT(&target, first + last * 8, dequeblock_data, items[0]);
    PUT(&target, first, dequeblock_rightlink, second);
    PUT(&target, second, dequeblock_data, items[1]);
    PUT(&target, second + last * 8, dequeblock_data, items[0]);
    freeze(&target);
    hw_decode_deque(&target.py, good, bytes_at(&target, good));
    expect(&target, HW_LABEL_INDEX, 2, items);
    expect_damaged(&target, false);
    hw_decode_deque(&target.py, torn, bytes_at(&target, torn));
    expect(&target, HW_LABEL_INDEX, 1, items);
    expect_damaged(&target, true);
    thaw(&target);
}

static void deques(void **state)
{
    (void)state;
    each_layout(check_deque);
}

/* ---- key blocks that no class has any more: up to 3.10 ---- */

enum { SLOTS = 8 };
static const hw_addr names[] = {0x1000, 0x2000, 0x3000};

/* A key block with the three names. */
static void keys_put(struct target *target, hw_addr keys, uint64_t entry_count)
{
    const struct hw_layout *layout = target->py.layout;
    hw_addr entry = keys + layout->f[HW_F_PyDictKeysObject_dk_indices].offset + SLOTS;
    PUT(target, keys, PyDictKeysObject_dk_size, SLOTS);
    PUT(target, keys, PyDictKeysObject_dk_nentries, entry_count);
    for (size_t i = 0; i < 3; i++, entry += layout->s[HW_S_PyDictKeyEntry])
        PUT(target, entry, PyDictKeyEntry_me_key, names[i]);
}

static void namespace_put(struct target *target, hw_addr dict, hw_addr keys, hw_addr values)
{
    PUT(target, dict, PyDictObject_ma_keys, keys);
    PUT(target, dict, PyDictObject_ma_values, values);
}

static void check_loose_keys(const struct hw_layout *layout)
{
    hw_addr one = BASE, two = BASE + 0x100, whole = BASE + 0x200, of_the_class = BASE + 0x300, absurd = BASE + 0x400;
    hw_addr loose = BASE + 0x1000, kept = BASE + 0x1400, broken = BASE + 0x1800, class = BASE + 0x2000, values = BASE;
    struct target target = {.py.layout = layout};
    const struct hw_pytype type = {.addr = class, .is_heap = true}, c_type = {.addr = class};
    keys_put(&target, loose, 3);
    keys_put(&target, kept, 3);
    keys_put(&target, broken, SLOTS + 1);
    PUT(&target, class, PyHeapTypeObject_ht_cached_keys, kept);
    namespace_put(&target, one, loose, values);
    namespace_put(&target, two, loose, values);
    namespace_put(&target, whole, loose, 0);
    namespace_put(&target, of_the_class, kept, values);
    namespace_put(&target, absurd, broken, values);
    freeze(&target);
    struct hw_py *py = &target.py;
    hw_decode_loose_keys(py, whole, &type); /* not shared */
    hw_decode_loose_keys(py, of_the_class, &type);
    hw_decode_loose_keys(py, one, &c_type);
    hw_decode_loose_keys(py, 0, &type);
    hw_decode_loose_keys(py, BASE + MEMORY_BYTES, &type);
    expect(&target, HW_LABEL_HIDDEN, 0, NULL);
    hw_decode_loose_keys(py, one, &type);
    expect(&target, HW_LABEL_HIDDEN, 3, names);
    hw_decode_loose_keys(py, two, &type); /* the first one reports them, however often */
    expect(&target, HW_LABEL_HIDDEN, 0, NULL);
    hw_decode_loose_keys(py, one, &type);
    expect(&target, HW_LABEL_HIDDEN, 3, names);
    expect_damaged(&target, false);
    hw_decode_loose_keys(py, absurd, &type);
    expect(&target, HW_LABEL_HIDDEN, 0, NULL);
    expect_damaged(&target, true);
    py->version = 0x030b0000; /* no class gives its keys up any more */
    hw_decode_loose_keys(py, one, &type);
    expect(&target, HW_LABEL_HIDDEN, 0, NULL);
    thaw(&target);
}

static void loose_keys(void **state)
{
    (void)state;
    size_t checked = 0;
    for (size_t i = 0; i < hw_layout_count; i++)
        if (hw_layouts[i]->version_max < 0x030b0000) {
            check_loose_keys(hw_layouts[i]);
            checked++;
        }
    assert_true(checked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),  cmocka_unit_test(tuples),     cmocka_unit_test(sets),
        cmocka_unit_test(deques), cmocka_unit_test(loose_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
