/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/age.h"

#include "base/bytes.h"
#include "base/err.h"

enum { UNIT_SHIFT = 3, AGE_OLDEST = 1, AGE_COUNT = 255 };

void hw_order_add(struct hw_order *order, hw_addr addr)
{
    unsigned char *to = hw_buf_reserve(&order->steps, HW_VARINT64_BYTES);
    if (!to)
        return;
    int64_t units = (int64_t)(addr - order->last) / (1 << UNIT_SHIFT);
    uint64_t zigzag = (uint64_t)units << 1 ^ (units < 0 ? UINT64_MAX : 0);
    order->steps.len = (size_t)(hw_put_varint(to, zigzag) - order->steps.data);
    order->last = addr;
    order->counts[order->interpreter]++;
}

void hw_order_deinit(struct hw_order *order)
{
    hw_buf_deinit(&order->steps);
}

static hw_addr step(struct hw_bytes *in, hw_addr at)
{
    /* Most are neighbours. */
    bool is_short = in->at < in->end && *in->at < 0x80;
    uint64_t zigzag = is_short ? *in->at++ : hw_bytes_varint64(in);
    uint64_t units = zigzag >> 1 ^ (0 - (zigzag & 1));
    return at + (units << UNIT_SHIFT);
}

bool hw_order_ages(struct hw_order *order, struct hw_marks *marks, uint8_t *age, struct hw_err *err)
{
    struct hw_bytes in = hw_bytes_of(order->steps.data, order->steps.len);
    hw_addr at = 0;
    if (!hw_buf_ok(&order->steps))
        return hw_err_no_memory(err);
    for (size_t i = 0; i < HW_MAX_INTERPRETERS; i++) {
        uint64_t count = order->counts[i];
        unsigned now = AGE_COUNT;
        for (uint64_t older = count; older--;) {
            /* The share of the count that is older says the age; no division for each object. */
            while (now > AGE_OLDEST && older * AGE_COUNT < count * (now - AGE_OLDEST))
                now--;
            at = step(&in, at);
            hw_id id = hw_marks_id(marks, at);
            if (id == HW_NONE || age[id])
                continue;
            age[id] = (uint8_t)now;
            if (count - older <= HW_NEWEST_EACH)
                order->newest[order->newest_count++] = id;
        }
    }
    return true;
}
