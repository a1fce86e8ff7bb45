/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>

static void put_count(struct hw_buf *text, uint64_t count, const char *one, const char *more)
{
    hw_text_count(text, count);
    hw_buf_puts(text, count == 1 ? one : more);
}

static double rate_of(const struct hw_audit *audit, const struct hw_audit_row *row)
{
    double more = (double)row->references - (double)row->first_references;
    return audit->seconds > 0 ? more / audit->seconds : 0;
}

static size_t growing(const struct hw_audit *audit)
{
    size_t count = 0;
    while (count < audit->row_count && audit->rows[count].grows)
        count++;
    return count;
}

static void put_leak(struct hw_buf *text, const struct hw_audit *audit)
{
    const struct hw_audit_row *row = &audit->rows[0];
    hw_text_escape(text, row->type);
    hw_buf_puts(text, " leaks: references that nothing accounts for went from ");
    hw_text_count(text, row->first_references);
    hw_buf_puts(text, " to ");
    hw_text_count(text, row->references);
    hw_buf_puts(text, ", ");
    hw_text_rate(text, rate_of(audit, row));
    hw_buf_puts(text, "/s: C code takes them and does not give them back");
    if (growing(audit) > 1) {
        hw_buf_puts(text, "; so do ");
        put_count(text, growing(audit) - 1, " other type", " other types");
    }
}

static void put_answer(struct hw_buf *text, const struct hw_audit *audit)
{
    if (audit->leaks) {
        put_leak(text, audit);
    } else if (!audit->objects) {
        hw_buf_puts(text, "every reference is accounted for");
    } else {
        put_count(text, audit->references, " reference", " references");
        hw_buf_puts(text, " to ");
        put_count(text, audit->objects, " object", " objects");
        hw_buf_puts(text, audit->references == 1 ? " is accounted for by nothing that we can see"
                                                 : " are accounted for by nothing that we can see");
        hw_buf_puts(text, audit->looks == 1
                              ? ": forgotten by C code, or kept by it for good; a later look tells"
                              : "; they do not grow, so they are no leak");
    }
}

static void put_rows(struct hw_out *out, const struct hw_audit *audit,
                     const struct hw_audit_row *rows, size_t count)
{
    static const struct hw_column columns[] = {
        {"objects", HW_COLUMN_RIGHT}, {"references", HW_COLUMN_RIGHT}, {"lost", HW_COLUMN_RIGHT},
        {"holding", HW_COLUMN_RIGHT}, {"type", HW_COLUMN_CUT},
    };
    static const struct hw_column with_growth[] = {
        {"objects", HW_COLUMN_RIGHT}, {"first", HW_COLUMN_RIGHT}, {"references", HW_COLUMN_RIGHT},
        {"/s", HW_COLUMN_RIGHT},      {"lost", HW_COLUMN_RIGHT},  {"holding", HW_COLUMN_RIGHT},
        {"type", HW_COLUMN_CUT},
    };
    bool growth = audit->looks > 1;
    struct hw_table table = {.columns = growth ? with_growth : columns,
                             .column_count = growth ? 7 : 5};
    for (size_t i = 0; i < count; i++) {
        hw_text_count(hw_table_cell(&table), rows[i].objects);
        if (growth)
            hw_text_count(hw_table_cell(&table), rows[i].first_references);
        hw_text_count(hw_table_cell(&table), rows[i].references);
        if (growth)
            hw_text_rate(hw_table_cell(&table), rate_of(audit, &rows[i]));
        hw_text_count(hw_table_cell(&table), rows[i].lost);
        hw_text_bytes(hw_table_cell(&table), (double)rows[i].held_bytes);
        hw_text_escape(hw_table_cell(&table), rows[i].type);
    }
    hw_table_finish(&table, out);
}

static void put_list(struct hw_buf *text, const char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hw_buf_puts(text, i ? ", " : "");
        hw_text_escape(text, items[i]);
    }
}

/* What the objects of one type contain, and which modules are near. */
static void put_detail(struct hw_out *out, const struct hw_audit_row *row)
{
    enum { INDENT = 2 };
    struct hw_buf text = {0};
    hw_text_escape(&text, row->type);
    hw_out_printf(out, "\n%s, such as 0x%" PRIx64 "\n", hw_buf_str(&text), row->example_addr);
    hw_buf_clear(&text);
    put_list(&text, row->samples, row->sample_count);
    if (row->sample_count) {
        hw_out_puts(out, "  ");
        hw_out_wrap(out, INDENT, INDENT, hw_buf_str(&text));
    }
    hw_buf_clear(&text);
    hw_buf_puts(&text, "near: ");
    put_list(&text, row->libraries, row->library_count);
    if (row->library_count) {
        hw_out_puts(out, "  ");
        hw_out_wrap(out, INDENT, INDENT, hw_buf_str(&text));
    }
    hw_buf_deinit(&text);
}

