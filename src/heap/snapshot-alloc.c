/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "heap/codec.h"
#include "heap/snapshot-columns.h"

#include <stdlib.h>

/* ---- frames ---- */

static uint64_t frames_count(const struct hw_graph *graph)
{
    return graph->allocs.frame_count;
}

static size_t frames_bound(const struct hw_graph *graph, uint64_t i)
{
    return 4 * HW_VARINT32_BYTES;
}

/* A caller as the distance back to it; 0: none. */
static unsigned char *frames_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                    unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_alloc_frame *frame = &graph->allocs.frames[i];
        out = hw_put_varint(out, frame->caller == HW_NONE ? 0 : (uint32_t)i - frame->caller);
        out = hw_put_varint(out, frame->file);
        out = hw_put_varint(out, frame->function);
        out = hw_put_varint(out, frame->line);
    }
    return out;
}

static bool prepare_rows(void *ret_rows, size_t *ret_count, uint64_t count, size_t row_bytes,
                         struct hw_err *err)
{
    if (count > HW_ALLOC_ROWS_MAX)
        return hw_err_set(err, HW_ERR_CORRUPT, "it has too many elements");
    *ret_count = count;
    return hw_snap_array(ret_rows, count, row_bytes, err);
}

static bool frames_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    return prepare_rows(&graph->allocs.frames, &graph->allocs.frame_count, count,
                        sizeof(*graph->allocs.frames), err);
}

static bool frames_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_alloc_frame *frame = &graph->allocs.frames[i];
        uint32_t back = hw_bytes_varint32(in);
        if (back > i)
            return hw_bytes_refuse(in);
        frame->caller = back ? (uint32_t)i - back : HW_NONE;
        frame->file = hw_bytes_varint32(in);
        frame->function = hw_bytes_varint32(in);
        frame->line = hw_bytes_varint32(in);
    }
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_alloc_frames = {
    .tag = "frames",
    .optional = true,
    .count = frames_count,
    .bound = frames_bound,
    .encode = frames_encode,
    .prepare = frames_prepare,
    .decode = frames_decode,
};

/* ---- sites ---- */

static uint64_t sites_count(const struct hw_graph *graph)
{
    return graph->allocs.site_count;
}

static size_t sites_bound(const struct hw_graph *graph, uint64_t i)
{
    return 3 * HW_VARINT32_BYTES + 2 * HW_VARINT64_BYTES;
}

static unsigned char *sites_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                   unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_alloc_site *site = &graph->allocs.sites[i];
        out = hw_put_varint(out, site->frame + 1);
        out = hw_put_varint(out, site->depth);
        out = hw_put_varint(out, site->domain);
        out = hw_put_varint(out, site->count);
        out = hw_put_varint(out, site->bytes);
    }
    return out;
}

static bool sites_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    return prepare_rows(&graph->allocs.sites, &graph->allocs.site_count, count,
                        sizeof(*graph->allocs.sites), err);
}

static bool sites_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_alloc_site *site = &graph->allocs.sites[i];
        site->frame = hw_bytes_varint32(in) - 1;
        site->depth = hw_bytes_varint32(in);
        site->domain = hw_bytes_varint32(in);
        site->count = hw_bytes_varint64(in);
        site->bytes = hw_bytes_varint64(in);
    }
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_alloc_sites = {
    .tag = "sites",
    .optional = true,
    .count = sites_count,
    .bound = sites_bound,
    .encode = sites_encode,
    .prepare = sites_prepare,
    .decode = sites_decode,
};

/* ---- the site of each object ---- */

static uint64_t of_count(const struct hw_graph *graph)
{
    return graph->allocs.of ? graph->object_count : 0;
}

static unsigned char *of_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++)
        out = hw_put_varint(out, graph->allocs.of[i] + 1);
    return out;
}

/* Without elements it is as good as absent. */
static bool of_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    if (!count)
        return true;
    return hw_snap_count_is(count, graph->object_count, err) &&
           hw_snap_array(&graph->allocs.of, count, sizeof(*graph->allocs.of), err);
}

static bool of_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    for (uint64_t i = first; i < first + count; i++)
        graph->allocs.of[i] = hw_bytes_varint32(in) - 1;
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_alloc_of = {
    .tag = "site",
    .optional = true,
    .parallel = true,
    .count = of_count,
    .encode = of_encode,
    .prepare = of_prepare,
    .decode = of_decode,
};
