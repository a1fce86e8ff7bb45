/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/flame.h"
#include "tell/stacks.h"
#include "tell/tell.h"
#include "tell/text.h"

#include "pprof.pb-c.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/*
 * A profile as pprof reads it: the message of pprof.proto, compressed by gzip. Encoded messages
 * that stand one after the other are one message with the elements of all (protobuf.dev, Encoding,
 * "Last One Wins"), so it is written in pieces and never as a whole in memory.
 */

/* Where encoded pieces go: through the compressor to out. */
struct sink {
    ProtobufCBuffer base; /* first: protobuf-c knows it by this */
    struct hw_out *out;
    z_stream stream;
    bool failed;
};

static void sink_deflate(struct sink *sink, const uint8_t *data, size_t bytes, int flush)
{
    uint8_t packed[16384];
    sink->stream.next_in = (Bytef *)data;
    sink->stream.avail_in = (uInt)bytes;
    do {
        sink->stream.next_out = packed;
        sink->stream.avail_out = sizeof(packed);
        sink->failed = sink->failed || deflate(&sink->stream, flush) == Z_STREAM_ERROR;
        hw_out_put(sink->out, packed, sizeof(packed) - sink->stream.avail_out);
    } while (!sink->failed && sink->stream.avail_out == 0);
}

static void sink_append(ProtobufCBuffer *buffer, size_t bytes, const uint8_t *data)
{
    enum { MOST = 1 << 30 }; /* zlib counts with 32 bits */
    struct sink *sink = (struct sink *)buffer;
    for (size_t at = 0; at < bytes; at += MOST)
        sink_deflate(sink, data + at, bytes - at < MOST ? bytes - at : MOST, Z_NO_FLUSH);
}

