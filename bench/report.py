# SPDX-License-Identifier: Apache-2.0
"""The figures as a table of 80 columns."""

# Call inside the process, package it comes from.
PEERS = [
    ("gc.collect", None),
    ("objgraph.typestats", "objgraph"),
    ("guppy.hpy().heap", "guppy3"),
    ("pympler summary", "pympler"),
    ("objgraph.growth", "objgraph"),
    ("objgraph.find_backref_chain", "objgraph"),
    ("pympler asizeof", "pympler"),
    ("guppy domisize", "guppy3"),
]
SIZERS = ("pympler asizeof", "guppy domisize")

# What heapwhy does instead, and the figure that says how long it takes.
RIVALS = [
    ("objects by type", "heapwhy types PID", "types_pid",
     ["objgraph.typestats", "guppy.hpy().heap", "pympler summary"]),
    ("what has grown", "snapshot + diff", None, ["objgraph.growth"]),
    ("who holds it", "heapwhy holders PID", "holders_pid", ["objgraph.find_backref_chain"]),
    ("what a list keeps alive", "heapwhy retained PID 0x...", "retained_pid", list(SIZERS)),
]

# Goals. Time and memory are stated for 7 million objects: on small heaps, what is fixed dominates.
PAUSE_MS_PER_GIB, PAUSE_MS = 25, 5
LEAST_OBJECTS = 5_000_000
MEMORY_PER_OBJECT, FILE_PER_OBJECT = 60, 20
SECONDS_PER_MILLION = 2 / 7
FILE_SECONDS_PER_MILLION = 4 / 7  # types, owners, retained sizes and suspects, from a file


def mib(count):
    return f"{count / 2**20:,.0f} MiB"


def goal(value, limit, unit):
    return f"{limit:10.1f} {unit:<4}{'met' if value <= limit else 'not met'}"


def line(what, value, unit, limit=None):
    told = f"  {what:<37}{value:9.2f} {unit:<8}" + (goal(value, limit, unit) if limit else "")
    return told.rstrip()


def heap(figures):
    objects, seconds = figures["objects"], figures["seconds"]
    large = objects >= LEAST_OBJECTS
    wall_limit = objects / 1e6 * SECONDS_PER_MILLION if large else None
    memory_limit = MEMORY_PER_OBJECT if large else None
    file_limit = objects / 1e6 * FILE_SECONDS_PER_MILLION if large else None
    file_seconds = sum(seconds[name] for name in ("types_file", "retained_file", "diagnose_file"))
    pause_limit = PAUSE_MS + PAUSE_MS_PER_GIB * figures["rss_bytes"] / 2**30
    return [
        f"{figures['instances']:,} instances: {objects:,} objects, "
        f"{figures['references']:,} references, {mib(figures['rss_bytes'])}",
        f"  {'heapwhy':<37}{'best':>9}{'goal':>19}",
        line("snapshot to a file", figures["wall_s"], "s", wall_limit),
        line("  processor time of it", figures["cpu_s"], "s"),
        line("  the target stands still", figures["pause_ms"], "ms", pause_limit),
        line("  the same, worst of the runs", figures["pause_worst_ms"], "ms"),
        line("  heapwhy's memory for an object", figures["memory_per_object"], "B", memory_limit),
        line("  file for an object", figures["file_per_object"], "B", FILE_PER_OBJECT),
        line("  the target's memory grows", figures["target_rss_grown"] / 2**20, "MiB"),
        line("  its private dirty memory grows", figures["target_dirty_grown"] / 2**20, "MiB"),
        line("types FILE", seconds["types_file"], "s"),
        line("holders FILE 0x...", seconds["holders_file"], "s"),
        line("holders FILE __main__.Record", seconds["holders_type_file"], "s"),
        line("diff FILE FILE", seconds["diff_files"], "s"),
        line("retained FILE", seconds["retained_file"], "s"),
        line("tree FILE", seconds["tree_file"], "s"),
        line("diagnose FILE", seconds["diagnose_file"], "s"),
        line("types, retained and diagnose, FILE", file_seconds, "s", file_limit),
        line("  processor time of them", figures["file_cpu_s"], "s"),
        line("  heapwhy's memory for an object", figures["file_memory_per_object"], "B", memory_limit),
        line("diagnose: from the last freeze on", seconds["diagnose_after_last"], "s"),
    ]


def rival_rows(found, figures):
    rows = [
        f"  {'':<30}{'time':>9}{'/heapwhy':>10}{'stops for':>11}{'grows by':>10}{'sees':>8}"
    ]

    def row(what, time, base, stops, grown, saw):
        ratio = f"{time / base:9.1f}x" if base else f"{'':10}"
        saw = f"{saw / 1e6:6.1f} M" if saw >= 1e5 and what not in SIZERS else ""
        rows.append(f"  {what:<30}{time:7.2f} s{ratio}{stops * 1e3:8.0f} ms{mib(grown):>10}{saw:>8}".rstrip())

    for question, command, key, names in RIVALS:
        ours = figures["seconds"][key] if key else figures["wall_s"] + figures["seconds"]["diff_files"]
        rows.append(question)
        row(command, ours, ours, figures["pause_ms"] / 1e3, max(figures["target_rss_grown"], 0),
            figures["objects"])
        for name in names:
            if name in found:
                best = min(found[name]["seconds"])
                row(name, best, ours, best, found[name]["grown_kib"] * 1024, found[name]["saw"])
    if "gc.collect" in found:
        best = min(found["gc.collect"]["seconds"])
        rows.append("for comparison")
        row("gc.collect", best, 0, best, found["gc.collect"]["grown_kib"] * 1024,
            found["gc.collect"]["saw"])
        rows.append(f"  a snapshot takes as long as {figures['wall_s'] / best:.1f} collections")
    return rows


def text(result):
    host = result["machine"]
    rows = [
        f"{host['processor']}, {host['cores']} cores, Linux {host['kernel']}",
        f"Python {host['python']}, load average {host['load_before']:.1f} before, "
        f"{host['load_after']:.1f} after",
    ]
    for figures in result["heaps"]:
        rows += ["", *heap(figures)]
    first, last = result["heaps"][0], result["heaps"][-1]
    if last["objects"] > 1.5 * first["objects"]:
        growth = last["wall_s"] / first["wall_s"] / (last["objects"] / first["objects"])
        rows += ["", f"time for an object, largest heap to smallest: {growth:.2f} (linear: 1.00)"]
    for package, reason in result["missing"].items():
        rows += ["", f"{package} is left out: {reason}"]
    if result["peers"]:
        figures = result["heaps"][result["arena"]]
        names = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        rows += ["", f"Peers, inside a process with {figures['instances']:,} instances:", f"  {names}"]
        rows += rival_rows(result["peers"], figures)
    return "\n".join(rows)
