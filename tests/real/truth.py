#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what heapwhy reads from outside with what a process says about itself.

    python3 tests/real/truth.py [--python PATH] [--keep DIR]
    python3 tests/real/truth.py --dump FILE --ndjson FILE

Prints how many objects and edges were compared and how many agree, which exceptions of
truth-exceptions.json were used, and the disagreements, grouped by type. Exit status 1 if there are
any.
"""
import argparse
import collections
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

GROUPS_SHOWN = 30

Inside = collections.namedtuple("Inside", "type size refs")
Outside = collections.namedtuple("Outside", "type size tracked refs")  # refs: (to, label)


def number(value):
    return value if isinstance(value, int) else int(value, 0)


def plain_type(name):
    name = name.replace(" ", "_")
    return name[len("builtins."):] if name.startswith("builtins.") else name


class Dump:
    """What the probe wrote."""

    def __init__(self, lines):
        self.objects = {}
        self.unstable = set()
        self.version = 0
        self.modules = 0
        self.frozen = 0
        for line in lines:
            kind, *fields = line.decode().rstrip("\n").split(" ")
            if kind == "v":
                self.version, self.modules = int(fields[0], 16), int(fields[1])
            elif kind == "f":
                self.frozen = int(fields[0], 16)
            elif kind == "u":
                self.unstable.add(int(fields[0], 16))
            elif kind == "o":
                refs = [int(one, 16) for one in fields[3].split(",") if one]
                self.objects[int(fields[0], 16)] = Inside(plain_type(fields[2]), int(fields[1], 16), refs)
        for ident in self.unstable:
            self.objects.pop(ident, None)


def read_ndjson(lines):
    graph = {}
    for line in lines:
        if not line:
            continue
        row = json.loads(line)
        refs = [(number(ref["to"]), ref["label"]) for ref in row["refs"]]
        graph[number(row["addr"])] = Outside(plain_type(row["type"]), row["size"], row["tracked"], refs)
    return graph


class Rules:
    """truth-exceptions.json, for one version of Python."""

    def __init__(self, version, path=os.path.join(HERE, "truth-exceptions.json")):
        with open(path) as source:
            rules = json.load(source)["rules"]
        minor = version >> 16 & 0xff
        self.rules = [r for r in rules if r.get("min", 0) <= minor <= r.get("max", 99)]
        self.used = collections.Counter()
        self.verdicts = {}

    def find(self, side, owner, label, target):
        key = (side, owner, label, target)
        if key not in self.verdicts:
            self.verdicts[key] = next((r["name"] for r in self.rules if self.fits(r, *key)), None)
        return self.verdicts[key]

    @staticmethod
    def fits(rule, side, owner, label, target):
        given = {"owner": owner, "label": label, "target": target}
        return rule["side"] == side and all(
            re.fullmatch(rule.get(part, ".*"), text, re.S) for part, text in given.items())


class Comparison:
    def __init__(self, dump, graph):
        self.dump = dump
        self.graph = graph
        self.rules = Rules(dump.version)
        self.edges_inside = self.edges_agreed = self.agreed = 0
        self.lost, self.not_tracked, self.wrong_type, self.wrong_size = [], [], [], []
        self.missing, self.extra = {}, {}  # address -> Counter of targets
        self.read_too_much = {}  # as extra, but nothing is forgiven yet
        for address, inside in dump.objects.items():
            self.compare_object(address, inside)
        self.settle_moved()
        self.invented = [a for a, o in graph.items()
                         if o.tracked and a not in dump.objects and a not in dump.unstable]
        # gc.get_objects() leaves frozen objects out; 3.12's collector freezes what is immortal.
        self.frozen = len(self.invented)
        if self.frozen == dump.frozen:
            self.invented = []

    def type_at(self, address):
        found = self.graph.get(address) or self.dump.objects.get(address)
        return found.type if found else "?"

    def compare_object(self, address, inside):
        self.edges_inside += len(inside.refs)
        outside = self.graph.get(address)
        if outside is None:
            self.lost.append(address)
            return
        if not outside.tracked:
            self.not_tracked.append(address)
        if outside.type != inside.type:
            self.wrong_type.append(address)
        if outside.size != inside.size:
            self.judge_size(address, inside)
        self.compare_edges(address, inside, outside)

    def judge_size(self, address, inside):
        rule = self.rules.find("size", inside.type, "", "")
        if rule:
            self.rules.used[rule] += 1
        else:
            self.wrong_size.append(address)

    def compare_edges(self, address, inside, outside):
        expected = collections.Counter(inside.refs)
        read = collections.Counter(to for to, _ in outside.refs)
        self.read_too_much[address] = read - expected
        missing = self.forgive_missing(inside, expected - read)
        extra = self.forgive_extra(outside, read - expected)
        self.edges_agreed += sum((expected & read).values())
        if missing:
            self.missing[address] = missing
        if extra:
            self.extra[address] = extra

    def settle_moved(self):
        """Edges that heapwhy gives to an object and the collector to one that the object owns, its
        __dict__ say, are one difference and not two."""
        for address, extra in self.read_too_much.items():
            owner = self.graph[address]
            for to, label in owner.refs if extra else ():
                # Of an untracked dict the process tells nothing.
                told = self.missing.get(to, collections.Counter())
                moved = extra & told if to in self.dump.objects else extra
                rule = self.rules.find("moved", owner.type, label, self.type_at(to))
                if not rule or not moved:
                    continue
                self.rules.used[rule] += sum(moved.values())
                self.edges_agreed += sum(moved.values())
                told -= moved
                if address in self.extra:
                    self.extra[address] -= moved
        self.extra = {address: left for address, left in self.extra.items() if left}
        self.missing = {address: left for address, left in self.missing.items() if left}

    def forgive_missing(self, inside, missing):
        left = collections.Counter()
        for target, count in missing.items():
            rule = self.rules.find("missing", inside.type, "", self.type_at(target))
            if rule:
                self.rules.used[rule] += count
            else:
                left[target] = count
        return left

    def forgive_extra(self, outside, extra):
        """An edge too many is forgiven if one of the edges to that target is under a rule."""
        left = collections.Counter()
        for target, count in extra.items():
            for to, label in outside.refs:
                if to != target or not count:
                    continue
                rule = self.rules.find("extra", outside.type, label, self.type_at(target))
                if rule:
                    self.rules.used[rule] += 1
                    count -= 1
            if count:
                left[target] = count
        return left

    def right(self):
        return not (self.lost or self.not_tracked or self.wrong_type or self.wrong_size
                    or self.missing or self.extra or self.invented)

    # ---- the report ----

    def describe_edges(self, address):
        for target, count in self.missing.get(address, {}).items():
            yield "missing -> %s%s" % (self.type_at(target), " x%d" % count if count > 1 else "")
        labels = dict((to, label) for to, label in self.graph[address].refs)
        for target, count in self.extra.get(address, {}).items():
            label = re.sub(r"\d+", "N", labels[target])[:40]
            yield "extra   %s -> %s" % (label, self.type_at(target))

    def edge_groups(self):
        groups = collections.defaultdict(lambda: collections.defaultdict(list))
        for address in set(self.missing) | set(self.extra):
            for text in self.describe_edges(address):
                groups[self.type_at(address)][text].append(address)
        ranked = sorted(groups.items(), key=lambda g: -max(len(a) for a in g[1].values()))
        for name, texts in ranked[:GROUPS_SHOWN]:
            yield "  %s (%d objects)" % (name, len({a for found in texts.values() for a in found}))
            for text, found in sorted(texts.items(), key=lambda t: -len(t[1]))[:8]:
                yield "      %5d  %-60s e.g. %#x" % (len(found), text, found[0])
        if len(ranked) > GROUPS_SHOWN:
            yield "  and %d types more" % (len(ranked) - GROUPS_SHOWN)

    def object_groups(self, title, addresses, describe):
        if not addresses:
            return
        yield "%s: %d" % (title, len(addresses))
        groups = collections.defaultdict(list)
        for address in addresses:
            groups[describe(address)].append(address)
        for text, found in sorted(groups.items(), key=lambda g: -len(g[1]))[:GROUPS_SHOWN]:
            yield "  %6d  %-60s e.g. %#x" % (len(found), text, found[0])

    def report(self):
        dump, total = self.dump, len(self.dump.objects)
        off = len(self.missing.keys() | self.extra.keys())
        yield "Python %d.%d.%d, %d modules imported" % (
            dump.version >> 24, dump.version >> 16 & 255, dump.version >> 8 & 255, dump.modules)
        yield "objects compared %d, found %d, sizes right %d, types right %d, edges right %d" % (
            total, total - len(self.lost), total - len(self.lost) - len(self.wrong_size),
            total - len(self.lost) - len(self.wrong_type), total - len(self.lost) - off)
        yield "edges inside %d, read outside as well %d (%.4f %%)" % (
            self.edges_inside, self.edges_agreed, 100.0 * self.edges_agreed / max(1, self.edges_inside))
        yield "left out: %d objects that changed during the dump, or that count nothing" % len(dump.unstable)
        if dump.frozen:
            yield "frozen: %d objects, tracked outside only: %d" % (dump.frozen, self.frozen)
        for name, count in self.rules.used.most_common():
            yield "exception used: %s: %d times" % (name, count)
        inside, outside = dump.objects, self.graph
        yield from self.object_groups("not found outside", self.lost, lambda a: inside[a].type)
        yield from self.object_groups("not seen as tracked", self.not_tracked, lambda a: inside[a].type)
        yield from self.object_groups("tracked outside only", self.invented, lambda a: outside[a].type)
        yield from self.object_groups("wrong type", self.wrong_type, lambda a: "%s, read as %s" % (
            inside[a].type, outside[a].type))
        yield from self.object_groups("wrong size", self.wrong_size, lambda a: "%s by %+d" % (
            inside[a].type, outside[a].size - inside[a].size))
        if off:
            yield "wrong edges: %d objects" % off
            yield from self.edge_groups()


def probe(interpreter, keep=None):
    """Runs the probe and heapwhy; returns the comparison."""
    lines = []
    script = os.path.join(HERE, "probe_truth.py")
    with support.ready_target(interpreter, script, sink=lines.append) as process:
        text = support.heapwhy("text", "--ndjson", process.pid)
    if keep:
        os.makedirs(keep, exist_ok=True)
        with open(os.path.join(keep, "dump.txt"), "wb") as out:
            out.writelines(lines)
        with open(os.path.join(keep, "graph.ndjson"), "w") as out:
            out.write(text)
    return Comparison(Dump(lines), read_ndjson(text.split("\n")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter to probe")
    parser.add_argument("--keep", metavar="DIR", help="leave dump.txt and graph.ndjson there")
    parser.add_argument("--dump", help="compare a dump that was kept ...")
    parser.add_argument("--ndjson", help="... with this")
    arguments = parser.parse_args()
    if arguments.dump:
        with open(arguments.dump, "rb") as dump, open(arguments.ndjson) as graph:
            result = Comparison(Dump(dump), read_ndjson(graph))
    else:
        result = probe(support.PlainInterpreter(arguments.python), arguments.keep)
    print("\n".join(result.report()))
    sys.exit(not result.right())


if __name__ == "__main__":
    main()