static bool sink_init(struct sink *sink, struct hw_out *out)
{
    enum { GZIP = 16, WINDOW_BITS = 15, MEMORY_LEVEL = 8 };
    *sink = (struct sink){.base.append = sink_append, .out = out};
    return deflateInit2(&sink->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS + GZIP,
                        MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
}

struct writing {
    struct hw_stacks *stacks;
    struct sink *sink;
    enum hw_measure measures[HW_MEASURE_COUNT];
    size_t measure_count;
    uint32_t thread_key, domain_key, *thread_names;
    uint64_t *ids; /* of one stack's locations */
};

static void put_piece(struct writing *writing, const Pprof__Profile *piece)
{
    pprof__profile__pack_to_buffer(piece, &writing->sink->base);
}

static uint32_t string_of(struct writing *writing, const char *text)
{
    return hw_names_intern(&writing->stacks->texts, text, strlen(text));
}

/* ---- what is measured ---- */

/* The names that Go's heap profiles have, where they mean the same. */
static const char *const type_names[HW_MEASURE_COUNT][2] = {
    [HW_MEASURE_LIVE] = {"inuse_objects", "inuse_space"},
    [HW_MEASURE_PEAK] = {"peak_objects", "peak_space"},
    [HW_MEASURE_ALLOCATED] = {"alloc_objects", "alloc_space"},
    [HW_MEASURE_TEMPORARY] = {"temporary_objects", "temporary_space"}};

static void put_types(struct writing *writing)
{
    for (size_t i = 0; i < writing->measure_count; i++)
        for (size_t unit = 0; unit < 2; unit++) {
            Pprof__Profile piece = PPROF__PROFILE__INIT;
            Pprof__ValueType type = PPROF__VALUE_TYPE__INIT, *types[] = {&type};
            type.type = string_of(writing, type_names[writing->measures[i]][unit]);
            type.unit = string_of(writing, unit ? "bytes" : "count");
            piece.n_sample_type = 1;
            piece.sample_type = types;
            put_piece(writing, &piece);
        }
}

static void put_head(struct writing *writing)
{
    const struct hw_profile *profile = writing->stacks->profile;
    Pprof__Profile piece = PPROF__PROFILE__INIT;
    Pprof__ValueType period = PPROF__VALUE_TYPE__INIT;
    Pprof__Mapping mapping = PPROF__MAPPING__INIT, *mappings[] = {&mapping};
    struct hw_buf text = {0};
    hw_text_escape(&text, profile->command);
    mapping.id = 1;
    mapping.filename = string_of(writing, hw_buf_str(&text));
    mapping.has_functions = mapping.has_filenames = mapping.has_line_numbers = true;
    hw_buf_clear(&text);
    hw_flame_facts(&text, profile);
    int64_t comment = string_of(writing, hw_buf_str(&text));
    hw_buf_deinit(&text);
    period.type = string_of(writing, "space");
    period.unit = string_of(writing, "bytes");
    piece.n_mapping = 1;
    piece.mapping = mappings;
    piece.time_nanos = (int64_t)(profile->began_unix * 1e9);
    piece.duration_nanos = (int64_t)(profile->seconds * 1e9);
    piece.period_type = &period;
    piece.period = profile->rate_bytes ? (int64_t)profile->rate_bytes : 1;
    piece.n_comment = 1;
    piece.comment = &comment;
    piece.default_sample_type = string_of(
        writing, type_names[profile->is_recording ? HW_MEASURE_PEAK : HW_MEASURE_LIVE][1]);
    put_piece(writing, &piece);
}

/* ---- samples ---- */

static size_t put_ids(const struct writing *writing, uint32_t node)
{
    const struct hw_stack_node *nodes = writing->stacks->nodes;
    size_t count = 0;
    for (; node != HW_NONE; node = nodes[node].caller)
        writing->ids[count++] = (uint64_t)nodes[node].place + 1;
    return count;
}

/* What has no name is a number. */
static void fill_label(Pprof__Label *label, uint32_t key, uint32_t text, uint64_t number)
{
    pprof__label__init(label);
    label->key = key;
    label->str = text;
    label->num = text ? 0 : (int64_t)number;
}

static void put_sample(struct writing *writing, size_t row_number)
{
    const struct hw_profile *profile = writing->stacks->profile;
    const struct hw_profile_row *row = &profile->rows[row_number];
    int64_t values[2 * HW_MEASURE_COUNT];
    Pprof__Profile piece = PPROF__PROFILE__INIT;
    Pprof__Sample sample = PPROF__SAMPLE__INIT, *samples[] = {&sample};
    Pprof__Label labels[2], *label_list[] = {&labels[0], &labels[1]};
    for (size_t i = 0; i < writing->measure_count; i++) {
        values[2 * i] = (int64_t)row->amounts[writing->measures[i]].count;
        values[2 * i + 1] = (int64_t)row->amounts[writing->measures[i]].bytes;
    }
    fill_label(&labels[0], writing->domain_key,
               string_of(writing, hw_profile_domain_name(profile, row->domain)), row->domain);
    bool has_thread = row->thread < profile->thread_count && writing->thread_names[row->thread];
    if (has_thread)
        fill_label(&labels[1], writing->thread_key, writing->thread_names[row->thread], 0);
    sample.n_location_id = put_ids(writing, writing->stacks->row_nodes[row_number]);
    sample.location_id = writing->ids;
    sample.n_value = 2 * writing->measure_count;
    sample.value = values;
    sample.n_label = has_thread ? 2 : 1;
    sample.label = label_list;
    piece.n_sample = 1;
    piece.sample = samples;
    put_piece(writing, &piece);
}

/* ---- what samples refer to ---- */

static void put_locations(struct writing *writing)
{
    const struct hw_stacks *stacks = writing->stacks;
    for (size_t i = 0; i < stacks->place_count; i++) {
        Pprof__Profile piece = PPROF__PROFILE__INIT;
        Pprof__Location location = PPROF__LOCATION__INIT, *locations[] = {&location};
        Pprof__Line line = PPROF__LINE__INIT, *lines[] = {&line};
        line.function_id = (uint64_t)stacks->places[i].function + 1;
        line.line = stacks->places[i].line;
        location.id = i + 1;
        location.mapping_id = 1;
        location.n_line = 1;
        location.line = lines;
        piece.n_location = 1;
        piece.location = locations;
        put_piece(writing, &piece);
    }
}

static void put_functions(struct writing *writing)
{
    const struct hw_stacks *stacks = writing->stacks;
    for (size_t i = 0; i < stacks->function_count; i++) {
        const struct hw_stack_function *function = &stacks->functions[i];
        Pprof__Profile piece = PPROF__PROFILE__INIT;
        Pprof__Function told = PPROF__FUNCTION__INIT, *functions[] = {&told};
        told.id = i + 1;
        /* pprof leaves frames without a name out: of tracemalloc's the file is the name. A
         * system_name that is the same would be demangled as C++, and <module> be lost. */
        told.name = function->name ? function->name : function->label;
        if (!told.name)
            told.name = string_of(writing, "(not known)");
        told.filename = function->file;
        piece.n_function = 1;
        piece.function = functions;
        put_piece(writing, &piece);
    }
}

static void put_strings(struct writing *writing)
{
    Pprof__Profile piece = PPROF__PROFILE__INIT;
    piece.n_string_table = writing->stacks->texts.count;
    piece.string_table = (char **)writing->stacks->texts.text;
    put_piece(writing, &piece);
}

static bool name_threads(struct writing *writing)
{
    const struct hw_profile *profile = writing->stacks->profile;
    struct hw_buf name = {0};
    writing->thread_key = string_of(writing, "thread");
    writing->domain_key = string_of(writing, "domain");
    writing->thread_names = calloc(profile->thread_count + 1, sizeof(*writing->thread_names));
    for (size_t i = 0; writing->thread_names && i < profile->thread_count; i++) {
        hw_buf_clear(&name);
        hw_flame_thread(&name, &profile->threads[i]);
        if (profile->threads[i].id || *profile->threads[i].name)
            writing->thread_names[i] = string_of(writing, hw_buf_str(&name));
    }
    hw_buf_deinit(&name);
    return writing->thread_names != NULL;
}

static bool write_all(struct writing *writing)
{
    const struct hw_profile *profile = writing->stacks->profile;
    for (int measure = 0; measure < HW_MEASURE_COUNT; measure++)
        if (hw_profile_knows(profile, (enum hw_measure)measure, NULL))
            writing->measures[writing->measure_count++] = (enum hw_measure)measure;
    writing->ids = calloc((size_t)hw_stacks_levels(writing->stacks) + 1, sizeof(*writing->ids));
    if (!writing->ids || !name_threads(writing))
        return false;
    put_types(writing);
    put_head(writing);
    for (size_t i = 0; i < profile->row_count && hw_out_ok(writing->sink->out); i++)
        put_sample(writing, i);
    put_locations(writing);
    put_functions(writing);
    put_strings(writing);
    sink_deflate(writing->sink, NULL, 0, Z_FINISH);
    return !writing->stacks->texts.failed && !writing->sink->failed;
}

void hw_tell_pprof(struct hw_out *out, const struct hw_profile *profile,
                   const struct hw_frames_look *look)
{
    struct hw_stacks stacks;
    struct sink sink = {0};
    struct writing writing = {.stacks = &stacks, .sink = &sink};
    if (!hw_stacks_init(&stacks, profile, look) || !sink_init(&sink, out) || !write_all(&writing))
        hw_out_no_memory(out);
    deflateEnd(&sink.stream);
    free(writing.thread_names);
    free(writing.ids);
    hw_stacks_deinit(&stacks);
}