/* What only words in C code's memory explain. */
static void put_words(struct hw_buf *text, const struct hw_audit *audit)
{
    enum { TYPES_MAX = 8 };
    put_count(text, audit->word_objects, " object", " objects");
    hw_buf_puts(text, audit->word_objects == 1 ? " has a reference" : " have references");
    hw_buf_puts(text, " that only a word in C code's memory explains: it is kept there, or the word is "
                      "stale: ");
    for (size_t i = 0; i < audit->word_count && i < TYPES_MAX; i++) {
        hw_buf_printf(text, "%s%" PRIu64 " ", i ? ", " : "", audit->words[i].objects);
        hw_text_escape(text, audit->words[i].type);
        if (audit->words[i].grows)
            hw_buf_puts(text, " (growing)");
    }
    hw_buf_puts(text, audit->word_count > TYPES_MAX ? ", ..." : ".");
}

/* Sentences about the rest, one each. */
static void put_rest(struct hw_out *out, const struct hw_audit *audit)
{
    struct hw_buf text = {0};
    hw_out_puts(out, "\n");
    hw_text_count(&text, audit->exact);
    hw_buf_puts(&text, " of ");
    put_count(&text, audit->examined, " count is", " counts are");
    hw_buf_puts(&text, " exact; words in C variables and C memory explain ");
    hw_text_count(&text, audit->by_words);
    hw_buf_puts(&text, " more");
    if (audit->overcounted) {
        hw_buf_puts(&text, "; ");
        hw_text_count(&text, audit->overcounted);
        hw_buf_puts(&text, " have fewer references than we see, which is our mistake, or "
                           "it was frozen between two steps");
    }
    hw_buf_putc(&text, '.');
    hw_out_wrap(out, 0, 0, hw_buf_str(&text));
    if (audit->busy_objects) {
        hw_buf_clear(&text);
        put_count(&text, audit->busy_objects, " object", " objects");
        hw_buf_puts(&text, " may be in use by C code that runs now, as a word on a stack says: ");
        for (size_t i = 0; i < audit->busy_count; i++) {
            hw_buf_printf(&text, "%s%" PRIu64 " ", i ? ", " : "", audit->busy[i].objects);
            hw_text_escape(&text, audit->busy[i].type);
        }
        hw_buf_putc(&text, '.');
        hw_out_wrap(out, 0, 0, hw_buf_str(&text));
    }
    if (audit->word_objects) {
        hw_buf_clear(&text);
        put_words(&text, audit);
        hw_out_wrap(out, 0, 0, hw_buf_str(&text));
    }
    if (audit->unscanned_bytes) {
        hw_buf_clear(&text);
        hw_text_bytes(&text, (double)audit->unscanned_bytes);
        hw_buf_puts(&text, " of C code's memory were too much to look at; what is held there is told "
                           "as unexplained.");
        hw_out_wrap(out, 0, 0, hw_buf_str(&text));
    }
    if (!audit->memory_recorded)
        hw_out_wrap(out, 0, 0,
                    "What C code holds in its own memory was not recorded: the file is from an "
                    "earlier version, or nothing is known of the process's malloc. Most of the "
                    "above may be held there.");
    if (audit->objects && audit->extension_count) {
        hw_buf_clear(&text);
        hw_buf_puts(&text, "Extension modules that are not Python's own: ");
        put_list(&text, audit->extensions, audit->extension_count);
        hw_buf_putc(&text, '.');
        hw_out_wrap(out, 0, 0, hw_buf_str(&text));
    }
    hw_buf_deinit(&text);
}

static void put_next(struct hw_out *out, const struct hw_facts *facts, const struct hw_audit *audit)
{
    if (audit->objects && audit->looks == 1)
        hw_out_printf(out, "To see whether they grow: heapwhy audit %d -n 3\n", facts->pid);
}

