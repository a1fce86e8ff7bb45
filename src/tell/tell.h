/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_TELL_H
#define HW_TELL_TELL_H

/*
 * The views: each takes the result of one question and writes it to out, as text or, when out->json
 * is set, as JSON (docs/json.md). Nothing is computed here. A write error stays in out.
 *
 * limit is the most rows of a list to show; 0: all.
 */

#include "heapwhy.h"
#include "tell/out.h"

enum hw_types_sort { HW_SORT_BYTES, HW_SORT_COUNT, HW_SORT_NAME };

/* Sorts types->rows. */
void hw_tell_types(struct hw_out *out, const struct hw_facts *facts, struct hw_types *types,
                   enum hw_types_sort sort, size_t limit);

void hw_tell_diff(struct hw_out *out, const struct hw_diff *diff, size_t limit);

/* question: what the user wrote; total: how many objects match it, of which count are told. */
struct hw_match {
    const char *question;
    uint64_t total;
    size_t count;
};
void hw_tell_holders(struct hw_out *out, const struct hw_graph *graph, const struct hw_match *match,
                     struct hw_holders *const *holders);
/* question: what the user wrote */
enum hw_merged_kind { HW_MERGED_PATHS, HW_MERGED_OWNERS };
void hw_tell_merged(struct hw_out *out, const struct hw_facts *facts, const char *question,
                    enum hw_merged_kind kind, const struct hw_merged *merged);
void hw_tell_objects(struct hw_out *out, const struct hw_graph *graph, const struct hw_match *match,
                     struct hw_object *const *objects);

/* limit: of each of the three lists. */
void hw_tell_retained(struct hw_out *out, const struct hw_facts *facts,
                      const struct hw_retained *retained, size_t limit);
void hw_tell_weighing(struct hw_out *out, const struct hw_graph *graph,
                      const struct hw_match *match, const struct hw_weighing *weighing,
                      size_t limit);
void hw_tell_tree(struct hw_out *out, const struct hw_facts *facts, const struct hw_branch *branch);
void hw_tell_cycles(struct hw_out *out, const struct hw_graph *graph,
                    const struct hw_cycles *cycles);

void hw_tell_resources(struct hw_out *out, const struct hw_resources *resources, size_t limit);
/* resources: those that growth was made of. */
void hw_tell_resources_growth(struct hw_out *out, struct hw_resources *const *resources,
                              const struct hw_resources_growth *growth, size_t limit);

/* While cycles are watched: the first look, then what is new in each further one. Text only says
 * something when there is something new; JSON is one object a line for each new group. */
void hw_tell_cycle_start(struct hw_out *out, const struct hw_graph *graph,
                         const struct hw_cycles *cycles);
void hw_tell_cycle_news(struct hw_out *out, const struct hw_graph *graph, uint64_t look,
                        double seconds, const struct hw_cycle_news *news, size_t count);

/* facts: of the last snapshot. */
void hw_tell_diagnosis(struct hw_out *out, const struct hw_facts *facts,
                       const struct hw_diagnosis *diagnosis);

/* limit: of the details of each part, and of sizes of blocks. */
void hw_tell_memory(struct hw_out *out, const struct hw_facts *facts,
                    const struct hw_memory *memory, size_t limit);

/* watched: NULL when nobody watched. */
void hw_tell_gc(struct hw_out *out, const struct hw_facts *facts, const struct hw_gc *gc,
                const struct hw_gc_watched *watched, size_t limit);

/* facts: of the last look. */
void hw_tell_audit(struct hw_out *out, const struct hw_facts *facts, const struct hw_audit *audit,
                   size_t limit);

void hw_tell_sites(struct hw_out *out, const struct hw_sites *sites, size_t limit);

enum hw_attach_verb { HW_ATTACH_VERB_ATTACH, HW_ATTACH_VERB_DETACH };
void hw_tell_attached(struct hw_out *out, const struct hw_attached *attached, enum hw_attach_verb verb);
struct hw_allocations_look {
    bool over_time; /* first what was in use over time, as a plot; ascii: as in struct hw_plot_look */
    bool ascii;
};
void hw_tell_allocations(struct hw_out *out, const struct hw_profile *profile,
                         const struct hw_allocations *allocations,
                         const struct hw_allocations_look *look, size_t limit);

