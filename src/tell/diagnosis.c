/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/shots.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <ctype.h>
#include <string.h>

/* Text stands in two columns: a word that says what follows, and from column MARGIN on the rest. */
enum { MARGIN = 9 };
enum { CREATED_SHOWN = 3, CREATED_FRAMES = 4 };
#define SURE 0.995
#define WIDE 0.5 /* a range of the rate that is told */

static void put_word(struct hw_out *out, const char *word)
{
    hw_out_style(out, HW_STYLE_TITLE);
    hw_out_printf(out, "%-*s", MARGIN, word);
    hw_out_style(out, HW_STYLE_PLAIN);
}

static void put_verdict(struct hw_out *out, const struct hw_diagnosis *diagnosis)
{
    static const enum hw_style styles[] = {[HW_VERDICT_STEADY] = HW_STYLE_GOOD,
                                           [HW_VERDICT_LEAK] = HW_STYLE_BAD,
                                           [HW_VERDICT_INCONCLUSIVE] = HW_STYLE_UNSURE,
                                           [HW_VERDICT_FRAGMENTATION] = HW_STYLE_UNSURE};
    size_t column = 2;
    hw_out_style(out, styles[diagnosis->verdict]);
    for (const char *s = hw_verdict_name(diagnosis->verdict); *s; s++, column++)
        hw_out_printf(out, "%c", toupper((unsigned char)*s));
    hw_out_puts(out, ":");
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_out_puts(out, " ");
    hw_out_wrap(out, column, 0, diagnosis->answer);
}

/* Few objects in a short time leave the rate open; many do not, and then it is not worth a word. */
static void put_range(struct hw_buf *line, const struct hw_suspect *suspect)
{
    double low = suspect->objects_per_second_low, high = suspect->objects_per_second_high;
    if (high - low <= WIDE * suspect->objects_per_second || suspect->objects_per_second <= 0)
        return;
    hw_buf_puts(line, " (");
    hw_text_rate(line, low > 0 ? low : 0);
    hw_buf_puts(line, " to ");
    hw_text_rate(line, high);
    hw_buf_puts(line, ")");
}

static void put_objects(struct hw_buf *line, uint64_t count)
{
    hw_text_count(line, count);
    hw_buf_puts(line, count == 1 ? " object" : " objects");
}

static void put_members(struct hw_buf *line, const struct hw_suspect *suspect)
{
    if (!suspect->objects || suspect->objects == suspect->held_objects)
        return;
    hw_buf_puts(line, suspect->objects_per_second > 0 ? "+" : "");
    hw_text_rate(line, suspect->objects_per_second);
    hw_buf_puts(line, "/s");
    put_range(line, suspect);
    hw_buf_puts(line, ", now ");
    hw_text_count(line, suspect->objects);
    hw_buf_puts(line, "; with all they hold ");
}

/* One snapshot shows no growth. */
static void put_amounts(struct hw_buf *line, const struct hw_suspect *suspect)
{
    if (suspect->objects) {
        hw_text_count(line, suspect->objects);
        hw_buf_puts(line, suspect->objects == 1 ? " member; " : " members; ");
    }
    hw_buf_puts(line, "with all they hold ");
    put_objects(line, suspect->held_objects);
    hw_buf_puts(line, ", ");
    hw_text_bytes(line, (double)suspect->bytes);
}

/* Of malloc's blocks, sizes that differ are not counted. */
static void put_block_rates(struct hw_buf *line, const struct hw_suspect *suspect)
{
    if (suspect->objects) {
        hw_buf_puts(line, "+");
        hw_text_rate(line, suspect->objects_per_second);
        hw_buf_puts(line, " blocks/s, ");
    }
    hw_buf_puts(line, "+");
    hw_text_bytes(line, suspect->bytes_per_second);
    hw_buf_puts(line, "/s");
    if (!suspect->objects)
        return;
    hw_buf_puts(line, "; now ");
    hw_text_count(line, suspect->objects);
    hw_buf_puts(line, " blocks, ");
    hw_text_bytes(line, (double)suspect->bytes);
}

