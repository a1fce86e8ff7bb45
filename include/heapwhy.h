/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEAPWHY_H
#define HEAPWHY_H

/*
 * heapwhy: why does the memory of a running Python program grow?
 *
 * This is the one public header of libheapwhy. The order of use is
 *
 *     struct hw_err err = HW_ERR_INIT;
 *     struct hw_graph *graph = NULL;
 *     if (!hw_capture(pid, NULL, &graph, &err))
 *         ... err.code, err.msg ...
 *     struct hw_types *types = NULL;
 *     if (hw_types_ask(graph, &types, &err))
 *         ... types->rows[0].name ...
 *     hw_types_destroy(types);
 *     hw_graph_destroy(graph);
 *
 * Conventions that hold for every function:
 *
 * - Functions that can fail return false (or NULL) and fill *err, which may be NULL. Outputs are
 *   named ret..., come before err, and are untouched on failure.
 * - Results of questions are one block each: the strings and arrays in them live until the matching
 *   hw_..._destroy(), and no longer. destroy(NULL) does nothing.
 * - An address in the target is a hw_addr, an integer, never a pointer. Sizes are bytes, times are
 *   nanoseconds, unless the name says otherwise.
 * - A graph is immutable once made: any number of threads may ask it questions at the same time,
 *   except hw_graph_value(), which keeps one cached block and wants one thread at a time.
 * - The library never prints and never exits.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- basic types ---- */

/* An address inside the process under study. */
typedef uint64_t hw_addr;

/* A node of a heap graph: its row number in every column. */
typedef uint32_t hw_id;
#define HW_NONE UINT32_MAX

/* ---- errors ---- */

/* What the user can do about it decides the code. The program exits with status 2 after
 * HW_ERR_USAGE, 1 after all others. */
enum hw_err_code {
    HW_OK = 0,
    HW_ERR_USAGE,       /* the request makes no sense as given */
    HW_ERR_NOT_FOUND,   /* no such process, file or object */
    HW_ERR_NOT_PYTHON,  /* the process has no CPython in it */
    HW_ERR_UNSUPPORTED, /* a CPython, a kernel or an option we do not know */
    HW_ERR_PERMISSION,  /* msg says which right is missing */
    HW_ERR_GONE,        /* the process exited meanwhile */
    HW_ERR_BUSY,        /* somebody else traces the process */
    HW_ERR_IO,          /* the system refused an operation; sys_errno says why */
    HW_ERR_CORRUPT,     /* a file is damaged or truncated */
    HW_ERR_TOO_NEW,     /* a file of a later format version */
    HW_ERR_NO_MEMORY,
    HW_ERR_LIMIT,       /* larger than this version can hold */
    HW_ERR_INTERRUPTED, /* the caller asked to stop (see hw_capture_options.cancel) */
};

/* Lives on the caller's stack. msg is one complete sentence without a final newline: what happened,
 * why, and where possible the command that helps. */
struct hw_err {
    enum hw_err_code code;
    int sys_errno;
    hw_addr addr;
    char msg[600];
};
#define HW_ERR_INIT {HW_OK, 0, 0, ""}

/* ---- capture ---- */

enum hw_freeze {
    HW_FREEZE_TWIN, /* a copy-on-write twin is read; the target goes on after milliseconds */
    HW_FREEZE_STOP, /* the target stands still while its memory is copied */
};

struct hw_capture_options {
    enum hw_freeze freeze;
    bool no_values;    /* leave the contents of strings, numbers and bytes out */
    unsigned retries;  /* how often to let go and try again when the collector runs; 0 = default (50) */
    /* How long to wait at most for a moment at which no thread runs Python code: what is half done
     * then is not in the snapshot. 0: take what comes. */
    int64_t patience_ns;
    /* Called from time to time with a stage name and done/total (total 0: unknown). May be NULL. */
    void (*progress)(void *ctx, const char *stage, uint64_t done, uint64_t total);
    void *progress_ctx;
    /* Polled often; when it becomes non-zero the capture cleans up and fails with
     * HW_ERR_INTERRUPTED. May be NULL. Safe to set from a signal handler. */
    const volatile int *cancel;
};

struct hw_graph;

/* Freezes process pid, reads its whole object graph, lets it go. opts may be NULL.
 * The caller owns *ret_graph. */
bool hw_capture(pid_t pid, const struct hw_capture_options *opts, struct hw_graph **ret_graph,
                struct hw_err *err);

/* Our own process, seen from inside. While it is held, nobody may change objects: with CPython, whoever
 * holds its global lock. */
struct hw_self_options {
    struct hw_capture_options capture; /* freeze: HW_FREEZE_TWIN reads a copy-on-write copy of this
                                          process; HW_FREEZE_STOP copies its memory while it is held.
                                          Where no copy can be made, it is done by the latter;
                                          hw_facts.freeze says what was done */
    /* Called in turns, hold first, on the calling thread: once each, or several times when the collector
     * runs. Between them lies the pause. NULL: the caller holds it throughout. */
    void (*hold)(void *ctx);
    void (*release)(void *ctx);
    void *hold_ctx;
    /* A package that is left out of the graph with all that only it holds: its modules, what it made of
     * its own types, its running frames. What it refers to besides is held by a synthetic node of that
     * name, HW_SYN_C_GLOBALS. NULL: nothing is left out. */
    const char *own_package;
};

/* As hw_capture(), of the calling process. opts may be NULL. Nothing is traced and no right is needed.
 * The program notices nothing: no SIGCHLD, no child that wait() tells of, no fork handlers. */
bool hw_capture_self(const struct hw_self_options *opts, struct hw_graph **ret_graph,
                     struct hw_err *err);

/* ---- snapshot files (docs/snapshot-format.md) ---- */

/* Writes graph to path, mode 0600. The file takes its name when it is complete and synced; until
 * then it has none, so that nothing is left behind on any failure, or when the caller is killed.
 * Where the file system knows no files without a name, it is a temporary file in the same
 * directory, which is removed on any failure. */
bool hw_snapshot_save(const struct hw_graph *graph, const char *path, struct hw_err *err);

/* Loads a whole file. The caller owns *ret_graph. */
bool hw_snapshot_load(const char *path, struct hw_graph **ret_graph, struct hw_err *err);

/* Reads only the facts of a file. */
struct hw_facts;
bool hw_snapshot_facts(const char *path, struct hw_facts *ret_facts, struct hw_err *err);

/* One row for every chunk that hw_snapshot_check() met. */
struct hw_chunk_row {
    char name[16];        /* the chunk's tag, printable */
    uint64_t offset;      /* of the chunk in the file */
    uint64_t file_bytes;  /* as stored */
    uint64_t raw_bytes;   /* unpacked */
    bool known;           /* false: this reader skips it */
};
struct hw_check {
    unsigned version;     /* format version of the file */
    uint64_t file_bytes;
    uint32_t objects;
    uint64_t edges;
    struct hw_chunk_row *chunks;
    size_t chunk_count;
};

/* Reads every byte of the file, verifies every checksum and every cross reference.
 * Fails with HW_ERR_CORRUPT at the first thing that is wrong, naming chunk and offset. */
bool hw_snapshot_check(const char *path, struct hw_check **ret_check, struct hw_err *err);
void hw_check_destroy(struct hw_check *check);

/* ---- the graph ----
 *
 * Nodes [0, object_count) are objects in increasing address order. Nodes [object_count, node_count)
 * are synthetic: the root, interpreters, threads, running frames, C globals, native stacks. The
 * last node is the root of everything; every synthetic node is reached from it.
 */

enum hw_node_flag {
    HW_NODE_TRACKED = 1 << 0,      /* on one of the collector's lists */
    HW_NODE_FROZEN = 1 << 1,       /* on the permanent list (gc.freeze) */
    HW_NODE_GEN1 = 1 << 2,         /* generation 1; neither bit: 0, or not tracked */
    HW_NODE_GEN2 = 1 << 3,
    HW_NODE_STATIC = 1 << 4,       /* inside a mapped file: refcount means nothing */
    HW_NODE_IMMORTAL = 1 << 5,
    HW_NODE_INFERRED = 1 << 6,     /* layout not known: edges found by scanning its words */
    HW_NODE_DAMAGED = 1 << 7,      /* some of it could not be read or made no sense */
    HW_NODE_FINALIZED = 1 << 8,    /* its finalizer has already run */
    HW_NODE_SYNTHETIC = 1 << 9,
    HW_NODE_TYPE = 1 << 10,        /* is a type object */
    HW_NODE_LEAF = 1 << 11,        /* str, int, float, bytes and the like: holds nothing */
    HW_NODE_NEWEST = 1 << 12,      /* among the last 128 that the collector began to track */
    HW_NODE_DELETES = 1 << 13,     /* code: it contains del x[...] */
    HW_NODE_STORES = 1 << 14,      /* code: it contains x[...] = ... */
    HW_NODE_LOST = 1 << 15,        /* alive in an allocator's memory, and nothing leads to it but
                                      others of its kind and perhaps a word on a C stack; no word of
                                      C code's memory either */
};

/* How to name an edge. The top four bits of a label are the kind, the rest is its payload. */
enum hw_label_kind {
    HW_LABEL_ATTR,     /* payload: string. Python spells it .name */
    HW_LABEL_INDEX,    /* payload: index. Python spells it [3] */
    HW_LABEL_KEY,      /* payload: entry number. The key object of a dict */
    HW_LABEL_VALUE,    /* payload: entry number. The value; its key is the target of the edge
                          just before it, which has kind HW_LABEL_KEY */
    HW_LABEL_NAMED,    /* payload: string. The value of a dict whose keys are shared: ['name'] */
    HW_LABEL_MEMBER,   /* payload: table slot. A member of a set */
    HW_LABEL_LOCAL,    /* payload: string. A local variable of a frame, generator or coroutine */
    HW_LABEL_STACK,    /* payload: slot. The operand stack of a frame */
    HW_LABEL_TYPE,     /* the object's type */
    HW_LABEL_INTERNAL, /* payload: string. A C field no Python expression reaches */
    HW_LABEL_WORD,     /* payload: byte offset. Inferred by scanning: maybe not an edge at all */
    HW_LABEL_ROOT,     /* payload: string. From a synthetic node */
    HW_LABEL_HIDDEN,   /* payload: string. A reference the collector does not know of: owned by the
                          object, but not visited by its type */
};
#define HW_LABEL_SHIFT 28
#define HW_LABEL_PAYLOAD 0x0fffffffu /* also the payload of anything larger */