/* source: NULL when it is not there. function: only those of this name; NULL: all. all: also functions and lines
 * without numbers. Returns false when there is no such function. */
struct hw_lines_look {
    const struct hw_source *source;
    const char *function;
    bool all;
};
bool hw_tell_lines(struct hw_out *out, const struct hw_profile *profile, const struct hw_lines *lines,
                   const struct hw_lines_look *look);

/* What the frames of a profile's stacks are. Between a module and one that it imports stand six frames of the
 * import system; they are left out unless they are asked for, except where a stack ends in one. */
struct hw_frames_look {
    bool by_function; /* all lines of a function are one */
    bool imports;
};

/* Flame graphs of a profile: a page that is looked at with a browser, or a picture of one measure. */
struct hw_flame_look {
    const char *title;       /* NULL: the command */
    enum hw_measure measure; /* of the page the one that is shown first */
    struct hw_frames_look frames;
};
void hw_tell_flame_html(struct hw_out *out, const struct hw_profile *profile,
                        const struct hw_flame_look *look);
void hw_tell_flame_svg(struct hw_out *out, const struct hw_profile *profile,
                       const struct hw_flame_look *look);

/* What was written to a file of a profile. */
void hw_tell_profile_file(struct hw_out *out, const struct hw_profile *profile, const char *path,
                          uint64_t file_bytes);

/* Profiles for other tools. Collapsed stacks are of one measure, the others have all. */
void hw_tell_collapsed(struct hw_out *out, const struct hw_profile *profile, enum hw_measure measure,
                       const struct hw_frames_look *look);
void hw_tell_speedscope(struct hw_out *out, const struct hw_profile *profile,
                        const struct hw_frames_look *look);
void hw_tell_pprof(struct hw_out *out, const struct hw_profile *profile, const struct hw_frames_look *look);
/* All of it, as it is, in JSON of our own. */
void hw_tell_profile_json(struct hw_out *out, const struct hw_profile *profile);

void hw_tell_snapshot(struct hw_out *out, const struct hw_graph *graph, const char *path,
                      uint64_t file_bytes);
void hw_tell_check(struct hw_out *out, const char *path, const struct hw_check *check);

/* While processes are watched: one line for each event. Text has none for samples; a process that is
 * younger than warm_up_ns is told with the time from which growth counts. */
void hw_tell_watch_event(struct hw_out *out, const struct hw_watch_event *event,
                         int64_t warm_up_ns);
/* "41233 app.py  RSS 182.3 MB  4 threads  12 descriptors", of a sample. */
void hw_tell_watch_state(struct hw_buf *buf, const struct hw_watch_event *event);
/* "memory grows by 1.0 MB/s, ...": what JSON calls the answer. */
void hw_tell_alarm_answer(struct hw_buf *buf, const struct hw_alarm *alarm);

/* What an alarm's diagnosis came to. verdict: "" when there was none; answer then says why. */
struct hw_watch_diagnosis {
    int64_t at_ns;
    const struct hw_watched *process;
    const char *verdict, *answer, *directory;
};
void hw_tell_watch_diagnosis(struct hw_out *out, const struct hw_watch_diagnosis *told);

/* Memory over time. ascii: draw with ASCII alone. */
struct hw_plot_look {
    const char *title; /* of an SVG; NULL: the names of the processes */
    bool ascii;        /* in a terminal */
    bool stacked;      /* in an SVG: processes as areas, one upon the other */
    bool no_functions; /* without calls of functions */
};
void hw_tell_plot(struct hw_out *out, const struct hw_memory_history *history,
                  const struct hw_plot_look *look);
void hw_tell_plot_svg(struct hw_out *out, const struct hw_memory_history *history,
                      const struct hw_plot_look *look);
/* The most memory of each process, of all together, and during each function's calls. */
void hw_tell_plot_peaks(struct hw_out *out, const struct hw_memory_history *history);

/* One line for each object, "type content", in the order of their bytes. Uses at most some 100 MB
 * however large the graph is; what does not fit waits in an unnamed temporary file in $TMPDIR or
 * /tmp. Fails when that file cannot be written or memory runs out. */
bool hw_tell_text(struct hw_out *out, const struct hw_graph *graph, struct hw_err *err);

/* One JSON object a line for each object, in address order. */
bool hw_tell_ndjson(struct hw_out *out, const struct hw_graph *graph, struct hw_err *err);

#endif