static void put_rates(struct hw_buf *line, const struct hw_suspect *suspect)
{
    if (suspect->pattern == HW_PATTERN_NATIVE_MEMORY) {
        put_block_rates(line, suspect);
        return;
    }
    put_members(line, suspect);
    hw_buf_puts(line, suspect->held_objects_per_second > 0 ? "+" : "");
    hw_text_rate(line, suspect->held_objects_per_second);
    hw_buf_puts(line, " objects/s, ");
    hw_buf_puts(line, suspect->bytes_per_second > 0 ? "+" : "");
    hw_text_bytes(line, suspect->bytes_per_second);
    hw_buf_puts(line, "/s; now ");
    put_objects(line, suspect->held_objects);
    hw_buf_puts(line, ", ");
    hw_text_bytes(line, (double)suspect->bytes);
    if (suspect->confidence < SURE)
        hw_buf_printf(line, "; by chance alone it would look so in %.0f %% of cases",
                      100 * (1 - suspect->confidence));
}

static void put_what(struct hw_out *out, const struct hw_suspect *suspect, bool grows)
{
    struct hw_buf line = {0};
    put_word(out, "What");
    hw_out_text(out, suspect->type);
    if (grows)
        put_rates(&line, suspect);
    else
        put_amounts(&line, suspect);
    hw_out_printf(out, "\n%*s", MARGIN, "");
    hw_out_wrap(out, MARGIN, MARGIN, hw_buf_str(&line));
    hw_buf_deinit(&line);
}

static void put_holder(struct hw_out *out, const struct hw_suspect *suspect)
{
    if (*suspect->chain.path) {
        hw_out_style(out, HW_STYLE_TITLE);
        hw_out_puts(out, "Holder\n");
        hw_out_style(out, HW_STYLE_PLAIN);
        hw_parts_chain(out, &suspect->chain, 2);
    } else {
        put_word(out, "Holder");
        hw_out_puts(out, suspect->pattern == HW_PATTERN_REFERENCE_CYCLE
                             ? "no root: they only hold each other\n"
                             : "nothing that heapwhy sees\n");
    }
}

/* "hub.py:41"; "app/__init__.py:3" */
static void put_place(struct hw_buf *line, const struct hw_site_frame *frame)
{
    const char *name = strrchr(frame->file, '/');
    if (name && strcmp(name, "/__init__.py") == 0)
        while (name > frame->file && name[-1] != '/')
            name--;
    else if (name)
        name++;
    struct hw_site_frame brief = *frame;
    brief.file = name ? name : frame->file;
    hw_parts_site_frame(line, &brief);
}

static void put_blocks_or_objects(struct hw_buf *line, const struct hw_suspect *suspect, uint64_t count)
{
    if (suspect->pattern != HW_PATTERN_NATIVE_MEMORY) {
        put_objects(line, count);
        return;
    }
    hw_text_count(line, count);
    hw_buf_puts(line, count == 1 ? " block" : " blocks");
}

/* The nearest caller that is Python's; NULL: there is none. */
static const struct hw_site_frame *python_frame(const struct hw_site_frame *frame)
{
    while (frame && frame->is_native)
        frame = frame->caller;
    return frame;
}

/* "hub.py:41 from app.py:88: 216 objects, 12.1 kB", the nearest callers; of C code also who in Python called it,
 * however far that is. */
static void put_created(struct hw_out *out, const struct hw_suspect *suspect)
{
    size_t shown = suspect->created_count < CREATED_SHOWN ? suspect->created_count : CREATED_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        const struct hw_created *created = &suspect->created[i];
        const struct hw_site_frame *frame = created->frame;
        bool was_native = false;
        struct hw_buf line = {0};
        for (unsigned n = 0; frame && n < CREATED_FRAMES; n++, frame = frame->caller) {
            hw_buf_puts(&line, n == 0 ? "" : n == 1 ? " from " : ", ");
            put_place(&line, frame);
            was_native = frame->is_native;
        }
        const struct hw_site_frame *python = was_native ? python_frame(frame) : NULL;
        if (python && python != frame)
            hw_buf_puts(&line, ", ...");
        if (python) {
            hw_buf_puts(&line, ", ");
            put_place(&line, python);
            frame = python->caller;
        }
        hw_buf_puts(&line, frame ? ", ...: " : ": ");
        put_blocks_or_objects(&line, suspect, created->objects);
        hw_buf_puts(&line, ", ");
        hw_text_bytes(&line, (double)created->bytes);
        put_word(out, i ? "" : "Created");
        hw_out_wrap(out, MARGIN, MARGIN + 2, hw_buf_str(&line));
        hw_buf_deinit(&line);
    }
    hw_parts_more(out, MARGIN, shown, suspect->created_total);
    if (shown && suspect->created_known < suspect->created_looked) {
        struct hw_buf line = {0};
        hw_buf_puts(&line, "known of ");
        hw_text_count(&line, suspect->created_known);
        hw_buf_puts(&line, " of these ");
        put_objects(&line, suspect->created_looked);
        put_word(out, "");
        hw_out_wrap(out, MARGIN, MARGIN + 2, hw_buf_str(&line));
        hw_buf_deinit(&line);
    }
}