static inline enum hw_label_kind hw_label_kind(uint32_t label)
{
    return (enum hw_label_kind)(label >> HW_LABEL_SHIFT);
}
static inline uint32_t hw_label_payload(uint32_t label)
{
    return label & HW_LABEL_PAYLOAD;
}

struct hw_edge {
    hw_id to;
    uint32_t label;
};

enum hw_synthetic_kind {
    HW_SYN_ROOT,         /* of everything; always the last node */
    HW_SYN_INTERPRETER,
    HW_SYN_THREAD,
    HW_SYN_FRAME,        /* a running frame: its locals are edges of kind HW_LABEL_LOCAL */
    HW_SYN_STATIC_TYPES, /* types in C data: immortal */
    HW_SYN_C_GLOBALS,    /* one for each mapped library; name is its file name */
    HW_SYN_NATIVE_STACK, /* words found on one thread's C stack, in its registers, and on the operand
                            stacks of its frames that called into C */
};
struct hw_synthetic {
    enum hw_synthetic_kind kind;
    const char *name; /* function's qualified name, thread name, library's file name */
    const char *file; /* frames: co_filename; libraries: path; else "" */
    uint32_t line;    /* frames: co_firstlineno */
    int32_t tid;      /* threads, frames, native stacks; else 0 */
    uint32_t depth;   /* frames: 0 is the innermost */
};

/* A type, met as the type of some node or as an object itself. */
struct hw_type {
    const char *name;      /* type(o).__module__ + '.' + __qualname__, without 'builtins.' */
    hw_id node;            /* the type object, or HW_NONE for the types of synthetic nodes */
    uint32_t basicsize;
    uint32_t flags;        /* enum hw_type_flag */
};
enum hw_type_flag {
    HW_TYPE_HEAP = 1 << 0,      /* made at run time: by a class statement or an extension's spec */
    HW_TYPE_GC = 1 << 1,
    HW_TYPE_BUILTIN = 1 << 2,   /* lives in the interpreter or the standard library's C code */
    HW_TYPE_HAS_DEL = 1 << 3,   /* __del__ (tp_finalize of a Python class) */
    HW_TYPE_PYTHON = 1 << 4,    /* made by a class statement: its instances have Python code */
    HW_TYPE_SYNTHETIC = 1 << 5,
    HW_TYPE_DICT = 1 << 6,      /* dict or a subclass; likewise below */
    HW_TYPE_LIST = 1 << 7,
    HW_TYPE_TUPLE = 1 << 8,
    HW_TYPE_SET = 1 << 9,
    HW_TYPE_STR = 1 << 10,
    HW_TYPE_INT = 1 << 11,
    HW_TYPE_FLOAT = 1 << 12,
    HW_TYPE_BYTES = 1 << 13,
    HW_TYPE_TYPE = 1 << 14,
    HW_TYPE_MODULE = 1 << 15,
    HW_TYPE_FUNCTION = 1 << 16,
    HW_TYPE_CODE = 1 << 17,
    HW_TYPE_FRAME = 1 << 18,
    HW_TYPE_TRACEBACK = 1 << 19,
    HW_TYPE_GENERATOR = 1 << 20, /* generator, coroutine or asynchronous generator */
    HW_TYPE_METHOD = 1 << 21,
    HW_TYPE_CELL = 1 << 22,
    HW_TYPE_DEQUE = 1 << 23,
    HW_TYPE_EXCEPTION = 1 << 24,
    HW_TYPE_WEAKREF = 1 << 25,
    HW_TYPE_LEGACY_DEL = 1 << 26, /* tp_del, of a C type or inherited from one: the collector frees no
                                     garbage of it, nor what that reaches */
};

/* What the collector has counted for one generation: an item of gc.get_stats(). */
struct hw_gc_stats {
    uint64_t collections, collected, uncollectable;
};

/* Who has written down in the process where its memory was allocated. */
enum hw_alloc_source {
    HW_ALLOC_NOT_RECORDED, /* the file is from before this was looked at */
    HW_ALLOC_NOBODY,
    HW_ALLOC_TRACEMALLOC,
    HW_ALLOC_UNREADABLE,   /* tracemalloc, but its tables were not found or are damaged */
    HW_ALLOC_AGENT,        /* heapwhy's own agent (run, attach): counts are estimates from samples */
};

/* What is known about the moment of capture. The collector is that of the main interpreter. */
struct hw_facts {
    int32_t pid;
    uint64_t start_time;        /* of the process, clock ticks since boot: with pid an identity */
    int64_t taken_at_ns;        /* wall clock, since 1970 */
    int64_t uptime_ns;          /* of the process when it was frozen */
    int64_t pause_ns;           /* how long it stood still */
    int64_t capture_ns;         /* from start to the finished graph */
    int64_t busy_ns;            /* so long its main thread ran or was ready to run; 0: not known */
    uint64_t rss_bytes;         /* of the target, just before the freeze */
    uint32_t python_version;    /* PY_VERSION_HEX */
    uint32_t freeze;            /* enum hw_freeze */
    uint32_t collector_running; /* 1: frozen in the middle of a collection; counts may be short */
    uint32_t gc_enabled;
    uint32_t gc_threshold[3];
    uint32_t gc_count[3];
    uint32_t gc_recorded;       /* 1: the fields gc_... below are; files of format 1.0 lack them */
    uint32_t gc_debug;          /* bits as in gc.get_debug() */
    uint64_t gc_objects[4];     /* on the lists of generations 0, 1, 2 and the permanent one */
    struct hw_gc_stats gc_stats[3];
    uint64_t gc_long_lived_total;   /* survivors of the last full collection; */
    uint64_t gc_long_lived_pending; /* what came into generation 2 since */
    uint32_t retries;           /* times the target was let go again before this freeze */
    uint64_t bad_pointers;      /* read from the target and not believed */
    uint64_t damaged_objects;
    uint64_t target_bytes_read;
    char executable[256];
    char main_script[256];      /* sys.argv[0] or "" */
    uint32_t system_recorded;   /* 1: descriptors, threads and children are there; since format 1.3 */
    uint64_t descriptor_total;  /* open, also those beyond what a graph keeps (262,144) */
    uint64_t descriptor_limit;  /* how many the process may have (RLIMIT_NOFILE); 0: not known */
    uint64_t unscanned_bytes;   /* of C code's memory that was too much to be searched for references */
    uint32_t alloc_source;      /* enum hw_alloc_source; since format 1.4 */
    uint32_t alloc_frames;      /* most frames of an allocation's stack that were kept; 0: not known */
    uint64_t alloc_missed;      /* blocks whose allocation could not be read */
    uint64_t alloc_rate;        /* of samples: one for so many bytes; 0: every block is known */
    uint64_t alloc_samples;     /* that are known and still in use; 0 without alloc_rate */
    int64_t alloc_began_ns;     /* what was allocated before has no site; since 1970; 0: not known */
};

void hw_graph_destroy(struct hw_graph *graph);
/* One more owner, who calls hw_graph_destroy(), too; the last one frees it. Returns graph. */
struct hw_graph *hw_graph_share(struct hw_graph *graph);
uint32_t hw_graph_node_count(const struct hw_graph *graph);
uint32_t hw_graph_object_count(const struct hw_graph *graph);
uint64_t hw_graph_edge_count(const struct hw_graph *graph);
uint64_t hw_graph_bytes(const struct hw_graph *graph); /* sum of all objects' sizes */
const struct hw_facts *hw_graph_facts(const struct hw_graph *graph);

hw_addr hw_graph_addr(const struct hw_graph *graph, hw_id id); /* 0 for synthetic nodes */
hw_id hw_graph_find(const struct hw_graph *graph, hw_addr addr); /* HW_NONE: no object starts there */
uint64_t hw_graph_size(const struct hw_graph *graph, hw_id id);  /* as sys.getsizeof; 0: synthetic */
/* Bytes outside the object that belong to it and that hw_graph_size() does not contain: the memory
 * of an mmap, of ctypes data, of a libxml2 document under an lxml proxy. 0 for nearly every object.
 * What sys.getsizeof() counts (bytearray, array, a numpy array that owns its data) is not here, and
 * a view owns nothing, so that sums over objects count no byte twice. All of a mapping counts,
 * touched or not; a mapped file's pages may be the page cache's. Trees of nodes are an estimate from
 * below (structures and texts, without malloc's overhead); so is the buffer of an exporter whose
 * layout is not known (a capsule, a tensor): the union of what numpy arrays and memoryviews show of
 * it. */
uint64_t hw_graph_native(const struct hw_graph *graph, hw_id id);
uint64_t hw_graph_native_bytes(const struct hw_graph *graph); /* sum of all objects' */
uint32_t hw_graph_refcount(const struct hw_graph *graph, hw_id id); /* saturates at UINT32_MAX */
uint32_t hw_graph_flags(const struct hw_graph *graph, hw_id id);    /* enum hw_node_flag */
uint32_t hw_graph_type_count(const struct hw_graph *graph);
uint32_t hw_graph_type_index(const struct hw_graph *graph, hw_id id);
const struct hw_type *hw_graph_type(const struct hw_graph *graph, uint32_t type_index);
const struct hw_synthetic *hw_graph_synthetic(const struct hw_graph *graph, hw_id id); /* or NULL */

/* How old an object is among all that the collector tracks: 1 for the oldest 255th, 255 for the
 * youngest, 0 when it is not known (not tracked, static, synthetic, or the file has no ages). It is
 * the place in the collector's lists, permanent and oldest generation first, so about the order in
 * which objects were made; not a time. What bends it:
 * - A collection moves what lies before all its holders behind the rest of what it looks at
 *   (CPython move_unreachable()). In young generations that is a shift among a few hundred objects.
 *   A full collection, gc.collect() too, can make an old object look as young as the youngest that
 *   survived it, and the others older by as much.
 * - Dicts and tuples that hold nothing to track leave the lists; a dict that comes back is at the
 *   end, like a new one.
 * - gc.freeze() puts generation 0 before 1 before 2; gc.unfreeze() puts all that behind
 *   generation 2.
 * - Each interpreter has lists of its own, ranked by themselves.
 * For an object that is not tracked ask a tracked one that holds it: it is mostly about as old, but
 * what a long-lived container holds may be younger. */
