/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <limits.h>

#define X_MEANS                                                                                 \
    "X is the id of a running process or a snapshot file. A number is always a process; write " \
    "./123 for a file of that name.\n"

#define R_MEANS                                                                                  \
    "X is a recording (heapwhy run -o FILE), the id of a running process, or a snapshot file. A number is " \
    "always a process; write ./123 for a file of that name.\n"

#define OBJECT_MEANS                                                                             \
    "OBJECT is an address (0x7f3a5c0b1230), an expression (sys.modules['app'].cache, or a path " \
    "as "                                                                                        \
    "diagnose prints it) or the name of a type (app.Session).\n"

const struct hw_command hw_commands[HW_COMMAND_COUNT] = {
    [HW_COMMAND_DIAGNOSE] =
        {"diagnose",
         "PID | FILE...",
         1,
         1000,
         "does this process leak, what, and who holds it",
         "Takes several snapshots of a running Python process, compares them and says: whether it "
         "leaks; what leaks and how fast; who holds it, as one Python expression; which known "
         "pattern it is; what to do. The process runs on; each snapshot stops it for some "
         "milliseconds, which are measured and printed. It waits up to a quarter of the interval, "
         "and no longer than half a second, for a moment at which no thread runs Python code: what "
         "is only needed amid a piece of work is no growth.\n"
         "The verdict is leak, steady, inconclusive, or fragmentation: live data does not grow, "
         "but memory that is free cannot be given back. A cache that is still filling is "
         "inconclusive: give it more or longer intervals.\n"
         "Exit status: 0 after any verdict (with --exit-code 3 after leak), 1 when there is none, "
         "as when the process exits or becomes another program meanwhile, 2 after wrong usage.\n"
         "With snapshot files instead, in any order: the same answer from them, by the times of "
         "their capture. One snapshot shows "
         "no growth; it tells where memory is concentrated and which containers get new members "
         "all "
         "the time.\n"
         "Suspects that you know and accept can be ignored, by --ignore or by rules in a file: a "
         "line `ignore WHAT because REASON` for each, where WHAT is a fingerprint, a type or the "
         "beginning of a path; empty lines and lines that begin with # are comments. What is "
         "ignored decides no verdict, and is listed with its reason.\n"
         "The word diagnose may be left out before a process id.",
         {{"heapwhy 41233", "Three snapshots, five seconds apart."},
          {"heapwhy 41233 -n 6 -i 1m", "A slow leak: six snapshots over five minutes."},
          {"heapwhy --json 41233 | jq -r '.suspects[0].path'", "The holder, for a script."},
          {"heapwhy 41233 --ignore 'app.Metric*' --exit-code",
           "All but the metrics, for a script."},
          {"heapwhy diagnose 41233 --save /var/tmp/app", "Keep the snapshots for later questions."},
          {"heapwhy diagnose /var/tmp/app/*.hwsnap", "Ask them again."}}},
    [HW_COMMAND_SNAPSHOT] =
        {"snapshot",
         "PID -o FILE",
         1,
         1,
         "write the heap of a process to a file",
         "Reads the whole object graph of a running Python process and writes it to a file that "
         "all other commands read, on any machine. The file is readable by its owner only; it "
         "contains the beginnings of strings, unless --no-values is given. It takes its name when "
         "it is complete; a snapshot that fails or is killed leaves nothing behind, and a file of "
         "that name as it was.",
         {{"heapwhy snapshot 41233 -o before.hwsnap", "One snapshot."},
          {"heapwhy snapshot 41233 -o before.hwsnap --no-values",
           "Without the contents of strings."}}},
    [HW_COMMAND_TYPES] =
        {"types",
         "X",
         1,
         1,
         "objects and bytes by type",
         X_MEANS "Every object is counted: those that the garbage collector tracks, and strings, "
                 "numbers, bytes and all else that is reached from them. Sizes are what "
                 "sys.getsizeof() says. Twenty rows are shown unless --limit or --all says "
                 "otherwise; --json writes all.",
         {{"heapwhy types 41233", "The twenty types that take most memory."},
          {"heapwhy types before.hwsnap --sort=count --limit 50",
           "By number of objects, from a file."}}},
    [HW_COMMAND_DIFF] =
        {"diff",
         "A B [C...]",
         2,
         1000,
         "what grew from one snapshot to the next",
         "Compares two or more snapshots of one process: growth by type and by "
         "holder, what is new since the first, and what of it has survived since the last but one. "
         "Files may stand in any order: they are compared by the times of their capture. The last "
         "may be the process itself, by its id.",
         {{"heapwhy diff before.hwsnap after.hwsnap", "What changed between two files."},
          {"heapwhy diff before.hwsnap 41233", "What changed since, in the running process."}}},
    [HW_COMMAND_HOLDERS] =
        {"holders",
         "X OBJECT",
         2,
         2,
         "who keeps this object alive",
         X_MEANS OBJECT_MEANS
         "Prints the most telling chains of references from a root (a module, a running frame, a "
         "thread, a C variable) to the object, each as one Python expression and step by step. "
         "Weak references hold nothing and are not shown.",
         {{"heapwhy holders 41233 app.Session", "Who holds one of the sessions."},
          {"heapwhy holders a.hwsnap 0x7f3a5c0b1230 --limit 10", "Up to ten chains to one object."},
          {"heapwhy holders a.hwsnap app.Session --objects 5", "Five of the sessions."}}},
    [HW_COMMAND_OWNERS] =
        {"owners",
         "X OBJECT",
         2,
         2,
         "who owns all objects of a type",
         X_MEANS OBJECT_MEANS
         "For each object that OBJECT names: who is it without whom the object would be gone? "
         "Containers and objects of libraries are passed over until an object of one of the "
         "program's classes (app.Session.headers), a name in one of its modules "
         "(sys.modules['app'].cache), a class, a local variable of a function (<main() at "
         "app.py>.rows) or a thread; only where the program has no part in it is the owner an "
         "object of a library. What several own together is told as shared, with the way to what "
         "they share. Ten owners are shown unless --limit or --all says otherwise; --json writes "
         "all.",
         {{"heapwhy owners 41233 str", "Who owns all these strings."},
          {"heapwhy owners a.hwsnap dict --limit 30", "The thirty owners with most dicts."}}},
    [HW_COMMAND_PATHS] =
        {"paths",
         "X OBJECT",
         2,
         2,
         "the paths to all objects of a type, merged",
         X_MEANS OBJECT_MEANS
         "Brings all objects that OBJECT names together by the most telling path to each, with "
         "everything left out in which their paths differ: indices and keys read [*], steps that "
         "repeat are folded (.next+), functions go by name and file. Says how many objects are on "
         "each path, how much memory they take, which type holds them there, and the address of "
         "one of them. Ten paths are shown unless --limit or --all says otherwise; --json writes "
         "all.",
         {{"heapwhy paths 41233 app.Session", "Where all the sessions hang."},
          {"heapwhy paths a.hwsnap dict --limit 30", "The thirty places with most dicts."}}},
    [HW_COMMAND_SHOW] =
        {"show",
         "X OBJECT",
         2,
         2,
         "one object: type, size, content, references both ways",
         X_MEANS OBJECT_MEANS
         "Prints what the object is, what it refers to and what refers to it, with the name of "
         "every reference.",
         {{"heapwhy show 41233 \"sys.modules['app'].cache\"", "The object an expression names."},
          {"heapwhy show a.hwsnap 0x7f3a5c0b1230 --limit 100",
           "Up to a hundred references each way."}}},
    [HW_COMMAND_MEMORY] =
        {"memory",
         "X [Y...]",
         1,
         1000,
         "every byte of RSS: objects, allocators, libraries, stacks",
         X_MEANS "Adds up where each resident page of the process belongs: Python objects by kind, "
                 "what they keep outside themselves, free blocks and pools of Python's allocator, "
                 "malloc's blocks in use and free, stacks, libraries, files, and what nothing is "
                 "known of. The parts add up to the RSS. Tells which objects keep arenas that are "
                 "mostly free, and the sizes of malloc's blocks that belong to no Python object.\n"
                 "With several snapshots of one process, in any order: growth from the first to "
                 "the last. What stays free but is kept is no leak; what C code has in use and "
                 "grows may be one.",
         {{"heapwhy memory 41233", "Where the memory of a process is."},
          {"heapwhy memory before.hwsnap after.hwsnap", "Which part of it grew."},
          {"heapwhy memory --json 41233 | jq '.parts[] | {name, rss_bytes}'",
           "The parts, for a script."}}},
    [HW_COMMAND_GC] =
        {"gc",
         "X",
         1,
         1,
         "the garbage collector: does it run, and what would it free",
         X_MEANS
         "Tells what gc.isenabled(), get_threshold(), get_count(), get_stats(), get_debug() "
         "and get_freeze_count() say inside, how many objects each generation has, what "
         "gc.garbage holds, and what gc.collect() would free now, without running it. It is "
         "the collector of the main interpreter.\n"
         "Python does not record when it collected last; --watch finds out what it can.",
         {{"heapwhy gc 41233", "The collector's state in one screen."},
          {"heapwhy gc 41233 --watch 30s", "How often it runs, too."},
          {"heapwhy gc --json a.hwsnap | jq .free_bytes", "What gc.collect() would have freed."}}},
    [HW_COMMAND_RETAINED] =
        {"retained",
         "X [OBJECT]",
         1,
         2,
         "what would be freed with each object, type and module",
         X_MEANS OBJECT_MEANS
         "An object retains itself and everything that is reached through it alone: what would be "
         "freed if nothing referred to it. Without OBJECT: memory by module, frame or thread, each "
         "object charged to the nearest one that all ways from a root to it lead through; by type, "
         "objects below one of the same type not counted again; and the objects that retain most. "
         "With OBJECT: what it retains by type, and which objects own it.\n"
         "Exact: computed from every reference of the whole heap. Weak references hold nothing.",
         {{"heapwhy retained 41233", "What takes the memory, and whose it is."},
          {"heapwhy retained a.hwsnap \"sys.modules['app'].cache\"", "What one cache keeps alive."},
          {"heapwhy retained a.hwsnap app.Session --objects 5", "Five of the sessions."}}},
    [HW_COMMAND_TREE] =
        {"tree",
         "X [OBJECT]",
         1,
         2,
         "descend from owner to owned, largest first",
         X_MEANS OBJECT_MEANS
         "Prints the dominator tree: below each object stand those that it owns, each with what it "
         "retains and how it is held. An object is owned by the nearest one that all ways from a "
         "root to it lead through; \"several ways\" means that the owner holds it through several "
         "others. Begins at OBJECT, or at the root of everything. Branches that retain less than "
         "one percent, and all after the "
         "first ones, are summed up on a line; --all and --limit show more.",
         {{"heapwhy tree 41233", "From the root: where the memory is."},
          {"heapwhy tree a.hwsnap \"sys.modules['app'].hub\" --depth 2",
           "Two levels below one object."}}},
    [HW_COMMAND_CYCLES] =
        {"cycles",
         "X",
         1,
         1,
         "cycles that only the collector can free, and how to break them",
         X_MEANS "What gc.collect() would free, without running it: objects that only cycles keep "
                 "alive, since the collector is off or has not come yet. Cycles of one shape are "
                 "one entry: how many, the attributes that close them, and the reference to make "
                 "weak. A proposed reference was tested: without it no cycle is left. "
                 "Besides: objects whose __del__ must run first, and what gc.garbage holds.\n"
                 "Five kinds of cycles are shown unless --limit or --all says otherwise; --json "
                 "writes all.\n"
                 "Where a program runs with the collector off, --watch-cycles is the check that it "
                 "may: it tells every cycle that appears. An interrupt, or the end of the process, "
                 "ends it with status 0 (with --exit-code 3 after new cycles).",
         {{"heapwhy cycles 41233", "The cycles of a running process."},
          {"heapwhy cycles 41233 --watch-cycles -i 1m", "Each minute, which cycles are new."},
          {"heapwhy cycles --json a.hwsnap | jq -r '.cycles[].closes'",
           "What closes each kind of cycle, from a file."}}},
    [HW_COMMAND_RESOURCES] =
        {"resources",
         "X [X...]",
         1,
         1000,
         "descriptors, threads, tasks: who owns each, who waits",
         X_MEANS
         "Which Python object owns each open file, socket, pipe and epoll set, as a path, and which "
         "ones nobody owns; what each socket is connected to; files that were deleted and are still "
         "open; what should have been closed, and the evidence for it; where each thread and each "
         "asyncio task waits; child processes, and those that ended and nobody waited for; database "
         "connections. What is alike is one row, with the number of one of them; --json writes each "
         "by itself.\n"
         "With several snapshots of one process, in any order, the last may be the process itself: "
         "how many there were of each, and what became more.",
         {{"heapwhy resources 41233", "What the process has open."},
          {"heapwhy resources a.hwsnap b.hwsnap 41233", "What became more."},
          {"heapwhy resources --json 41233 | jq '.descriptors[] | select(.owner | not)'",
           "Descriptors that no Python object owns."}}},
    [HW_COMMAND_AUDIT] =
        {"audit",
         "PID | FILE...",
         1,
         1000,
         "references that nothing accounts for: a missing decref in C code",
         "Every reference to an object is counted in it. From each count all references are taken away "
         "that can be seen: of other objects, interpreters, threads, frames, and what C variables and "
         "C code's own memory point at. What is left is told by type, with samples of the content and "
         "the extension modules that are nearest; so are objects that are alive in an allocator's "
         "memory and that nothing leads to, strings and numbers, too: they are called lost.\n"
         "C code may keep a reference for good where nobody sees it, so one look calls nothing a leak. "
         "Several looks do, -n of them at a process, or several snapshots of it in the order of time: "
         "a type leaks when its references rose from each look to the next.\n"
         "What a word on a C stack points at may be in use by code that runs now; what a word in C "
         "code's memory points at may be kept there, or the word may be stale. Both are told apart.\n"
         "Twenty types are shown unless --limit or --all says otherwise; --json writes all.",
         {{"heapwhy audit 41233", "What nothing accounts for now."},
          {"heapwhy audit 41233 -n 3 -i 10s", "Three looks, ten seconds apart: what grows."},
          {"heapwhy audit a.hwsnap b.hwsnap", "The same from two snapshots."},
          {"heapwhy audit --json 41233 | jq '.types[] | .type, .samples'",
           "Types and what they contain, for a script."}}},
    [HW_COMMAND_SITES] =
        {"sites",
         "X [Y]",
         1,
         2,
         "where in the program memory was allocated that is still in use",
         X_MEANS
         "Reads from outside what is written down in the process: nothing runs in it. A process that was started "
         "by heapwhy run has a sample, of which all numbers are estimates; one that runs tracemalloc has every "
         "block, which slows it down: PYTHONTRACEMALLOC=10 in the environment, "
         "python3 -X tracemalloc=10, or tracemalloc.start(10) in the program; 10 is how many frames of each "
         "stack are kept. Only what was allocated since then is known. Blocks and bytes are those of "
         "tracemalloc.take_snapshot(), of all domains: objects, and for themselves tables of dicts and items "
         "of lists. What is mostly made at a place is told, too.\n"
         "With two snapshots, files in any order by the times of their capture, the last may be the process "
         "itself: what became more or less, as Snapshot.compare_to() tells it. Twenty sites are shown unless "
         "--limit or --all says otherwise; --json writes all.",
         {{"heapwhy sites 41233", "The lines that hold most memory."},
          {"heapwhy sites 41233 --by=traceback --limit 3", "The three largest, with their callers."},
          {"heapwhy sites a.hwsnap 41233", "What came since a snapshot, by line."},
          {"heapwhy sites --json 41233 | jq -r '.sites[] | \"\\(.bytes) \\(.file):\\(.line)\"'",
           "All of them, for a script."}}},
    [HW_COMMAND_ALLOCATIONS] =
        {"allocations",
         "X [Y]",
         1,
         2,
         "what a recording tells: peak, leaks, temporary blocks, by place",
         R_MEANS
         "Of a recording the peak is told, by line: what was in use when most was, beside it what is in use at the "
         "end, and what was allocated in all. --leaks, --allocated and --temporary sort by another measure. A line is that of the "
         "innermost Python function; what C code allocates counts for the line that called it. Of a process or a "
         "snapshot only what is in use is known.\n"
         "A recording with samples (heapwhy run without --every) has estimates; temporary is then "
         "what was given back before the next sample of its thread.\n"
         "With two recordings: what changed from the first to the second, by the same measure.\n"
         "Twenty rows are shown unless --limit or --all says otherwise; --json writes all.",
         {{"heapwhy allocations app.hwrec", "The peak, by line."},
          {"heapwhy allocations app.hwrec --leaks --by=traceback --limit 3",
           "What is left at the end, with all callers."},
          {"heapwhy allocations app.hwrec --temporary --by=function", "Which functions make blocks for a moment."},
          {"heapwhy allocations app.hwrec --over-time", "Memory in use over time, too."},
          {"heapwhy allocations old.hwrec new.hwrec", "What the new version does otherwise."},
          {"heapwhy allocations --json app.hwrec | jq -r '.rows[] | \"\\(.peak.bytes) \\(.file):\\(.line)\"'",
           "All lines, for a script."}}},
    [HW_COMMAND_LINES] =
        {"lines",
         "X FILE",
         2,
         2,
         "a source file with what each line allocated",
         R_MEANS
         "FILE is a source file as the program knew it, or the end of its path: app.py, views/user.py. Each line is "
         "shown with what of its memory is in use, was at the peak, and was allocated in all; blocks are those "
         "allocated in all. What C code allocates counts for the line that called it. Functions without any number are left out, and "
         "all other lines without one. Where the source is not there, lines are told by their numbers.",
         {{"heapwhy lines app.hwrec hub.py", "The file with its numbers."},
          {"heapwhy lines app.hwrec hub.py --cumulative", "With what the called functions allocate."},
          {"heapwhy lines 41233 hub.py --function Hub.subscribe", "One function of a running process."}}},
    [HW_COMMAND_RUN] =
        {"run",
         "PROGRAM [ARG]...",
         1,
         UINT_MAX,
         "run a program that writes down where it allocates",
         "PROGRAM is a script (NAME.py, run by python3; ./NAME.py with a #! line by what that names), with -m a "
         "module, or any program that is or starts a CPython. Processes that it starts are followed, unless it "
         "takes LD_PRELOAD and HEAPWHY_AGENT out of their environment. heapwhy becomes the program: its "
         "process id, its exit status and its signals are as without; 127 and 126 say that there is no such program, "
         "or that it cannot be run. heapwhy sites PID and heapwhy diagnose PID then tell where objects were made.\n"
         "A small library is loaded into the program and looks at a sample of the blocks that Python's "
         "allocators hand out. It runs no Python code, changes nothing but the allocators' hooks, and keeps at most "
         "32 MiB. What is told from samples is an estimate. Not seen are memory that C code takes from malloc by itself, "
         "debug and free-threaded builds, interpreters that are linked statically, and those that set their "
         "allocators anew (PYTHONMALLOC, -X dev).",
         {{"heapwhy run app.py --port 8000", "Run a script, with its own options."},
          {"heapwhy run -m gunicorn app:app", "A module and its workers."},
          {"heapwhy run --every -o app.hwrec app.py", "Record every allocation to a file."},
          {"heapwhy run --rate 1MiB celery -A app worker", "Fewer samples, less work."}}},
    [HW_COMMAND_ATTACH] =
        {"attach",
         "PID",
         1,
         1,
         "let a running process write down where it allocates",
         "Loads the agent of heapwhy run into a process that runs already. From then on heapwhy sites PID and heapwhy "
         "diagnose PID tell where objects were made; what is older has no site. heapwhy detach takes it out again.\n"
         "This command and detach are the only ones that run something in another process: two calls, the loader's and the agent's, made "
         "by a thread of the process that stands where it holds no lock that they need, as in a wait for "
         "input or amid Python code. All its native callers are looked at before; what cannot be told is not safe, and "
         "after --timeout the process is refused, unchanged. The thread gets the stack frame that the kernel makes for "
         "a signal, so that it goes on by itself, whatever happens to heapwhy. From Python 3.14 on the interpreter's own "
         "remote execution does it, where the program comes by within a second.\n"
         "Refused, with the reason, are processes that are stopped, frozen, traced, or filter their system calls, debug "
         "and free-threaded builds, and those without glibc.",
         {{"heapwhy attach 41233", "From now on."},
          {"heapwhy attach 41233 --rate 1MiB", "Fewer samples, less work."},
          {"heapwhy attach 41233 && sleep 600 && heapwhy sites 41233; heapwhy detach 41233",
           "What ten minutes of work leave behind, by line."}}},
    [HW_COMMAND_DETACH] =
        {"detach",
         "PID",
         1,
         1,
         "take the agent out of a running process",
         "Puts Python's allocators back as they were and gives the agent's memory back, in a process that attach "
         "or run has put it into; what it has written down is gone. It is done by a call as careful as that of "
         "attach. The library itself stays mapped, some hundred kilobytes, since a thread may stand in its "
         "code; it does nothing any more, and attach finds it there.\n"
         "Where something else has put itself before the agent since (tracemalloc.start() in the program), "
         "the agent stays in its place and passes everything on.",
         {{"heapwhy detach 41233", "No more samples."}}},
    [HW_COMMAND_FLAME] =
        {"flame",
         "X -o FILE",
         1,
         1,
         "a flame graph of where memory was allocated",
         R_MEANS
         "FILE.html is a page for any browser, complete in itself: a click looks at one function and what is below "
         "it, a search tells how much of the memory is below what it finds, and the measure and the direction can "
         "be changed. FILE.svg is a picture, for an issue tracker or a document: each box has a title, which "
         "browsers show under the mouse.\n"
         "Width is memory. Callers stand above whom they call, largest first. What has less than 0.05 % of each "
         "measure is summed up as (others).",
         {{"heapwhy flame 41233 -o app.html", "Of a process that was started by heapwhy run."},
          {"heapwhy flame app.hwrec --leaks --by=function -o app.svg", "A picture of what was never given back."}}},
    [HW_COMMAND_EXPORT] =
        {"export",
         "X",
         1,
         1,
         "where memory was allocated, in the formats of other tools",
         R_MEANS
         "collapsed: one line for each stack, root first, and its bytes: app.py:main:90;app.py:Hub.add:41 5200. A "
         "semicolon within a name is written as \\x3b. speedscope and pprof have all measures that are "
         "known; pprof's labels are thread and domain.",
         {{"heapwhy export 41233 | flamegraph.pl > app.svg", "Collapsed stacks, for another flame graph."},
          {"heapwhy export 41233 --format pprof -o app.pb.gz; go tool pprof -top app.pb.gz", "For pprof."},
          {"heapwhy export a.hwsnap --format speedscope -o a.json", "For speedscope.app."},
          {"heapwhy export --json 41233 | jq '.stacks[0]'", "For a script."}}},
    [HW_COMMAND_TEXT] =
        {"text",
         "X",
         1,
         1,
         "one sorted line for each object, made for diff and vimdiff",
         X_MEANS "A line is the object's type and its content, or for a container its length; no "
                 "addresses, so that the same objects give the same lines. With --ndjson instead "
                 "one JSON object a line, with addresses and every reference. Large heaps are "
                 "sorted in bounded memory, with the help of $TMPDIR.",
         {{"heapwhy text a.hwsnap > a.txt; heapwhy text b.hwsnap > b.txt; vimdiff a.txt b.txt",
           "Look at what came and went."},
          {"heapwhy text --ndjson 41233 | jq -c 'select(.size > 1000000)'",
           "Objects over a megabyte."}}},
    [HW_COMMAND_WATCH] =
        {"watch",
         "PID | NAME | FILE... | -- PROGRAM [ARGUMENT...]",
         1,
         1000,
         "tell when the memory of a process grows for good, or too much",
         "Looks at processes from outside once a second, without stopping them: resident memory, "
         "descriptors, threads, and seldom PSS. An alarm is told when the resident memory reaches "
         "--rss, and when memory grows for good: not up and down like a sawtooth or a wave, not in "
         "a step, not back to where it has been before, and not while a process starts up. How "
         "fast it grows is said, and when which limit will be reached: --rss, the control group's, "
         "the machine's, RLIMIT_AS, RLIMIT_DATA.\n"
         "NAME is an extended regular expression, found in the names of commands, as pgrep finds "
         "them, and in what interpreters run: app.py, -m http.server. Processes of that name are "
         "followed as they come and go; where there is none yet, one is waited for.\n"
         "With --exec a command is run at each alarm, by /bin/sh -c. Nothing of the process gets "
         "into the "
         "command's text; its environment has HEAPWHY_PID, HEAPWHY_NAME, HEAPWHY_REASON (rss, "
         "growth), "
         "HEAPWHY_ANSWER, HEAPWHY_RSS_BYTES, HEAPWHY_BYTES_PER_SECOND, HEAPWHY_LIMIT and "
         "HEAPWHY_LIMIT_SECONDS. What it prints goes to standard error. While it runs, other "
         "alarms start no second one; what still runs when the watch ends runs on.\n"
         "FILE is what watch has recorded with --output or --json, or mprof (a name with a slash, or that "
         "ends in .jsonl or .dat): which alarms there would have been.\n"
         "PROGRAM is run, watched ten times a second until it ends, and recorded for heapwhy plot: in "
         "--output, or in heapwhy-TIME.jsonl in the current directory. Its environment has "
         "HEAPWHY_RECORDING, the path of the recording, to which python -m heapwhy.lines --timestamp adds "
         "when marked functions ran.\n"
         "Exit status: 0 after Ctrl-C, SIGTERM, --for or the end of all processes; with "
         "--until-alarm 3 after an alarm; 1 when there is no process of a given PID; 2 after wrong usage.",
         {{"heapwhy watch 41233", "One process."},
          {"heapwhy watch app.py --rss 500M --diagnose", "All that run app.py; say also why."},
          {"heapwhy watch --children -o app.jsonl -- python3 app.py",
           "Run a program, record it for heapwhy plot."},
          {"heapwhy watch gunicorn --exec 'logger \"$HEAPWHY_ANSWER\"'", "Tell the system's log."},
          {"heapwhy watch 41233 --until-alarm --for 10m", "For a script: 3 when it leaks."},
          {"heapwhy watch ./app.jsonl --growth 20k/s", "What a recording would have told."}}},
    [HW_COMMAND_PLOT] =
        {"plot",
         "FILE | PID | NAME...",
         1,
         1000,
         "memory over time, in the terminal or as SVG",
         "Draws the resident memory of processes over time, each with its peak marked, and where "
         "alarms were; when functions ran, if the recording tells; and what a family of processes has together. "
         "FILE is what heapwhy watch has recorded, or mprof (memory_profiler): a "
         "name with a slash, or that ends in .jsonl or .dat. Running processes are looked at for "
         "a while first, as watch does.\n"
         "Without a UTF-8 locale, or on a dumb terminal, it is drawn in ASCII; several processes "
         "are told apart by colours, without them by letters.",
         {{"heapwhy plot app.jsonl", "What watch --json has recorded."},
          {"heapwhy plot mprofile_20251120110000.dat -o app.svg", "mprof's recording, as SVG."},
          {"heapwhy plot app.jsonl --stacked --window 0,1m -o app.svg",
           "The first minute, processes upon each other."},
          {"heapwhy plot app.jsonl --peak", "The most that each process had."},
          {"heapwhy plot 41233 --children --for 2m", "A process and its children, from now on."}}},
    [HW_COMMAND_CHECK] =
        {"check",
         "FILE",
         1,
         1,
         "is this snapshot file whole",
         "Reads every byte of the file, verifies every checksum and every cross reference, and "
         "lists what the file consists of. Exit status 1 when something is wrong.",
         {{"heapwhy check before.hwsnap", "Verify one file."}}},
    [HW_COMMAND_HELP] = {"help",
                         "[COMMAND]",
                         0,
                         1,
                         "what a command does, its options and examples",
                         "Without COMMAND: the list of commands.",
                         {{"heapwhy help diff", "The help of one command."}}},
};