static void put_also(struct hw_out *out, const struct hw_suspect *suspect)
{
    for (size_t i = 0; i < suspect->also_count; i++) {
        put_word(out, i ? "" : "Also in");
        hw_out_text(out, suspect->also[i].path);
        hw_out_puts(out, "\n");
    }
}

/* number: from 0, among those under one word. */
static void put_sentence(struct hw_out *out, const char *word, const char *sentence, size_t number)
{
    put_word(out, number ? "" : word);
    hw_out_puts(out, "- ");
    hw_out_wrap(out, MARGIN + 2, MARGIN + 2, sentence);
}

static void put_sentences(struct hw_out *out, const char *word, const char **sentences,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_sentence(out, word, sentences[i], i);
}

static void put_suspect(struct hw_out *out, const struct hw_suspect *suspect, bool grows)
{
    put_what(out, suspect, grows);
    put_holder(out, suspect);
    put_also(out, suspect);
    put_created(out, suspect);
    put_word(out, "Pattern");
    size_t column = MARGIN + strlen(suspect->cause) + 2;
    hw_out_style(out, HW_STYLE_KEY);
    hw_out_text(out, suspect->cause);
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_out_puts(out, ": ");
    hw_out_wrap(out, column, MARGIN, suspect->about);
    put_sentences(out, "Evidence", suspect->evidence, suspect->evidence_count);
    put_word(out, "Cure");
    hw_out_wrap(out, MARGIN, MARGIN, suspect->fix);
    put_word(out, "");
    hw_out_style(out, HW_STYLE_FAINT);
    hw_out_printf(out, "fingerprint %s\n", suspect->fingerprint);
    hw_out_style(out, HW_STYLE_PLAIN);
}

static void put_others(struct hw_out *out, const struct hw_suspect *suspects, size_t count,
                       bool grows)
{
    const struct hw_column columns[] = {{grows ? "objects/s" : "objects", HW_COLUMN_RIGHT},
                                        {grows ? "bytes/s" : "bytes", HW_COLUMN_RIGHT},
                                        {"verdict", 0},
                                        {"pattern", 0},
                                        {"type", HW_COLUMN_CUT},
                                        {"", HW_COLUMN_BELOW}};
    struct hw_table table = {.columns = columns, .column_count = 6, .indent = 2};
    hw_out_puts(out, "\nOther suspects\n");
    for (size_t i = 0; i < count; i++) {
        if (grows)
            hw_text_rate(hw_table_cell(&table), suspects[i].objects_per_second);
        else
            hw_text_count(hw_table_cell(&table), suspects[i].held_objects);
        hw_text_bytes(hw_table_cell(&table),
                      grows ? suspects[i].bytes_per_second : (double)suspects[i].bytes);
        hw_buf_puts(hw_table_cell(&table), hw_verdict_name(suspects[i].verdict));
        hw_text_escape(hw_table_cell(&table), suspects[i].cause);
        hw_text_escape(hw_table_cell(&table), suspects[i].type);
        hw_text_escape(hw_table_cell(&table), suspects[i].chain.path);
    }
    hw_table_finish(&table, out);
}

enum { MAX_OTHERS = 4 };

/* "Ignored  app.Session, +98.8 kB/s, in sys.modules['app'].hub (fixed in 2.1)": one a line */
static void put_ignored(struct hw_out *out, const struct hw_ignored *ignored)
{
    struct hw_buf line = {0};
    hw_buf_puts(&line, ignored->type);
    if (ignored->bytes_per_second > 0) {
        hw_buf_puts(&line, ", +");
        hw_text_bytes(&line, ignored->bytes_per_second);
        hw_buf_puts(&line, "/s");
    }
    hw_buf_printf(&line, "%s%s (%s)", *ignored->path ? ", in " : "", ignored->path,
                  *ignored->reason ? ignored->reason : ignored->source);
    hw_out_wrap(out, MARGIN, MARGIN, hw_buf_str(&line));
    hw_buf_deinit(&line);
}