unsigned hw_graph_age(const struct hw_graph *graph, hw_id id);

/* The edges that leave id, in the order in which the object holds them. */
uint32_t hw_graph_degree(const struct hw_graph *graph, hw_id id);
struct hw_edge hw_graph_edge(const struct hw_graph *graph, hw_id id, uint32_t n);

/* The string a label's payload names; "" when out of range. */
const char *hw_graph_string(const struct hw_graph *graph, uint32_t payload);

/* The content of a leaf, or a short description of another object, as text: 'abc', 42, 3.5, b'\x00',
 * maxlen=100, serve app.py:12; at line 30. What code compares lengths with follows likewise:
 * Cache.put app.py:9; len(self.entries) > self.limit. Bounded; ends in an ellipsis when cut. Writes
 * a terminated string into buf and returns its length, 0 when nothing is recorded. */
size_t hw_graph_value(const struct hw_graph *graph, hw_id id, char *buf, size_t buf_bytes);

/* ---- question: types ---- */

struct hw_type_row {
    const char *name;
    uint64_t count;
    uint64_t bytes;
    uint64_t native_bytes;    /* hw_graph_native() of them */
    uint32_t type_index;
};
struct hw_types {
    struct hw_type_row *rows; /* by bytes with native_bytes, largest first; equal names merged */
    size_t row_count;
    uint64_t count, bytes, native_bytes; /* of all objects */
};
bool hw_types_ask(const struct hw_graph *graph, struct hw_types **ret_types, struct hw_err *err);
void hw_types_destroy(struct hw_types *types);

/* ---- question: objects and expressions ---- */

/* Resolves what a user wrote: 0x7f..., an expression such as sys.modules['app'].hub._x[3], a path
 * as hw_chain prints it, or a type name (then: some live instances, most deeply held first are not
 * promised). Writes at most max ids; *ret_count is the number that match in all.
 * Fails with HW_ERR_NOT_FOUND, naming the part of the expression that does not exist. */
bool hw_object_resolve(const struct hw_graph *graph, const char *text, hw_id *ids, size_t max,
                       size_t *ret_count, struct hw_err *err);

/* ---- question: holders ---- */

/* One hop of a chain: from the holder before it to node. */
struct hw_step {
    hw_id node;
    hw_addr addr;
    const char *edge;  /* how the node before holds this one: .hub  ['user-1']  [3]  local sessions */
    const char *type;  /* of node, qualified */
    const char *what;  /* one line about node: a function with file and line, a frame, a value */
    bool inferred;     /* the edge was found by scanning words */
};
struct hw_chain {
    const char *path;       /* the last step as one Python expression */
    struct hw_step *steps;  /* from a root to the object */
    size_t step_count;
    uint32_t cost;          /* lower is more telling */
};
struct hw_holders {
    hw_id target;
    struct hw_chain *chains; /* best first */
    size_t chain_count;
    uint64_t referrer_count; /* objects that refer to the target directly */
    bool garbage;            /* no root reaches it, and the collector would free it */
};
/* At most max_chains chains, each through a different direct referrer. */
bool hw_holders_ask(const struct hw_graph *graph, hw_id id, size_t max_chains,
                    struct hw_holders **ret_holders, struct hw_err *err);
void hw_holders_destroy(struct hw_holders *holders);

/* ---- questions: merged paths, owners ---- */

/* Many objects, brought together by where they are. */
struct hw_merged_row {
    const char *path;
    const char *holder;    /* type of what holds, or owns, them there; "" for nobody in particular */
    bool shared;           /* owners only: no single owner */
    uint64_t count, bytes; /* of the objects themselves */
    hw_id example;         /* one of them */
    hw_addr example_addr;
};
struct hw_merged {
    struct hw_merged_row *rows;  /* most bytes first */
    size_t row_count;
    uint64_t place_count;        /* also those without a row */
    uint64_t count, bytes;       /* of all objects asked about */
    uint64_t rest_count, rest_bytes;     /* at places without a row */
    uint64_t unheld_count, unheld_bytes; /* no root reaches them */
    uint64_t garbage_count, garbage_bytes; /* of these, what the collector would free */
};
void hw_merged_destroy(struct hw_merged *merged);

/* By the shape of the most telling path to each, sys.modules['app'].hub._subscribers[*].conn:
 * indices and keys read [*], steps that repeat are folded (.next+), functions go by name and file.
 * At most max_rows rows; 0: all. Linear in the graph. */
bool hw_paths_ask(const struct hw_graph *graph, const hw_id *ids, size_t count, size_t max_rows,
                  struct hw_merged **ret_merged, struct hw_err *err);

/* By who owns each: without the owner it would be gone. Containers and objects of libraries are
 * passed over until an object of one of the program's classes, app.Session.headers; a name in one of
 * its modules, sys.modules['app'].cache; a class; a local variable of a function,
 * <main() at app.py>.rows; a thread. Where the program has no part in it, the owner is the nearest
 * of a library. What several own together is shared: path is then what they share, or "". */
bool hw_owners_ask(const struct hw_graph *graph, const hw_id *ids, size_t count, size_t max_rows,
                   struct hw_merged **ret_merged, struct hw_err *err);

/* ---- question: one object ---- */

struct hw_link {
    hw_id node;
    hw_addr addr;
    const char *edge; /* as in hw_step */
    const char *type;
    const char *value; /* content, bounded; "" when none */
    bool inferred;
};
struct hw_object {
    hw_id id;
    hw_addr addr;
    const char *type;
    uint64_t size, native_bytes;
    uint32_t refcount, flags;
    const char *value;
    const char *path;          /* best chain's expression, "" when no root reaches it */
    struct hw_link *referents; /* at most max_links each */
    size_t referent_count;
    uint64_t referent_total;
    struct hw_link *referrers;
    size_t referrer_count;
    uint64_t referrer_total;
};
bool hw_object_ask(const struct hw_graph *graph, hw_id id, size_t max_links,
                   struct hw_object **ret_object, struct hw_err *err);
void hw_object_destroy(struct hw_object *object);

/* ---- question: the collector ---- */

enum hw_gc_condition {
    HW_GC_ON,
    HW_GC_OFF,            /* gc.disable() */
    HW_GC_THRESHOLD_ZERO, /* enabled, but the first threshold is 0: never by itself */
    HW_GC_RARE,           /* the thresholds are so high that no full collection comes by itself */
    HW_GC_HELD_BACK,      /* a full collection is due, but too little is new: see full_held_back */
};
struct hw_gc {
    enum hw_gc_condition condition;
    const char *answer;  /* one sentence */
    const char *debug;   /* DEBUG_SAVEALL|DEBUG_STATS, "" when none is set */
    uint64_t full_after; /* containers made and not freed from one full collection to the next, at
                            least; 0: it never comes by itself */
    /* Generation 2 is over its threshold, but not collected before gc_long_lived_pending is a
     * quarter of gc_long_lived_total (CPython Modules/gcmodule.c, gc_collect_generations()). */
    bool full_held_back;
    struct hw_type_row *garbage; /* what gc.garbage holds directly, by bytes, largest first */
    size_t garbage_row_count;
    uint64_t garbage_count, garbage_bytes;
    uint64_t callback_count; /* len(gc.callbacks) */
    /* What gc.collect() would find now; with DEBUG_SAVEALL it would put that into gc.garbage. Bytes
     * here are those of objects with the memory outside of them. */
    uint64_t free_objects, free_bytes;
};
/* The state itself is in the graph's facts. */
bool hw_gc_ask(const struct hw_graph *graph, struct hw_gc **ret_gc, struct hw_err *err);
void hw_gc_destroy(struct hw_gc *gc);
const char *hw_gc_condition_name(enum hw_gc_condition condition); /* on, off, threshold-zero, ... */

/* CPython up to 3.14 does not record when it collected. So a running process is looked at again and
 * again; it is not stopped, and only the collector's counters are read. */
struct hw_gc_watch;
struct hw_gc_seen {
    uint64_t collections, collected; /* since the watch began */
    int64_t ago_ns; /* the last collection ended at most so long ago; -1: none was seen */
};
struct hw_gc_watched {
    int64_t watched_ns;
    struct hw_gc_seen generations[3]; /* a collection counts for the oldest one it took */
};
/* Finds the collector of process pid. Errors as of hw_capture(). */
bool hw_gc_watch_create(pid_t pid, struct hw_gc_watch **ret_watch, struct hw_err *err);
/* Looks once, some microseconds; ago_ns is as exact as the looks are close. */
bool hw_gc_watch_look(struct hw_gc_watch *watch, struct hw_gc_watched *ret_watched,
                      struct hw_err *err);
void hw_gc_watch_destroy(struct hw_gc_watch *watch);
/* ---- question: retained sizes ----
 *
 * What an object retains is what would be freed if nothing referred to it: itself, and everything
 * that is reached through it alone (in the dominator tree of the whole graph: its subtree). Exact;
 * all references count, weak ones are none. What no root reaches retains nothing here and is summed
 * up apart. All bytes are hw_graph_size() and hw_graph_native() together.
 */

struct hw_retained_object {
    struct hw_step step;       /* edge: how its owner holds it; "" when in several ways */
    const char *path;          /* best chain's expression; "" when none */
    uint64_t bytes;            /* its own, native memory included */
    uint64_t retained_bytes;
    uint64_t retained_objects; /* itself included */
};
struct hw_retained_type {
    const char *name;
    uint64_t objects, bytes; /* of this type, reached from a root */
    /* With all that they retain; objects below one of the same type are not counted again. */
    uint64_t retained_bytes, retained_objects;
};
enum hw_place_kind {
    HW_PLACE_MODULE,       /* a module or its namespace */
    HW_PLACE_FRAME,        /* a running frame: its local variables */
    HW_PLACE_THREAD,
    HW_PLACE_C_GLOBALS,    /* variables of a library */
    HW_PLACE_NATIVE_STACK,
    HW_PLACE_STATIC_TYPES,
    HW_PLACE_MODULES,      /* sys.modules: what several modules share */
    HW_PLACE_INTERPRETER,
    HW_PLACE_ROOT,         /* what several of all these share */
};
/* Every object that a root reaches is charged to one place: the nearest that dominates it. */
struct hw_retained_place {
    enum hw_place_kind kind;
    const char *name;
    hw_id node;
    uint64_t objects, bytes;
};
struct hw_retained {
    uint64_t objects, bytes;                     /* all */
    uint64_t unreached_objects, unreached_bytes; /* of them, those no root reaches */
    /* Most retained first, without edges. Modules, namespaces and instances' dicts are left out, and
     * what is of its owner's type and retains nearly as much (the second link of a list). */
    struct hw_retained_object *rows;
    size_t row_count;
    struct hw_retained_type *types; /* most retained first; equal names merged */
    size_t type_count;
    struct hw_retained_place *places; /* most bytes first */
    size_t place_count;
};
/* At most max_rows objects. */
bool hw_retained_ask(const struct hw_graph *graph, size_t max_rows, struct hw_retained **ret_retained,
                     struct hw_err *err);
