# SPDX-License-Identifier: Apache-2.0
"""Recordings written by hand (src/agent/recording.h): what the reader makes of them is known beforehand.

    with Recording(path, command=["python3", "app.py"]) as rec:
        line = rec.site([("app.py", "main", 3), ("app.py", "<module>", 9)])  # innermost first
        rec.alloc(0x1000, 64, line)
        rec.free(0x1000)
        rec.end()
"""
import struct

SLOTS, CHUNK_BYTES = 64, 1 << 18
RAW, MEM, OBJECT, MALLOC, MMAP = range(5)
TEXT, SITE, THREAD, TIME, RATE, FORGET, MISSED, END = range(8)
NATIVE = 0xffffffff
FILL_KIND, ALLOC_KIND, FREE_KIND, OTHER_KIND = (kind << 6 for kind in range(4))


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(distance):
    return distance << 1 if distance >= 0 else (-distance << 1) - 1


def head(rate=0, pid=4711, parent=0, command=(), began_unix_ns=1_700_000_000_000_000_000,
         python=0x030b02f0, version=1):
    words = b"".join(word.encode() + b"\0" for word in command)
    return struct.pack("<8sIIQQiiII", b"hwrecord", version, 48 + len(words), rate, began_unix_ns,
                       pid, parent, python, 0) + words


def chunk(events, count, began_ns=0):
    return struct.pack("<IIQ", len(events), count, began_ns) + events


class Recording:
    def __init__(self, path, chunk_bytes=CHUNK_BYTES, **head_values):
        self.file = open(path, "wb")
        self.file.write(head(**head_values))
        self.chunk_bytes = chunk_bytes
        self.texts, self.sites = {"": 0}, {(): 0}
        self.now_ns = self.thread_id = 0
        self.begin()

    def begin(self):
        self.events, self.count = bytearray(), 0
        self.began_ns = self.told_ns = self.now_ns
        self.last, self.slots, self.victim = 0, {}, 0

    def flush(self):
        if self.events:
            self.file.write(chunk(bytes(self.events), self.count, self.began_ns))
        self.file.flush()
        self.begin()

    def close(self):
        self.flush()
        self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def event(self, byte, *numbers, data=b""):
        self.events += bytes([byte]) + b"".join(map(varint, numbers)) + data
        self.count += 1

    def room(self, size=64):
        """Before an event and what it depends on in its chunk."""
        if len(self.events) + size > self.chunk_bytes:
            self.flush()

    def text(self, text):
        if text not in self.texts:
            data = text.encode()
            self.room(len(data) + 16)
            self.event(OTHER_KIND | TEXT, len(data), data=data)
            self.texts[text] = len(self.texts)
        return self.texts[text]

    def site(self, stack):
        """The number of a stack: (file, function, line), innermost first; function NATIVE: line is an address."""
        stack = tuple(stack)
        if stack not in self.sites:
            (file, function, line), caller = stack[0], self.site(stack[1:])
            numbers = (self.text(file), NATIVE if function == NATIVE else self.text(function), line)
            self.room()
            self.event(OTHER_KIND | SITE, *numbers, len(self.sites) - caller)
            self.sites[stack] = len(self.sites)
        return self.sites[stack]

    def thread(self, ident, name=""):
        number = self.text(name)
        self.room()
        self.event(OTHER_KIND | THREAD, ident, number)

    def time(self, now_ns):
        self.room()
        self.event(OTHER_KIND | TIME, now_ns - self.told_ns)
        self.now_ns = self.told_ns = now_ns

    def alloc(self, address, size, site, domain=OBJECT):
        self.room()
        units, what = address // 8, (site, size, domain)
        if what not in self.slots:
            number = len(self.slots)
            if number == SLOTS:
                old = list(self.slots)[self.victim % 7]
                number = self.slots.pop(old)[0]
                self.victim += 1
            self.event(FILL_KIND | number, len(self.sites) - site, size * 8 + domain)
            self.slots[what] = [number, self.last]
        slot = self.slots[what]
        self.event(ALLOC_KIND | slot[0], zigzag(units - slot[1]))
        slot[1] = self.last = units

    def free(self, address):
        self.room()
        distance = zigzag(address // 8 - self.last)
        if distance < 32:
            self.event(FREE_KIND | distance)
        else:
            self.event(FREE_KIND | 32 | distance & 31, distance >> 5)
        self.last = address // 8

    def forget(self, address):
        self.room()
        self.event(OTHER_KIND | FORGET, zigzag(address // 8 - self.last))

    def rate(self, rate):
        self.room()
        self.event(OTHER_KIND | RATE, rate)

    def missed(self, count):
        self.room()
        self.event(OTHER_KIND | MISSED, count)

    def end(self):
        self.room()
        self.event(OTHER_KIND | END)
