/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/codec.h"

#include "heapwhy.h"

enum { GUESS_BITS = 10, CLASS_PAYLOAD_MAX = 32 };

static inline unsigned char *put(unsigned char *out, uint32_t v)
{
    while (v >= 0x80) {
        *out++ = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    *out++ = (unsigned char)v;
    return out;
}

/* Numbers of one to three bytes, nearly all there are, take no call. */
static inline bool get(struct hw_bytes *in, uint32_t *ret)
{
    const unsigned char *p = in->at;
    size_t left = hw_bytes_left(in);
    if (left && p[0] < 0x80) {
        *ret = p[0];
        in->at = p + 1;
    } else if (left >= 2 && p[1] < 0x80) {
        *ret = (p[0] & 0x7fu) | (uint32_t)p[1] << 7;
        in->at = p + 2;
    } else if (left >= 3 && p[2] < 0x80) {
        *ret = (p[0] & 0x7fu) | (p[1] & 0x7fu) << 7 | (uint32_t)p[2] << 14;
        in->at = p + 3;
    } else {
        *ret = hw_bytes_varint32(in);
    }
    return !in->failed;
}

unsigned char *hw_codec_put_plain(unsigned char *out, const uint32_t *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out = put(out, v[i]);
    return out;
}

bool hw_codec_get_plain(struct hw_bytes *in, uint32_t *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!get(in, &v[i]))
            return false;
    return hw_bytes_done(in);
}

unsigned char *hw_codec_put_short(unsigned char *out, const uint16_t *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out = put(out, v[i]);
    return out;
}

bool hw_codec_get_short(struct hw_bytes *in, uint16_t *v, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t wide;
        if (!get(in, &wide))
            return false;
        if (wide > UINT16_MAX)
            return hw_bytes_refuse(in);
        v[i] = (uint16_t)wide;
    }
    return hw_bytes_done(in);
}

unsigned char *hw_codec_put_rising(unsigned char *out, const uint32_t *v, size_t count)
{
    uint32_t before = 0;
    for (size_t i = 0; i < count; i++) {
        out = put(out, v[i] - before);
        before = v[i];
    }
    return out;
}

bool hw_codec_get_rising(struct hw_bytes *in, uint32_t *v, size_t count)
{
    uint32_t before = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t step;
        if (!get(in, &step))
            return false;
        v[i] = before += step;
    }
    return hw_bytes_done(in);
}

unsigned char *hw_codec_put_steps(unsigned char *out, const uint32_t *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out = put(out, v[i + 1] - v[i]);
    return out;
}

unsigned char *hw_codec_put_labels(unsigned char *out, const uint32_t *label, size_t count)
{
    uint32_t before = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t payload = label[i] & HW_LABEL_PAYLOAD;
        /* Up and down again by four bits: the difference as a signed number of 28 bits. */
        int32_t step = (int32_t)((payload - before) << 4) >> 4;
        out = put(out, hw_zigzag(step) << 4 | label[i] >> HW_LABEL_SHIFT);
        before = payload;
    }
    return out;
}

bool hw_codec_get_labels(struct hw_bytes *in, uint32_t *label, size_t count)
{
    uint32_t payload = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t code;
        if (!get(in, &code))
            return false;
        payload = (payload + (uint32_t)hw_unzigzag(code >> 4)) & HW_LABEL_PAYLOAD;
        label[i] = code << HW_LABEL_SHIFT | payload;
    }
    return hw_bytes_done(in);
}

enum {
    STRING_KINDS = 1 << HW_LABEL_ATTR | 1 << HW_LABEL_NAMED | 1 << HW_LABEL_LOCAL |
                   1 << HW_LABEL_INTERNAL | 1 << HW_LABEL_ROOT
};

static inline uint32_t *guess_of(uint32_t *guesses, uint32_t label)
{
    uint32_t kind = label >> HW_LABEL_SHIFT, payload = label & HW_LABEL_PAYLOAD;
    if (payload > CLASS_PAYLOAD_MAX && !(STRING_KINDS >> kind & 1))
        label = kind << HW_LABEL_SHIFT | CLASS_PAYLOAD_MAX;
    return &guesses[label * 2654435761u >> (32 - GUESS_BITS)];
}

unsigned char *hw_codec_put_targets(unsigned char *out, const uint32_t *to, const uint32_t *label,
                                    size_t count)
{
    uint32_t guesses[1 << GUESS_BITS] = {0};
    for (size_t i = 0; i < count; i++) {
        uint32_t *guess = guess_of(guesses, label[i]);
        out = put(out, hw_zigzag((int32_t)(to[i] - *guess)));
        *guess = to[i];
    }
    return out;
}

bool hw_codec_get_targets(struct hw_bytes *in, uint32_t *to, const uint32_t *label, size_t count)
{
    uint32_t guesses[1 << GUESS_BITS] = {0};
    for (size_t i = 0; i < count; i++) {
        uint32_t code;
        if (!get(in, &code))
            return false;
        uint32_t *guess = guess_of(guesses, label[i]);
        to[i] = *guess += (uint32_t)hw_unzigzag(code);
    }
    return hw_bytes_done(in);
}