void hw_retained_destroy(struct hw_retained *retained);

/* One object: what it retains, by type, and who owns it. */
struct hw_weighed {
    struct hw_retained_object object; /* retains nothing when no root reaches it */
    bool reached;
    struct hw_retained_type *types; /* of what it retains, most bytes first */
    size_t type_count;
    struct hw_retained_object *owners; /* nearest first, without paths; the root is left out */
    size_t owner_count;
    uint64_t owner_total;
};
/* One result for count objects. At most max_owners owners each. */
struct hw_weighing {
    struct hw_weighed *objects;
    size_t object_count;
};
bool hw_weighing_ask(const struct hw_graph *graph, const hw_id *ids, size_t count,
                     size_t max_owners, struct hw_weighing **ret_weighing, struct hw_err *err);
void hw_weighing_destroy(struct hw_weighing *weighing);

/* The dominator tree from one node on, largest first. */
struct hw_branch {
    struct hw_retained_object object; /* without path, but for the first */
    struct hw_branch *children;       /* those that are shown, most retained first */
    size_t child_count;
    uint64_t rest_count, rest_bytes, rest_objects; /* other children, and all they retain */
    /* How many of the rest are of one type: if one is that of more than half of all children, then
     * that one; otherwise any. NULL where nobody looked for children. */
    const char *rest_type;
    uint64_t rest_type_count;
};
struct hw_branch_options {
    size_t depth;       /* levels below the node; those at the last level have no children */
    size_t limit;       /* most children of one branch */
    double least_share; /* children that retain less of what the node does belong to the rest */
};
/* id HW_NONE: the root. Fails with HW_ERR_USAGE when no root reaches the node, and with
 * HW_ERR_LIMIT after a million branches. */
bool hw_branch_ask(const struct hw_graph *graph, hw_id id, const struct hw_branch_options *options,
                   struct hw_branch **ret_branch, struct hw_err *err);
void hw_branch_destroy(struct hw_branch *branch);
/* ---- question: cycles ----
 *
 * What gc.collect() would find, without running it: the garbage, and the cycles in it. A component is
 * a largest set of objects of which each leads to each; components that consist of the same
 * references, by type and attribute, are one group. All bytes are those of objects with the memory
 * outside of them: hw_graph_size() and hw_graph_native(). */

enum hw_cycle_kind {
    HW_CYCLE_OBJECTS,       /* instances that refer to each other */
    HW_CYCLE_SELF,          /* one object that refers to itself */
    HW_CYCLE_CONTAINER,     /* nothing but lists, dicts and the like */
    HW_CYCLE_BOUND_METHODS, /* an object that keeps its own bound methods */
    HW_CYCLE_CLOSURE,       /* a function that sees itself through a cell */
    HW_CYCLE_EXCEPTION,     /* exception, traceback, frame, and a local that leads back */
    HW_CYCLE_FRAME,         /* a frame that is kept by what its locals hold */
    HW_CYCLE_GENERATOR,     /* a generator or coroutine that its own locals keep */
    HW_CYCLE_CLASS,         /* a class: these always are cycles */
    HW_CYCLE_MODULE,
};

/* A place in the program: all references that one attribute, local or container makes. */
struct hw_cycle_break {
    const char *place;  /* app.OrderLine.order; app.Hub.handlers[...]; error of f() at app.py:3 */
    const char *advice; /* one sentence in the program's own names */
    uint32_t references; /* that the place makes in the example */
};
struct hw_cycle_group {
    uint64_t signature; /* the same in every run and for every process */
    enum hw_cycle_kind kind;
    bool kept;          /* gc.garbage holds it, so that no collection frees it */
    bool uncollectable; /* it has legacy finalizers or is held by garbage that has: likewise */
    uint64_t components;
    uint64_t objects, bytes;           /* in the cycles */
    uint64_t largest;                  /* objects in the largest component */
    uint64_t held_objects, held_bytes; /* in no cycle, and only this group leads to them */
    uint64_t finalizers; /* objects in the cycles whose __del__ will run */
    uint64_t finalized;  /* whose __del__ has run already: they came back to life once */
    uint64_t legacy;     /* objects in the cycles of a type with tp_del */
    uint64_t callbacks;  /* weak references with a callback in the cycles */
    struct hw_type_row *types; /* of what is in the cycles: the program's first, then by bytes, which
                                  count native ones, too: native_bytes is 0 */
    size_t type_count;
    const char *closes;  /* "app.Order.lines[0].order is the same app.Order" */
    hw_id start;         /* the object that the sentence begins with, in the example */
    struct hw_chain cycle; /* from start back to itself */
    struct hw_cycle_break *breaks; /* without all of them the example has no cycle, if */
    size_t break_count;            /* breaks_all; more than one: no single place suffices */
    bool breaks_all;
};
struct hw_cycles {
    struct hw_cycle_group *groups; /* by bytes and held_bytes, largest first */
    size_t group_count, group_total;
    uint64_t components;                   /* in all groups, those not told included */
    uint64_t objects, bytes;               /* garbage: what a collection would free */
    uint64_t stuck_objects, stuck_bytes;   /* garbage that it would not free: with a legacy finalizer,
                                              which goes to gc.garbage, and what that reaches */
    uint64_t tracked;                      /* of both, what gc.collect() would return */
    uint64_t cycle_objects, cycle_bytes;   /* of them, in cycles */
    uint64_t shared_objects, shared_bytes; /* in no cycle, held by several groups */
    uint64_t finalizers;                   /* garbage whose __del__ must run first */
    struct hw_type_row *types;             /* of the garbage; likewise, by bytes alone */
    size_t type_count;
    bool collector_off;       /* gc.disable(), or a threshold of 0 */
    uint64_t frozen;          /* objects that gc.freeze() hid from the collector */
    uint64_t kept;            /* len(gc.garbage) */
    uint64_t kept_objects, kept_bytes; /* what only gc.garbage keeps alive */
    struct hw_type_row *kept_types;    /* of the elements of gc.garbage; likewise */
    size_t kept_type_count;
    uint64_t kept_legacy; /* of these elements, those with a legacy finalizer */
};
/* Tells at most max_groups groups, 0: all. */
bool hw_cycles_ask(const struct hw_graph *graph, size_t max_groups, struct hw_cycles **ret_cycles,
                   struct hw_err *err);
void hw_cycles_destroy(struct hw_cycles *cycles);

/* What came between two looks at one process. */
struct hw_cycle_news {
    const struct hw_cycle_group *group; /* of the later look */
    bool first;                         /* the look before had no such group */
    uint64_t components;                /* more than before */
    uint64_t objects, bytes; /* more than before, in the cycles and held by only this group */
};
/* Groups that have more components in `now` than in `before`. Where a collection ran between the
 * looks there may be more that is new. news has room for now->group_count; returns how many. */
size_t hw_cycles_compare(const struct hw_cycles *before, const struct hw_cycles *now,
                         struct hw_cycle_news *news);
const char *hw_cycle_kind_name(enum hw_cycle_kind kind);     /* objects, bound-methods, ... */
const char *hw_cycle_kind_sentence(enum hw_cycle_kind kind); /* what it is, for people */

/* ---- question: resources ----
 *
 * What the process has open in the kernel, and which Python objects stand for it: descriptors,
 * threads, child processes, asyncio tasks, database connections.
 */

enum hw_descriptor_kind {
    HW_DESCRIPTOR_FILE,
    HW_DESCRIPTOR_DIRECTORY,
    HW_DESCRIPTOR_DEVICE,
    HW_DESCRIPTOR_PIPE,
    HW_DESCRIPTOR_SOCKET,
    HW_DESCRIPTOR_EPOLL,
    HW_DESCRIPTOR_EVENTFD,
    HW_DESCRIPTOR_TIMERFD,
    HW_DESCRIPTOR_SIGNALFD,
    HW_DESCRIPTOR_INOTIFY,
    HW_DESCRIPTOR_PIDFD,
    HW_DESCRIPTOR_MEMFD,
    HW_DESCRIPTOR_OTHER,
};
const char *hw_descriptor_kind_name(enum hw_descriptor_kind kind); /* file, socket, ... */