static void audit_text(struct hw_out *out, const struct hw_facts *facts,
                       const struct hw_audit *audit, size_t limit)
{
    enum { DETAILS_MAX = 10 };
    struct hw_buf answer = {0};
    size_t shown = hw_parts_limit(audit->row_count, limit);
    hw_parts_facts(out, facts);
    put_answer(&answer, audit);
    hw_out_style(out, HW_STYLE_KEY);
    hw_out_wrap(out, 0, 0, hw_buf_str(&answer));
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_buf_deinit(&answer);
    if (shown) {
        hw_out_puts(out, "\n");
        put_rows(out, audit, audit->rows, shown);
        hw_parts_more(out, 0, shown, audit->row_count);
        for (size_t i = 0; i < shown && i < DETAILS_MAX; i++)
            put_detail(out, &audit->rows[i]);
    }
    put_rest(out, audit);
    put_next(out, facts, audit);
}

static void strings_json(struct hw_json *json, const char *key, const char *const *items,
                         size_t count)
{
    hw_json_array(json, key);
    for (size_t i = 0; i < count; i++)
        hw_json_string(json, NULL, items[i]);
    hw_json_end(json);
}

static void row_json(struct hw_json *json, const struct hw_audit *audit,
                     const struct hw_audit_row *row)
{
    hw_json_object(json, NULL);
    hw_json_string(json, "type", row->type);
    hw_json_u64(json, "objects", row->objects);
    hw_json_u64(json, "references", row->references);
    hw_json_u64(json, "lost", row->lost);
    hw_json_u64(json, "bytes", row->bytes);
    hw_json_u64(json, "held_objects", row->held_objects);
    hw_json_u64(json, "held_bytes", row->held_bytes);
    if (audit->looks > 1) {
        hw_json_u64(json, "first_objects", row->first_objects);
        hw_json_u64(json, "first_references", row->first_references);
        hw_json_double(json, "references_per_second", rate_of(audit, row));
        hw_json_bool(json, "grows", row->grows);
    }
    hw_json_addr(json, "addr", row->example_addr);
    strings_json(json, "samples", row->samples, row->sample_count);
    strings_json(json, "libraries", row->libraries, row->library_count);
    hw_json_end(json);
}

static void short_rows_json(struct hw_json *json, const char *key, const struct hw_audit_row *rows,
                            size_t count, bool growth)
{
    hw_json_array(json, key);
    for (size_t i = 0; i < count; i++) {
        hw_json_object(json, NULL);
        hw_json_string(json, "type", rows[i].type);
        hw_json_u64(json, "objects", rows[i].objects);
        hw_json_u64(json, "references", rows[i].references);
        if (growth) {
            hw_json_u64(json, "first_references", rows[i].first_references);
            hw_json_bool(json, "grows", rows[i].grows);
        }
        hw_json_addr(json, "addr", rows[i].example_addr);
        hw_json_end(json);
    }
    hw_json_end(json);
}

static void audit_json(struct hw_out *out, const struct hw_facts *facts,
                       const struct hw_audit *audit, size_t limit)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_parts_facts_json(&json, "snapshot", facts);
    hw_json_u64(&json, "looks", audit->looks);
    hw_json_double(&json, "seconds", audit->seconds);
    hw_json_bool(&json, "leaks", audit->leaks);
    hw_json_u64(&json, "objects", audit->objects);
    hw_json_u64(&json, "references", audit->references);
    hw_json_u64(&json, "lost", audit->lost);
    hw_json_array(&json, "types");
    for (size_t i = 0; i < hw_parts_limit(audit->row_count, limit); i++)
        row_json(&json, audit, &audit->rows[i]);
    hw_json_end(&json);
    short_rows_json(&json, "busy", audit->busy, audit->busy_count, false);
    short_rows_json(&json, "words", audit->words, audit->word_count, audit->looks > 1);
    hw_json_u64(&json, "unscanned_bytes", audit->unscanned_bytes);
    hw_json_u64(&json, "examined", audit->examined);
    hw_json_u64(&json, "exact", audit->exact);
    hw_json_u64(&json, "by_words", audit->by_words);
    hw_json_u64(&json, "overcounted", audit->overcounted);
    hw_json_bool(&json, "memory_recorded", audit->memory_recorded);
    strings_json(&json, "extensions", audit->extensions, audit->extension_count);
    hw_json_end(&json);
}

void hw_tell_audit(struct hw_out *out, const struct hw_facts *facts, const struct hw_audit *audit,
                   size_t limit)
{
    if (out->json)
        audit_json(out, facts, audit, limit);
    else
        audit_text(out, facts, audit, limit);
}