static void put_all_ignored(struct hw_out *out, const struct hw_diagnosis *diagnosis)
{
    size_t shown = hw_parts_limit(diagnosis->ignored_count, MAX_OTHERS);
    for (size_t i = 0; i < shown; i++) {
        hw_out_puts(out, i ? "" : "\n");
        put_word(out, i ? "" : "Ignored");
        put_ignored(out, &diagnosis->ignored[i]);
    }
    hw_parts_more(out, MARGIN, shown, diagnosis->ignored_count);
}

/* Below a leak the others' doubts would hide the answer. */
static bool is_told_in_brief(const struct hw_diagnosis *diagnosis, const char *doubt)
{
    for (size_t i = 1; diagnosis->verdict == HW_VERDICT_LEAK && i < diagnosis->suspect_count; i++)
        if (diagnosis->suspects[i].doubt == doubt)
            return true;
    return false;
}

static void put_doubts(struct hw_out *out, const struct hw_diagnosis *diagnosis)
{
    struct hw_buf line = {0};
    size_t told = 0, others = 0;
    for (size_t i = 0; i < diagnosis->doubt_count; i++) {
        if (is_told_in_brief(diagnosis, diagnosis->doubts[i]))
            others++;
        else
            put_sentence(out, "Doubts", diagnosis->doubts[i], told++);
    }
    if (others) {
        hw_text_count(&line, others);
        hw_buf_puts(&line, others == 1 ? " other suspect is not settled: --json tells why"
                                       : " other suspects are not settled: --json tells why");
        put_sentence(out, "Doubts", hw_buf_str(&line), told);
    }
    hw_buf_deinit(&line);
}

/* A rule of a file may wait for its leak; what is typed is meant now. */
static void put_unused(struct hw_out *out, const struct hw_diagnosis *diagnosis)
{
    struct hw_buf line = {0};
    size_t told = 0;
    for (size_t i = 0; i < diagnosis->unused_rule_count; i++) {
        if (strcmp(diagnosis->unused_sources[i], "--ignore") != 0)
            continue;
        hw_buf_printf(&line, "--ignore %s matched nothing", diagnosis->unused_rules[i]);
        hw_out_puts(out, told ? "" : "\n");
        put_word(out, told++ ? "" : "Unused");
        hw_out_wrap(out, MARGIN, MARGIN, hw_buf_str(&line));
        hw_buf_clear(&line);
    }
    hw_buf_deinit(&line);
}

static void diagnosis_text(struct hw_out *out, const struct hw_facts *facts,
                           const struct hw_diagnosis *diagnosis)
{
    size_t suspects = diagnosis->suspect_count;
    bool grows = diagnosis->shot_count > 1;
    put_verdict(out, diagnosis);
    if (suspects) {
        hw_out_puts(out, "\n");
        put_suspect(out, &diagnosis->suspects[0], grows);
    }
    if (suspects > 1) {
        size_t others = hw_parts_limit(suspects - 1, MAX_OTHERS);
        put_others(out, diagnosis->suspects + 1, others, grows);
        hw_parts_more(out, 2, others, suspects - 1);
    }
    put_all_ignored(out, diagnosis);
    if (diagnosis->doubt_count)
        hw_out_puts(out, "\n");
    put_doubts(out, diagnosis);
    put_unused(out, diagnosis);
    hw_out_puts(out, "\n");
    hw_shots_text(out, facts, diagnosis->shots, diagnosis->shot_count);
}

static void strings_json(struct hw_json *json, const char *key, const char **strings, size_t count)
{
    hw_json_array(json, key);
    for (size_t i = 0; i < count; i++)
        hw_json_string(json, NULL, strings[i]);
    hw_json_end(json);
}