/* A Python object that stands for something in the kernel. */
struct hw_stand_in {
    hw_id node; /* HW_NONE: there is none that we know; the texts are then "" */
    hw_addr addr;
    const char *type;
    const char *path;  /* best path; "" when no root reaches it */
    const char *shape; /* the path with keys and indices left out */
};
struct hw_descriptor {
    int32_t fd;
    enum hw_descriptor_kind kind;
    const char *name;         /* path as the process sees it; what the kernel calls it; "" */
    const char *protocol;     /* of sockets: tcp, udp6, unix-stream, netlink; "" */
    const char *state;        /* of TCP: ESTABLISHED, LISTEN, ...; "" */
    const char *local, *peer; /* 127.0.0.1:80, [::1]:80, /run/x, @abstract; "" */
    bool deleted;             /* the file has no name any more */
    bool reads, writes;
    bool listens;
    bool steady;              /* seen before the freeze and after; others may have come or gone */
    uint64_t disk_bytes;      /* of files */
    uint32_t queue_in, queue_out; /* bytes that wait; listening: connections not yet accepted */
    uint32_t watchers;        /* epoll sets that watch it */
    struct hw_stand_in owner; /* closes it when it is freed */
    /* Where its number stands, when nobody owns it: a hint, no more. Of one place as a path; ""  */
    const char *candidate;
    const char *problem; /* why it should have been closed; NULL: nothing says so */
};
struct hw_thread_info {
    int32_t id;               /* the kernel's, as threading.get_native_id() says it */
    const char *name;         /* of the Thread, else the kernel's */
    bool daemon;
    char state;               /* R S D T, as ps shows it; 0: not known */
    const char *call;         /* the system call that it waits in; "" */
    int32_t fd;               /* that the call waits for; -1 */
    const char *place;        /* innermost frame of the program: "watch() at app.py:18"; "" */
    const char *waits;        /* the function that was called there and waits: "Event.wait()"; "" */
    const char *waits_for;    /* the object whose function that is, or the lock, as a path; "" */
    struct hw_stand_in object; /* its threading.Thread */
};
struct hw_child_info {
    int32_t id;
    char state;          /* Z: it has ended, and nobody asked for its exit status */
    const char *name;    /* the kernel's */
    struct hw_stand_in object; /* subprocess.Popen, multiprocessing.Process */
    const char *problem; /* NULL */
};
struct hw_task_info {
    const char *name;      /* Task.get_name() */
    const char *coroutine; /* its outermost: "serve() at app.py:30" */
    const char *place;     /* the innermost of the program, and the line that awaits */
    const char *waits;     /* the function of a library that is awaited there, "Queue.get()"; "" */
    const char *waits_for; /* the object whose function that is, as a path; "" */
    uint32_t depth;        /* coroutines from the outermost to the innermost */
    struct hw_stand_in object;
};
struct hw_database_info {
    struct hw_stand_in object;
    int32_t fd;         /* the descriptor through which it works; -1: not known */
    const char *server; /* peer or file; "" */
};

/* Descriptors of one kind whose owners are at places of one shape. */
struct hw_descriptor_group {
    enum hw_descriptor_kind kind;
    const char *what;  /* "tcp to 10.0.0.1:5432", "tcp on 0.0.0.0:80, listens", "files in /var/log" */
    const char *owner; /* shape of the path, or type where no root reaches it; "nobody"; "the process"
                          for standard input, output and error; "not known": it came or went
                          meanwhile */
    const char *owner_type; /* "" */
    const char *candidate;  /* as in hw_descriptor */
    const char *problem; /* of all of them; NULL */
    uint64_t count;
    int32_t fd;        /* one of them */
};
/* Threads or tasks that wait at one place. */
struct hw_wait_group {
    const char *what;  /* "push() at app.py:24 for Queue.get()" */
    const char *where; /* the object waited for, its path without keys and indices; "" */
    uint64_t count;
};
struct hw_problem {
    const char *what;   /* a sentence, about all of them */
    const char *where;  /* shape of the owner; "" */
    uint64_t count;
    int32_t fd;         /* one of them, or -1 */
};
struct hw_resources {
    struct hw_descriptor *descriptors; /* by number */
    size_t descriptor_count;
    uint64_t unowned;      /* steady descriptors that no Python object owns */
    uint64_t deleted_bytes; /* on disk, of deleted files */
    uint64_t deleted;
    bool numbers_hidden;   /* taken without values: what Python code keeps as a number is not known */
    struct hw_descriptor_group *groups; /* largest first */
    size_t group_count;
    struct hw_thread_info *threads;
    size_t thread_count;
    struct hw_child_info *children;
    size_t child_count;
    struct hw_task_info *tasks; /* not done */
    size_t task_count;
    struct hw_database_info *databases;
    size_t database_count;
    struct hw_wait_group *thread_groups, *task_groups; /* largest first */
    size_t thread_group_count, task_group_count;
    struct hw_problem *problems; /* most frequent first */
    size_t problem_count;
    struct hw_facts facts;
};
/* Fails with HW_ERR_UNSUPPORTED where the graph does not have it (facts.system_recorded). */
bool hw_resources_ask(const struct hw_graph *graph, struct hw_resources **ret_resources,
                      struct hw_err *err);
void hw_resources_destroy(struct hw_resources *resources);

/* How many there were at each of several moments of one process. */
struct hw_resource_growth {
    const char *label;  /* "sockets", or a group: "tcp to 10.0.0.1:5432" */
    const char *where;  /* of groups: the owner's shape, "nobody", "threads", "tasks"; "" */
    bool is_group;
    uint64_t *counts;   /* one for each moment */
    int64_t delta;      /* last less first */
};
struct hw_resources_growth {
    struct hw_resource_growth *rows; /* kinds first, then groups that changed, most growth first */
    size_t row_count, moment_count;
};
/* In order of time. Fails with HW_ERR_USAGE when they are of different processes. */
bool hw_resources_compare(struct hw_resources *const *resources, size_t count,
                          struct hw_resources_growth **ret_growth, struct hw_err *err);
void hw_resources_growth_destroy(struct hw_resources_growth *growth);

/* ---- question: reference audit ----
 *
 * Every reference to an object is counted in it. What the count says beyond all references that can be
 * seen, somebody took and shows nowhere: C code that holds it for good in a place that is not
 * understood, or that forgot to give it back. One look cannot tell these apart; growth can.
 *
 * Seen are: references of objects and of interpreters, threads, frames; words in C variables, in C
 * code's own memory and in objects of unknown types that are the address of an object. A word on a C
 * stack may be a reference of code that runs now, or long dead: what only such a word speaks for is told
 * apart (struct hw_audit.busy). Objects whose counts mean nothing are left out: immortal ones and those
 * in mapped files. */

enum { HW_AUDIT_SAMPLES_MAX = 5, HW_AUDIT_LIBRARIES_MAX = 4 };
struct hw_audit_row { /* one type */
    const char *type;
    uint64_t objects;    /* that have references which nothing accounts for */
    uint64_t references; /* how many of these in all */
    uint64_t lost;       /* of the objects, those that nothing leads to at all */
    uint64_t bytes;      /* of the objects, with native ones */
    uint64_t held_objects, held_bytes; /* what no root reaches and only these lead to, themselves
                                          included */
    hw_id example;
    hw_addr example_addr;
    const char *samples[HW_AUDIT_SAMPLES_MAX]; /* what some of them contain; none without values */
    size_t sample_count;
    /* File names of extension modules, nearest first: one whose C variables point at these objects or at
     * their type, or that is the module of the type. */
    const char *libraries[HW_AUDIT_LIBRARIES_MAX];
    size_t library_count;
    /* With an audit before: of the first one. */
    uint64_t first_objects, first_references;
    bool grows; /* references rose in every interval: a leak */
};
struct hw_audit {
    struct hw_audit_row *rows; /* those that grow first; then by held_bytes */
    size_t row_count;
    uint64_t objects, references, lost; /* of all rows */
    struct hw_audit_row *busy; /* only a word on a C stack speaks for the rest of their references;
                                  without held_... */
    size_t busy_count;
    uint64_t busy_objects;
    /* Only words in C code's own memory speak for the rest of their references: it holds them, or the words
     * are stale. Likewise without held_...; a row that grows is no leak by itself, as C code may keep what
     * it wants to keep. */
    struct hw_audit_row *words;
    size_t word_count;
    uint64_t word_objects;
    uint64_t unscanned_bytes; /* of that memory which were too much to look at */
    uint64_t examined;   /* objects whose count means something */
    uint64_t exact;      /* of them, those whose every reference was seen in an object or a frame */
    uint64_t by_words;   /* those that words in C variables or C memory explain */
    uint64_t overcounted; /* more was seen than there is: our mistake, or the image was torn */
    bool memory_recorded; /* false: the file is from before C code's memory was looked at */
    /* Extension modules that are mapped and do not belong to Python itself, by name. */
    const char **extensions;
    size_t extension_count;
    size_t looks;    /* audits, this one included */
    double seconds;  /* from the first to this one */
    bool leaks;      /* a row grows */
};
/* before: an audit of the same process, made earlier, or NULL: then nothing grows. It is only read.
 * Fails with HW_ERR_USAGE when it is of another process, or later. */
bool hw_audit_ask(const struct hw_graph *graph, const struct hw_audit *before,
                  struct hw_audit **ret_audit, struct hw_err *err);
void hw_audit_destroy(struct hw_audit *audit);

/* ---- question: allocation sites ----
 *
 * Where the program was when it allocated what is still in use. Only processes that write it down
 * themselves know: those that run tracemalloc, of what was allocated since it was started. Blocks are all
 * that Python's allocators handed out, tables of dicts and items of lists for themselves, and what
 * extensions tell tracemalloc of.
 */

/* A place in the program. */
struct hw_site_frame {
    const char *file;
    const char *function; /* "": not known; tracemalloc does not */
    uint32_t line;        /* 0: not known; rows by file have none */
    const struct hw_site_frame *caller; /* NULL: not known, or none */
    bool is_native;       /* of C code, where that is known */
};
enum hw_sites_by { HW_SITES_BY_LINE, HW_SITES_BY_FILE, HW_SITES_BY_TRACEBACK };
struct hw_sites_row {
    const struct hw_site_frame *frame; /* the innermost; its callers only by traceback */
    uint32_t depth;                    /* by traceback: frames that there were, the kept ones included */
    uint64_t count, bytes;             /* blocks in use */
    int64_t count_delta, bytes_delta;  /* more than before; 0 without that */
    uint64_t objects;                  /* Python objects that begin in these blocks */
    const char *type;                  /* of most of them; "" */
    uint64_t type_objects;             /* how many */
    uint32_t domain;                   /* of the stack that has most bytes of it */
};
/* Of heapwhy's own agent; tracemalloc's others are extensions' numbers, 389047 is numpy's. */
enum hw_domain {
    HW_DOMAIN_PYTHON, /* Python's own allocators */
    HW_DOMAIN_MALLOC, /* what C code takes from malloc() by itself */
    HW_DOMAIN_MMAP,   /* anonymous mappings that it makes */
};
/* "python", "malloc", "mmap" of what the agent wrote down; of tracemalloc (rate_bytes 0), "python" for 0; else "". */
const char *hw_domain_name(uint64_t rate_bytes, uint32_t domain);
struct hw_sites_domain {
    uint32_t domain; /* 0: Python's own allocators */
    uint64_t count, bytes;
};
struct hw_sites {
    enum hw_sites_by by;
    struct hw_sites_row *rows; /* by bytes, largest first; with an answer before: by how much bytes
                                  changed, as tracemalloc's compare_to() has them; what is gone has
                                  none */
    size_t row_count;
    struct hw_sites_domain *domains; /* by number */
    size_t domain_count;
    uint64_t count, bytes;            /* of all rows */
    int64_t count_delta, bytes_delta;
    bool has_before;
    double seconds;                   /* since then */
    struct hw_facts facts;            /* alloc_...: who wrote it down, how deep, what was missed */
};
/* before: the answer of another snapshot, by the same, or NULL. It is only read. Fails with
 * HW_ERR_UNSUPPORTED when nobody wrote down in the process where memory was allocated, or it could not be
 * read (hw_facts.alloc_source), and with HW_ERR_USAGE when before is by another. */
