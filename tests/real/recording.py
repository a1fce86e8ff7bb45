# SPDX-License-Identifier: Apache-2.0
"""A second reader of recordings (src/agent/recording.h), written from the format alone; made to be read, not to be fast."""
import struct
from collections import namedtuple

HEAD = struct.Struct("<8sIIQQiiII")
CHUNK = struct.Struct("<IIQ")
NATIVE = 2 ** 32 - 1
FILL, ALLOC, FREE, OTHER = range(4)
TEXT, SITE, THREAD, TIME, RATE, FORGET, MISSED, END = range(8)

Block = namedtuple("Block", "bytes domain site tid")
Site = namedtuple("Site", "file function line caller")


def unzigzag(z):
    return z >> 1 ^ -(z & 1)


class Recording:
    """Replays a file: live blocks by address, and all that was counted on the way."""

    def __init__(self, path, each=None):
        """each(recording, kind, addr) is called after every ALLOC and before every FREE of a known block."""
        with open(path, "rb") as file:
            self.data = file.read()
        (magic, version, head_bytes, self.rate, self.began, self.pid, self.parent_pid, self.python,
         _) = HEAD.unpack_from(self.data)
        assert (magic, version) == (b"hwrecord", 1)
        self.command = self.data[HEAD.size:head_bytes].decode().split("\0")[:-1]
        self.texts, self.sites, self.threads = [""], [None], {}
        self.live, self.each = {}, each
        self.allocs = self.frees = self.unknown_frees = self.replaced = self.events = self.missed = 0
        self.bytes = self.chunks = self.ns = self.peak = self.now = 0
        self.ended, self.tid, self.rates = False, None, []
        at = head_bytes
        while at + CHUNK.size <= len(self.data):
            size, events, began = CHUNK.unpack_from(self.data, at)
            at += CHUNK.size
            if at + size > len(self.data):
                break
            assert size and size <= 1 << 18 and not self.ended
            self.chunk(at, at + size, events, began)
            at += size
        self.complete_bytes = at

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def chunk(self, at, end, events, began):
        assert began >= self.ns
        self.at, self.last, self.ns = at, 0, began
        self.slots = [[0, 0, 0, 0] for _ in range(64)]
        self.chunks += 1
        count = 0
        while self.at < end:
            kind, p = self.data[self.at] >> 6, self.data[self.at] & 63
            self.at += 1
            (self.fill, self.alloc, self.free, self.other)[kind](p)
            count += 1
        assert self.at == end and count == events, (count, events)
        self.events += events

    def fill(self, p):
        site, what = len(self.sites) - self.number(), self.number()
        assert 0 <= site < len(self.sites)
        self.slots[p] = [site, what >> 3, what & 7, self.last]

    def alloc(self, p):
        slot = self.slots[p]
        self.last = slot[3] = slot[3] + unzigzag(self.number())
        addr = self.last * 8
        self.replaced += addr in self.live
        self.now -= self.live[addr].bytes if addr in self.live else 0
        self.live[addr] = Block(slot[1], slot[2], slot[0], self.tid)
        self.allocs += 1
        self.bytes += slot[1]
        self.now += slot[1]
        self.peak = max(self.peak, self.now)
        if self.each:
            self.each(self, ALLOC, addr)

    def free(self, p):
        z = p & 31
        if p >> 5:
            z |= self.number() << 5
        self.last += unzigzag(z)
        addr = self.last * 8
        self.frees += 1
        if addr not in self.live:
            self.unknown_frees += 1
            return
        if self.each:
            self.each(self, FREE, addr)
        self.now -= self.live.pop(addr).bytes

    def other(self, what):
        if what == TEXT:
            size = self.number()
            self.texts.append(self.data[self.at:self.at + size].decode())
            self.at += size
        elif what == SITE:
            file, function, line, back = (self.number() for _ in range(4))
            caller = len(self.sites) - back
            assert 0 <= caller < len(self.sites) and file < len(self.texts)
            self.sites.append(Site(self.texts[file], function if function == NATIVE else self.texts[function], line, caller))
        elif what == THREAD:
            self.tid, name = self.number(), self.number()
            self.threads[self.tid] = self.texts[name]
        elif what == TIME:
            self.ns += self.number()
        elif what == RATE:
            self.rates.append(self.number())
        elif what == FORGET:
            addr = (self.last + unzigzag(self.number())) * 8
            self.now -= self.live.pop(addr).bytes
        elif what == MISSED:
            self.missed += self.number()
        else:
            assert what == END
            self.ended = True

    def stack(self, number):
        """Of a site, innermost first: (file, function, line)."""
        found = []
        while number:
            site = self.sites[number]
            found.append((site.file, site.function, site.line))
            assert site.caller < number
            number = site.caller
        return found

    def by_line(self):
        """{(file, line): [blocks, bytes]} of what is live."""
        rows = {}
        for block in self.live.values():
            top = self.stack(block.site)[:1]
            row = rows.setdefault((top[0][0], top[0][2]) if top else None, [0, 0])
            row[0] += 1
            row[1] += block.bytes
        return rows