static void created_json(struct hw_json *json, const struct hw_suspect *suspect)
{
    hw_json_array(json, "created");
    for (size_t i = 0; i < suspect->created_count; i++) {
        const struct hw_created *created = &suspect->created[i];
        hw_json_object(json, NULL);
        hw_parts_site_json(json, created->frame);
        hw_json_u64(json, "depth", created->depth);
        hw_json_u64(json, "objects", created->objects);
        hw_json_u64(json, "bytes", created->bytes);
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_json_u64(json, "created_total", suspect->created_total);
    hw_json_u64(json, "created_looked", suspect->created_looked);
    hw_json_u64(json, "created_known", suspect->created_known);
}

static void suspect_json(struct hw_json *json, const struct hw_suspect *suspect)
{
    hw_json_object(json, NULL);
    hw_json_string(json, "pattern", hw_pattern_name(suspect->pattern));
    hw_json_string(json, "cause", suspect->cause);
    hw_json_string(json, "about", suspect->about);
    hw_json_string(json, "verdict", hw_verdict_name(suspect->verdict));
    hw_json_string(json, "type", suspect->type);
    hw_json_string(json, "carries", suspect->carries ? suspect->carries : "");
    hw_json_string(json, "fingerprint", suspect->fingerprint);
    hw_json_string(json, "shape", suspect->shape);
    hw_parts_chain_json(json, &suspect->chain);
    hw_json_array(json, "also_held_by");
    for (size_t i = 0; i < suspect->also_count; i++) {
        hw_json_object(json, NULL);
        hw_parts_chain_json(json, &suspect->also[i]);
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_json_double(json, "objects_per_second", suspect->objects_per_second);
    hw_json_double(json, "objects_per_second_low", suspect->objects_per_second_low);
    hw_json_double(json, "objects_per_second_high", suspect->objects_per_second_high);
    hw_json_double(json, "confidence", suspect->confidence);
    hw_json_u64(json, "objects", suspect->objects);
    hw_json_double(json, "held_objects_per_second", suspect->held_objects_per_second);
    hw_json_double(json, "bytes_per_second", suspect->bytes_per_second);
    hw_json_u64(json, "held_objects", suspect->held_objects);
    hw_json_u64(json, "bytes", suspect->bytes);
    hw_json_u64(json, "native_bytes", suspect->native_bytes);
    created_json(json, suspect);
    strings_json(json, "evidence", suspect->evidence, suspect->evidence_count);
    hw_json_string(json, "doubt", suspect->doubt ? suspect->doubt : "");
    hw_json_string(json, "fix", suspect->fix);
    hw_json_end(json);
}

static void ignored_json(struct hw_json *json, const struct hw_ignored *ignored)
{
    hw_json_object(json, NULL);
    hw_json_string(json, "rule", ignored->rule);
    hw_json_string(json, "reason", ignored->reason);
    hw_json_string(json, "source", ignored->source);
    hw_json_string(json, "type", ignored->type);
    hw_json_string(json, "path", ignored->path);
    hw_json_string(json, "shape", ignored->shape);
    hw_json_string(json, "fingerprint", ignored->fingerprint);
    hw_json_string(json, "verdict", hw_verdict_name(ignored->verdict));
    hw_json_double(json, "objects_per_second", ignored->objects_per_second);
    hw_json_double(json, "bytes_per_second", ignored->bytes_per_second);
    hw_json_end(json);
}

static void diagnosis_json(struct hw_out *out, const struct hw_facts *facts,
                           const struct hw_diagnosis *diagnosis)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_json_string(&json, "verdict", hw_verdict_name(diagnosis->verdict));
    hw_json_string(&json, "answer", diagnosis->answer);
    strings_json(&json, "doubts", diagnosis->doubts, diagnosis->doubt_count);
    hw_shots_json(&json, facts, diagnosis->shots, diagnosis->shot_count);
    hw_json_array(&json, "suspects");
    for (size_t i = 0; i < diagnosis->suspect_count; i++)
        suspect_json(&json, &diagnosis->suspects[i]);
    hw_json_end(&json);
    hw_json_array(&json, "ignored");
    for (size_t i = 0; i < diagnosis->ignored_count; i++)
        ignored_json(&json, &diagnosis->ignored[i]);
    hw_json_end(&json);
    strings_json(&json, "unused_rules", diagnosis->unused_rules, diagnosis->unused_rule_count);
    hw_json_end(&json);
}

void hw_tell_diagnosis(struct hw_out *out, const struct hw_facts *facts,
                       const struct hw_diagnosis *diagnosis)
{
    if (out->json)
        diagnosis_json(out, facts, diagnosis);
    else
        diagnosis_text(out, facts, diagnosis);
}