bool hw_sites_ask(const struct hw_graph *graph, enum hw_sites_by by, const struct hw_sites *before,
                  struct hw_sites **ret_sites, struct hw_err *err);
void hw_sites_destroy(struct hw_sites *sites);
const char *hw_sites_by_name(enum hw_sites_by by); /* line, filename, traceback */

/* ---- profiles: where memory was allocated, and how much ----
 *
 * Of a process or a snapshot, what is in use, as hw_sites_ask() tells it; of a recording (heapwhy run
 * -o), all that happened while it was made. Where a sample was taken, numbers are estimates.
 */

enum hw_measure {
    HW_MEASURE_LIVE,      /* in use: now, or when the recording ended, which is what leaked */
    HW_MEASURE_PEAK,      /* in use at the moment at which most bytes were */
    HW_MEASURE_ALLOCATED, /* all that was ever allocated */
    HW_MEASURE_TEMPORARY, /* given back before its thread allocated another block */
    HW_MEASURE_COUNT
};
struct hw_amount {
    uint64_t count, bytes; /* blocks */
};
struct hw_profile_row {
    const struct hw_site_frame *frame; /* the innermost, with its callers; frames that rows have in common
                                        * are one */
    uint32_t depth;                    /* frames that there were, the kept ones included */
    uint32_t domain;                   /* as hw_sites_domain has them, of a snapshot; enum hw_agent_domain */
    uint32_t thread;                   /* of threads; 0 where nothing is known of threads */
    struct hw_amount amounts[HW_MEASURE_COUNT];
};
struct hw_profile_thread {
    uint64_t id;      /* of the kernel; 0: not known */
    const char *name; /* "" */
};
struct hw_profile_moment {
    double seconds; /* since the recording began */
    uint64_t live_bytes;
};
struct hw_profile {
    bool is_recording;             /* false: only HW_MEASURE_LIVE is known */
    bool is_complete;              /* false: the recording ends before its program did */
    const char *damage;            /* of a recording, why it was not read to its end; "" */
    uint64_t rate_bytes;           /* 0: every block */
    uint64_t sample_count;         /* blocks that were seen */
    uint64_t missed;               /* that could not be */
    uint64_t event_count;          /* of all kinds in a recording; else 0 */
    int64_t pid, parent_pid;       /* parent_pid: it was forked from this one while that was recorded; else 0 */
    const char *command;           /* as a user would type it; "" */
    double began_unix, seconds;    /* seconds: how long a recording is; of a snapshot 0 */
    double peak_seconds;           /* when most bytes were in use */
    struct hw_profile_row *rows;   /* one for each stack, domain and thread; in no order */
    size_t row_count;
    struct hw_amount totals[HW_MEASURE_COUNT];
    struct hw_profile_thread *threads; /* at least one */
    size_t thread_count;
    struct hw_profile_moment *moments; /* at most 1,000, in order of time; none of a snapshot */
    size_t moment_count;
};
/* Fails as hw_sites_ask() does. */
bool hw_profile_of_graph(const struct hw_graph *graph, struct hw_profile **ret_profile,
                         struct hw_err *err);
/* Whether the file begins as recordings do. */
bool hw_recording_is(const char *path);
/* Reads a recording, also one that is still being made, as far as it goes. What is damaged ends it there. Fails with
 * HW_ERR_CORRUPT when it is none. cancel: as in struct hw_capture_options; may be NULL. Memory: 32 to 64
 * bytes for each block in use, and half as much again while it grows; some 250 for each row, 70 for each
 * site. */
bool hw_profile_read(const char *path, const volatile int *cancel, struct hw_profile **ret_profile,
                     struct hw_err *err);
void hw_profile_destroy(struct hw_profile *profile);
/* Whether the measure is known; else err says what helps. */
bool hw_profile_knows(const struct hw_profile *profile, enum hw_measure measure, struct hw_err *err);
/* Of a row's domain. Of a recording raw, mem, object, which are Python's allocators, malloc, which is
 * C code's own, or mmap; of a snapshot python, malloc, mmap or numpy. "": it has
 * only a number. */
const char *hw_profile_domain_name(const struct hw_profile *profile, uint32_t domain);
const char *hw_measure_name(enum hw_measure measure); /* live, peak, allocated, temporary */

/* ---- questions about profiles ---- */

/* A row is a place, which is the innermost Python frame of a stack, or the innermost of all where there is no
 * Python frame; or a whole stack, or who allocated. */
enum hw_allocations_by {
    HW_ALLOCATIONS_BY_LINE,
    HW_ALLOCATIONS_BY_FILE,
    HW_ALLOCATIONS_BY_TRACEBACK,
    HW_ALLOCATIONS_BY_FUNCTION,
    HW_ALLOCATIONS_BY_THREAD,
    HW_ALLOCATIONS_BY_ALLOCATOR,
};
struct hw_allocations_row {
    const struct hw_site_frame *frame; /* by file without function and line, by function without line, by
                                        * traceback with its callers; by thread and allocator NULL */
    uint32_t depth;                    /* by traceback: frames that there were */
    uint32_t domain;                   /* by allocator */
    struct hw_profile_thread thread;   /* by thread */
    struct hw_amount amounts[HW_MEASURE_COUNT];
    struct hw_amount before[HW_MEASURE_COUNT]; /* in the profile before; 0 without that */
};
struct hw_allocations {
    enum hw_allocations_by by;
    enum hw_measure measure; /* by whose bytes rows are sorted, largest first; with a profile before by how
                                much they changed */
    bool has_before;
    struct hw_allocations_row *rows; /* those that have anything of measure, now or before */
    size_t row_count;
    struct hw_amount totals[HW_MEASURE_COUNT], totals_before[HW_MEASURE_COUNT]; /* of the profiles */
};
/* before: NULL, or a profile to compare with: places are equal whose texts are. Both must outlive the answer. Fails
 * with HW_ERR_UNSUPPORTED when one of them does not know the measure: it is not of a recording. */
bool hw_allocations_ask(const struct hw_profile *profile, const struct hw_profile *before,
                        enum hw_allocations_by by, enum hw_measure measure,
                        struct hw_allocations **ret_allocations, struct hw_err *err);
void hw_allocations_destroy(struct hw_allocations *allocations);
const char *hw_allocations_by_name(enum hw_allocations_by by); /* line, filename, traceback, ... */

struct hw_lines_row {
    uint32_t line;
    const char *function; /* "" */
    struct hw_amount amounts[HW_MEASURE_COUNT];
};
struct hw_lines {
    const char *file;  /* as it was recorded */
    bool cumulative;   /* with what was allocated in calls from a line; else by the line itself and C
                          code that it calls */
    struct hw_lines_row *rows; /* by line */
    size_t row_count;
    struct hw_amount totals[HW_MEASURE_COUNT]; /* of the file: each block once */
};
/* What each line of a file allocated. file: its path as it was recorded, or the end of that after a '/'.
 * Cumulative: a stack counts once for each line that is in it. The profile must outlive the answer. Fails with
 * HW_ERR_NOT_FOUND when no stack has such a file, with HW_ERR_USAGE when several have. */
bool hw_lines_ask(const struct hw_profile *profile, const char *file, bool cumulative,
                  struct hw_lines **ret_lines, struct hw_err *err);
void hw_lines_destroy(struct hw_lines *lines);

/* A Python source file, to show beside. */
struct hw_source_function { /* that is in no other function */
    const char *name;       /* with its classes: Hub.subscribe */
    uint32_t first, last;   /* lines, decorators included */
};
struct hw_source {
    const char **lines; /* lines[0] is line 1; without line ends, tabs as blanks */
    uint32_t line_count;
    struct hw_source_function *functions; /* in order */
    size_t function_count;
    int64_t changed_at_ns; /* since 1970 */
};
enum { HW_SOURCE_MAX_BYTES = 1 << 24 };
/* Fails with HW_ERR_NOT_FOUND, or with HW_ERR_LIMIT when it is larger. */
bool hw_source_read(const char *path, struct hw_source **ret_source, struct hw_err *err);
void hw_source_destroy(struct hw_source *source);

/* ---- questions over time: a series of snapshots of one process ---- */

/* Keeps the latest graph whole and of each earlier one only what comparing needs (about 20 bytes an
 * object). */
struct hw_series;

bool hw_series_create(struct hw_series **ret_series, struct hw_err *err);
void hw_series_destroy(struct hw_series *series);

/* Adds the next graph and takes ownership of it, also on failure. Fails with HW_ERR_USAGE when it
 * is of another process than the one before, or older. */
bool hw_series_add(struct hw_series *series, struct hw_graph *graph, struct hw_err *err);
size_t hw_series_count(const struct hw_series *series);
const struct hw_graph *hw_series_last(const struct hw_series *series);

struct hw_diff_type {
    const char *name;
    uint64_t *counts;   /* one for each snapshot */
    uint64_t *bytes;    /* with native ones; likewise bytes_delta and those of holders */
    int64_t count_delta, bytes_delta; /* last minus first */
    uint64_t born;      /* in the last, not in the first */
    uint64_t survived;  /* born before the last but one snapshot, and still there */
};
struct hw_diff_holder {
    const char *path;    /* expression of the holder */
    const char *holder_type;
    const char *type;    /* most frequent type of what is new under it */
    hw_id node;          /* of the holder, in the last graph */
    uint64_t *sizes;     /* direct members in each snapshot; 0 where it did not exist */
    uint64_t born;       /* objects under it, not in the first snapshot */
    uint64_t born_bytes;
    uint64_t survived;   /* of them, born before the last but one snapshot */
};
struct hw_diff {
    size_t snapshot_count;
    struct hw_facts *facts;
    uint64_t *objects, *bytes, *native_bytes; /* totals of each snapshot */
    struct hw_diff_type *types;   /* by bytes_delta, largest first; unchanged ones left out */
    size_t type_count;
    struct hw_diff_holder *holders; /* by born_bytes, largest first */
    size_t holder_count;
};
/* Needs two snapshots. */
bool hw_diff_ask(const struct hw_series *series, struct hw_diff **ret_diff, struct hw_err *err);
void hw_diff_destroy(struct hw_diff *diff);

/* ---- question: memory ----
 *
 * What every resident byte of the process was used for. Parts add up to the RSS.
 */

/* The kinds from HW_MEMORY_SWAP on are beside the RSS. */
enum hw_memory_kind {
    HW_MEMORY_OBJECTS,      /* Python objects; name: a family of types */
    HW_MEMORY_OBJECT_DATA,  /* blocks that objects use: tables of dicts, arrays, data */
    HW_MEMORY_OTHER_BLOCKS, /* blocks of pymalloc in use that neither holds */
    HW_MEMORY_FREE_BLOCKS,  /* free blocks in pools of pymalloc that have others in use */
    HW_MEMORY_EMPTY_POOLS,  /* pools without a block in use */
    HW_MEMORY_UNUSED_POOLS, /* of arenas, what was never used but is resident */
    HW_MEMORY_POOL_HEADS,   /* headers of pools and what is left over behind the last block */
    HW_MEMORY_MALLOC_USED,  /* blocks of malloc() in use that no Python object is known to use */
    HW_MEMORY_MALLOC_FREE,  /* free chunks in the bins of malloc()'s arenas */
    HW_MEMORY_MALLOC_CACHED, /* freed, but kept in threads' caches (tcache) and in fastbins */
    HW_MEMORY_MALLOC_TOP,   /* behind the last chunk of each arena */
    HW_MEMORY_MALLOC_HEADS, /* malloc()'s own: heads of heaps, arenas, caches */
    HW_MEMORY_ALLOCATOR,    /* of another allocator; name: jemalloc, mimalloc, tcmalloc */
    HW_MEMORY_STACKS,       /* of threads */
    HW_MEMORY_FRAMES,       /* the stack of Python frames */
    HW_MEMORY_LIBRARIES,    /* code and data of mapped programs; name: file */
    HW_MEMORY_FILES,        /* other mapped files; name: file */
    HW_MEMORY_SHARED,       /* shared memory; name */
    HW_MEMORY_KERNEL,       /* what the kernel maps: vdso */
    HW_MEMORY_UNEXPLAINED,  /* anonymous memory of which nothing is known */
    HW_MEMORY_SWAP,         /* swapped out */
    HW_MEMORY_HUGE_PAGES,   /* of the RSS, in transparent huge pages */
    HW_MEMORY_HUGETLB,      /* from the pool of huge pages, which RSS does not contain */
    HW_MEMORY_PAGE_TABLES,
    HW_MEMORY_TRIM,         /* of malloc()'s free memory, what malloc_trim(0) could give back */
    HW_MEMORY_KERNEL_RSS,   /* VmRSS of /proc/PID/status just before */
    HW_MEMORY_CGROUP_CURRENT, /* name: path; bytes that the cgroup of the process uses */
    HW_MEMORY_CGROUP_LIMIT, /* the lowest limit from there up; absent: none */
    HW_MEMORY_KIND_COUNT,
};
const char *hw_memory_kind_name(enum hw_memory_kind kind); /* python-objects, malloc-free, ... */
const char *hw_memory_kind_about(enum hw_memory_kind kind); /* in a few words */

/* What differs is against the first snapshot of the series; 0 when there is one alone. */
struct hw_memory_part {
    const char *name;  /* hw_memory_kind_name(); of a detail: a family of types, a file */
    const char *about; /* in a few words; "" for a detail */
    uint64_t rss_bytes;
    uint64_t bytes;    /* resident or not; the only number of what is beside the RSS */
    uint64_t count;    /* blocks, mappings, stacks */
    int64_t rss_delta, bytes_delta;
    struct hw_memory_part *details; /* largest first; they add up to this one */
    size_t detail_count;
};
struct hw_memory_class { /* blocks of pymalloc of one size */
    uint32_t block_bytes;
    uint64_t pools, used, free, free_bytes;
};
struct hw_memory_native { /* blocks of malloc() in use of no Python object, of one size */
    uint64_t block_bytes; /* with malloc's own 16 */
    uint64_t count, bytes;
    int64_t count_delta, bytes_delta;
    const char *sample;  /* content of one; "" */
    const char *library; /* file near some of them: they point into it, or it at them; "" */
};
/* Objects that keep arenas of pymalloc which are mostly free: a type of them. */
struct hw_memory_pin {
    const char *type;
    uint64_t arenas; /* of the sparse ones, those in which it is */
    uint64_t objects, bytes;
    const char *path; /* who owns most of them */
    const char *holder;
};
struct hw_memory {
    const char *answer; /* one sentence */
    uint64_t rss_bytes;
    int64_t rss_delta;
    double seconds;     /* from the first snapshot to the last; 0: there is one */
    struct hw_memory_part *parts; /* add up to rss_bytes; largest first */
    size_t part_count;
    struct hw_memory_part *beside; /* of what is not in the RSS, or is in another part */
    size_t beside_count;
    struct hw_memory_class *classes; /* by block_bytes */
    size_t class_count;
    struct hw_memory_native *natives; /* of several snapshots: most growth first; else most bytes */
    size_t native_count;
    uint64_t arena_count, arena_bytes; /* resident bytes of pymalloc's arenas */
    uint64_t arena_free_bytes;         /* of these, what holds no block in use */
    uint64_t sparse_arena_count;       /* arenas of which at most a quarter is in use */
    struct hw_memory_pin *pins;        /* what is in these, by how much it pins */
    size_t pin_count;
};
/* Of the last snapshot of a series, against the first. Fails with HW_ERR_UNSUPPORTED when one does
 * not record it: files before format 1.3. */
struct hw_series;
bool hw_memory_ask(const struct hw_series *series, struct hw_memory **ret_memory,
                   struct hw_err *err);
void hw_memory_destroy(struct hw_memory *memory);

enum hw_verdict {
    HW_VERDICT_STEADY,
    HW_VERDICT_LEAK,
    HW_VERDICT_INCONCLUSIVE,
    HW_VERDICT_FRAGMENTATION, /* no leak: memory is free, but cannot be given back */
};

enum hw_pattern {
    HW_PATTERN_GROWING_CONTAINER,
    HW_PATTERN_REFERENCE_CYCLE,
    HW_PATTERN_CLOSURE,
    HW_PATTERN_FRAME,
    HW_PATTERN_UNCLOSED_RESOURCE,
    HW_PATTERN_UNEXPLAINED,
    HW_PATTERN_NATIVE_REFERENCE,
    HW_PATTERN_NATIVE_MEMORY, /* blocks of malloc() that are no Python object's; type: malloc(1024),
                                 objects are blocks */
    HW_PATTERN_FRAGMENTATION, /* free memory that allocators cannot give back; type: what pins it */
};

/* Objects of a suspect that one place in the program made. */
struct hw_created {
    const struct hw_site_frame *frame; /* the innermost, with its callers as far as they are known */
    uint32_t depth;                    /* frames that there were */
    uint64_t objects, bytes;           /* of them, with native ones */
};
struct hw_suspect {
    enum hw_pattern pattern;   /* the family */
    const char *cause;         /* the known mistake, "lru-cache-on-method"; more may come */
    const char *about;         /* the mistake in a sentence */
    enum hw_verdict verdict;   /* of this suspect alone */
    const char *type;          /* what leaks, module-qualified */
    const char *carries;       /* the program's class in most of them, where type is a method,
                                  function, cell or tuple; NULL: none */
    struct hw_chain chain;     /* of the holder; path "" when nothing that we see holds it */
    const char *shape;         /* the chain's path, indices and keys wildcarded: [*] */
    const char *fingerprint;   /* 16 hexadecimal digits: the same mistake in the same code has the same
                                  in every run, process, machine and version of Python */
    struct hw_chain *also;     /* other containers that hold the same objects */
    size_t also_count;
    double objects_per_second; /* what the container itself gained; without one, all that is new */
    double objects_per_second_low, objects_per_second_high; /* what chance leaves open, 95 % */
    double confidence;         /* 0 to 1, that what comes and goes by chance grows less than that */
    uint64_t objects;          /* it has now; likewise */
    double held_objects_per_second, bytes_per_second; /* they and all they hold, what survives; all
                                                         bytes here with native ones */
    uint64_t held_objects, bytes; /* held now, old ones included */
    uint64_t native_bytes;     /* of bytes, those outside of objects */
    /* Where its new objects of the type were created, most bytes first; of one snapshot, all of them. None
     * when nobody wrote it down in the process (hw_facts.alloc_source). */
    struct hw_created *created;
    size_t created_count, created_total; /* stacks told; that there are */
    uint64_t created_looked, created_known; /* objects looked at; those whose stack is known */
    const char **evidence;     /* sentences */
    size_t evidence_count;
    const char *doubt;         /* what is not settled about it, and what would; NULL: nothing */
    const char *fix;           /* the cure, in the user's own names */
};
struct hw_shot {
    int64_t taken_at_ns;
    int64_t pause_ns;
    uint64_t objects, bytes, native_bytes, rss_bytes;
};
/* What the user has decided to live with. The first of several that fit counts. */
struct hw_ignore {
    const char *what;   /* a suspect's fingerprint; what leaks, a type that may end in '*'; a path or
                           shape of a holder, or the beginning of one */
    const char *reason; /* may be "" */
    const char *source; /* where the rule stands: "rules.txt:3", "--ignore"; may be "" */
};
/* A suspect that a rule fits. It decides no verdict. */
struct hw_ignored {
    const char *rule, *reason, *source; /* as in hw_ignore */
    const char *type, *path, *shape, *fingerprint; /* as in hw_suspect */
    enum hw_verdict verdict;                       /* which it had without the rule */
    double objects_per_second, bytes_per_second;   /* new ones, with all that they hold */
};
/* A file of rules (docs/rules.md). Fails with HW_ERR_USAGE where the file is wrong, naming the
 * line. */
struct hw_rules {
    struct hw_ignore *ignores;
    size_t ignore_count;
};
bool hw_rules_load(const char *path, struct hw_rules **ret_rules, struct hw_err *err);
void hw_rules_destroy(struct hw_rules *rules);

struct hw_diagnosis {
    enum hw_verdict verdict;
    const char *answer;      /* one sentence */
    const char **doubts;     /* what the evidence does not settle, and what would; those of the
                                suspects, in their order, are the same strings as there */
    size_t doubt_count;
    struct hw_shot *shots;
    size_t shot_count;
    struct hw_suspect *suspects; /* ranked */
    size_t suspect_count;
    struct hw_ignored *ignored;  /* largest first */
    size_t ignored_count;
    const char **unused_rules;   /* what of the rules that fitted nothing */
    const char **unused_sources; /* their sources */
    size_t unused_rule_count;
};
struct hw_diagnose_options {
    const struct hw_ignore *ignores; /* only read; need not outlive the call */
    size_t ignore_count;
};
/* One snapshot tells where memory is concentrated and what keeps arriving, and is always
 * inconclusive; two show growth; three or more tell a leak from a filling cache. options may be
 * NULL. */
bool hw_diagnose_ask(const struct hw_series *series, const struct hw_diagnose_options *options,
                     struct hw_diagnosis **ret_diagnosis, struct hw_err *err);
void hw_diagnosis_destroy(struct hw_diagnosis *diagnosis);
const char *hw_verdict_name(enum hw_verdict verdict);  /* leak, steady, ... */
const char *hw_pattern_name(enum hw_pattern pattern);  /* growing-container, ... */

/* ---- memory over time: nothing is frozen, and nothing but /proc is read ---- */

#define HW_UNKNOWN UINT64_MAX

/* What a process had at one moment. HW_UNKNOWN: not measured, or not allowed to see. */
struct hw_memory_sample {
    int64_t at_ns;           /* since 1970 */
    uint64_t rss_bytes;
    uint64_t peak_rss_bytes; /* the most RSS since the process began, by the kernel's own count */
    uint64_t memory_bytes;   /* what growth is judged by: anonymous and shared memory, resident or in
                                swap; pages of mapped files are not in it */
    uint64_t swap_bytes;
    uint64_t pss_bytes;      /* measured seldom, since the kernel walks all page tables for it */
    uint64_t fds, threads;
};

/* A process that is watched, or a series of a file. Its texts live as long as it does. */
struct hw_watched {
    pid_t pid, parent;     /* parent: 0 when it is watched for its own sake, not as a child */
    int64_t started_at_ns; /* since 1970; with the pid it names a process */
    const char *name;      /* the script or the module when it is an interpreter, else the command */
};

enum hw_alarm_reason {
    HW_ALARM_RSS,    /* the resident memory reached what was asked for */
    HW_ALARM_GROWTH, /* memory grows for good */
};

/* How much more the process can get before something refuses or kills it. */
struct hw_memory_limit {
    const char *name;     /* "--rss", "cgroup", "machine", "RLIMIT_AS", "RLIMIT_DATA"; NULL: none known */
    uint64_t limit_bytes;
    uint64_t left_bytes;
    double seconds;       /* until nothing is left, at the rate of the alarm; negative: no rate */
};

struct hw_alarm {
    enum hw_alarm_reason reason;
    uint64_t rss_bytes, memory_bytes;
    uint64_t threshold_bytes; /* of HW_ALARM_RSS */
    double bytes_per_second, bytes_per_second_low, bytes_per_second_high; /* of HW_ALARM_GROWTH:
                                nine of ten pairs of points of the window lie between low and high */
    double rise_bytes;       /* over the window */
    int64_t window_ns;       /* how long memory was looked at to say so */
    struct hw_memory_limit limit; /* the one that is reached first */
};
const char *hw_alarm_reason_name(enum hw_alarm_reason reason); /* rss, growth */

enum hw_watch_event_kind {
    HW_WATCH_BEGAN,  /* a process is watched from now on */
    HW_WATCH_SAMPLE, /* sample is set */
    HW_WATCH_ALARM,  /* alarm is set, sample too */
    HW_WATCH_ENDED,  /* the process ended */
};
/* All pointers are valid during the call only. */
struct hw_watch_event {
    enum hw_watch_event_kind kind;
    int64_t at_ns;
    const struct hw_watched *process;
    const struct hw_memory_sample *sample;
    const struct hw_alarm *alarm;
};
typedef void hw_watch_sink(void *ctx, const struct hw_watch_event *event);

struct hw_watch_options {
    const pid_t *pids;
    size_t pid_count;
    const char *const *names; /* extended regular expressions, found in the command's name, in the
                                 script's or the module's, as pgrep does */
    size_t name_count;
    bool children;            /* also the children of all these, and theirs */
    int64_t every_ns;         /* the time between looks, which the caller keeps */
    uint64_t rss_bytes;       /* alarm when RSS reaches it; 0: never */
    double growth_bytes_per_second; /* slower growth is no alarm; 0: HW_WATCH_GROWTH_RATE */
    int64_t warm_up_ns;       /* growth of a younger process is no alarm, unless it was steady before */
};
#define HW_WATCH_GROWTH_RATE 50e3
#define HW_WATCH_WARM_UP_NS INT64_C(120000000000)

/* Follows processes: a process id as long as that very process lives, a name from process to
 * process. At most 4096 at a time; some 10 kB and three descriptors for each. */
struct hw_watch;

/* Fails when a process does not exist. That nobody has one of the names is no error. */
bool hw_watch_create(const struct hw_watch_options *options, struct hw_watch **ret_watch,
                     struct hw_err *err);
void hw_watch_destroy(struct hw_watch *watch);
/* Looks at all processes once, and tells sink what there is to tell. */
bool hw_watch_look(struct hw_watch *watch, hw_watch_sink *sink, void *ctx, struct hw_err *err);
size_t hw_watch_count(const struct hw_watch *watch);  /* processes that are watched now */
/* How often a process was met that cannot be watched: there are too many, or it is not ours. */
uint64_t hw_watch_missed(const struct hw_watch *watch);

/* A file that `watch --json` or mprof (memory_profiler) wrote. */
struct hw_memory_mark {
    int64_t at_ns;
    int64_t until_ns;            /* of a call of a function, whose name is the text; 0: a moment */
    uint64_t bytes, until_bytes; /* of a call: memory at its begin and its end */
    size_t series;    /* index */
    const char *text; /* "growth", "rss": an alarm; else what the file says */
    bool is_alarm;
};
struct hw_memory_series {
    struct hw_watched process; /* started_at_ns is 0 where the file does not say */
    struct hw_memory_sample *samples;
    size_t sample_count;
    size_t peak;      /* index of the sample with the most RSS */
};
struct hw_memory_history {
    const char *source;               /* the path */
    struct hw_memory_series *series;  /* in the order of their first samples; none is empty */
    size_t series_count;
    struct hw_memory_mark *marks;
    size_t mark_count;
    uint64_t bad_lines;               /* that were left out */
};
bool hw_memory_history_load(const char *path, struct hw_memory_history **ret_history,
                            struct hw_err *err);
void hw_memory_history_destroy(struct hw_memory_history *history);

/* Collects the events of a watch, to look at them as a whole. */
bool hw_memory_history_create(struct hw_memory_history **ret_history, struct hw_err *err);
bool hw_memory_history_add(struct hw_memory_history *history, const struct hw_watch_event *event,
                           struct hw_err *err);

/* Adds one more series, "together": the sum of all, where some are children of others; else nothing.
 * Pages that several share are in it once for each. Nothing may be added after it. */
bool hw_memory_history_add_total(struct hw_memory_history *history, struct hw_err *err);

/* Keeps what lies between two times, the ends included; processes of which nothing is left go.
 * Fails with HW_ERR_NOT_FOUND when nothing is left at all. */
bool hw_memory_history_window(struct hw_memory_history *history, int64_t from_ns, int64_t to_ns,
                              struct hw_err *err);

/* Judges a history by the same rules as running processes. Takes pids, names and children of options
 * for nothing. */
bool hw_memory_history_judge(const struct hw_memory_history *history,
                             const struct hw_watch_options *options, hw_watch_sink *sink, void *ctx,
                             struct hw_err *err);

/* ---- the agent in a running process ---- */

struct hw_attach_options {
    const char *library;  /* the absolute path of libheapwhy-agent.so */
    uint64_t rate_bytes;  /* one sample for so many bytes on average; hw_attach() only */
    int64_t timeout_ns;   /* how long it may take in all */
    bool allow_seccomp;   /* also where the process filters its system calls */
    const volatile int *cancel; /* as in struct hw_capture_options */
};

struct hw_attached {
    pid_t pid;
    pid_t tid;           /* the thread that made the last call; 0: the interpreter did it */
    bool remote;         /* by the interpreter's own way (PEP 768), the last time */
    uint32_t python;     /* PY_VERSION_HEX */
    uint64_t rate_bytes;
    unsigned tries;      /* how often threads were stopped */
    int64_t pause_ns;    /* the longest of these pauses */
    int64_t took_ns;     /* all of it */
    bool was_loaded;     /* the library was there from before */
    bool passes;         /* of hw_detach(): somebody stands before it, so that it passes everything on */
};

/* Loads the agent into a running process and lets it begin: by the interpreter, which offers that from 3.14 on;
 * else by two calls that a thread of the process makes, which stands where that does no harm. Whoever is killed meanwhile, the process goes on. Errors: those of
 * hw_capture(); HW_ERR_UNSUPPORTED with the reason why this process is not for it, HW_ERR_BUSY when no thread
 * could make the calls in time, HW_ERR_IO when the process did not do what it was asked to. */
bool hw_attach(pid_t pid, const struct hw_attach_options *opts, struct hw_attached *ret_attached,
               struct hw_err *err);

/* Takes the agent out of Python's allocators and gives its memory back; the library stays mapped, since a
 * thread may stand in its code. HW_ERR_UNSUPPORTED when there is none. */
bool hw_detach(pid_t pid, const struct hw_attach_options *opts, struct hw_attached *ret_attached,
               struct hw_err *err);

/* The library's version, "0.1.0". */
const char *hw_version(void);

#endif
