#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads a snapshot with nothing but docs/snapshot-format.md in hand, and compares it with what
the golden files must hold. Keeps document, writer and reader from drifting together."""

import ctypes
import ctypes.util
import struct
import sys

ZSTD = ctypes.CDLL(ctypes.util.find_library("zstd"))
XXH = ctypes.CDLL(ctypes.util.find_library("xxhash"))
ZSTD.ZSTD_decompress.restype = ctypes.c_size_t
ZSTD.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
XXH.XXH3_64bits.restype = ctypes.c_uint64
XXH.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]

STRING_KINDS = {0, 4, 6, 9, 11}  # attr, named, local, internal, root
MASK64 = (1 << 64) - 1
MASK32 = (1 << 32) - 1
MASK28 = (1 << 28) - 1


def checksum(data):
    return XXH.XXH3_64bits(data, len(data))


def unpack(frame, raw_bytes):
    out = ctypes.create_string_buffer(raw_bytes)
    assert ZSTD.ZSTD_decompress(out, raw_bytes, frame, len(frame)) == raw_bytes
    return out.raw


def unzigzag(v):
    return (v >> 1) ^ -(v & 1)


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data)
        self.at += n
        return self.data[self.at - n : self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def string(self):
        return self.take(self.varint()).decode()

    def done(self):
        return self.at == len(self.data)


def read_table(data):
    assert data[:8] == b"\x89HWS\r\n\x1a\n"
    major, minor, chunks, size, edges, nodes, objects = struct.unpack_from("<HHIQQII", data, 8)
    (head_sum,) = struct.unpack_from("<Q", data, 56)
    end = 64 + 56 * (chunks + 1)
    assert (major, size) == (1, len(data))
    assert checksum(data[:56] + bytes(8) + data[64:end]) == head_sum
    rows, at, raw_sum = {}, end, 0
    for i in range(chunks):
        tag, codec, _, offset, stored, raw, count, digest = struct.unpack_from(
            "<8sIIQQQQQ", data, 64 + 56 * i
        )
        assert offset == at and checksum(data[at : at + stored]) == digest
        at += stored
        raw_sum += raw
        rows[tag.rstrip(b"\0").decode()] = (codec, data[offset:at], raw, count)
    assert struct.unpack_from("<8sIIQ", data, end - 56)[::3] == (bytes(8), at)
    assert data[at:] == b"HWSend\r\n" + struct.pack("<Q", head_sum)
    assert raw_sum <= 64 * len(data)
    return rows, minor, nodes, objects, edges


def pieces(row):
    codec, data, raw_bytes, count = row
    assert codec == 1
    cursor = Cursor(data)
    while not cursor.done():
        raw, stored, elements, _ = struct.unpack("<IIII", cursor.take(16))
        yield Cursor(unpack(cursor.take(stored), raw)), elements
        raw_bytes -= raw
        count -= elements
    assert raw_bytes == 0 and count == 0


def elements(row, read_one):
    """read_one(cursor, element before in the same piece or None)."""
    out = []
    for cursor, count in pieces(row):
        before = None
        for _ in range(count):
            before = read_one(cursor, before)
            out.append(before)
        assert cursor.done()
    return out


def plain(cursor, before):
    return cursor.varint()


def rising(cursor, before):
    return (before or 0) + cursor.varint()


def sized_node(cursor, before):
    return (before[0] if before else 0) + cursor.varint(), cursor.varint()


def arena(cursor, before):
    return ((before[0] if before else 0) + cursor.varint(), *(cursor.varint() for _ in range(5)))


def native_blocks(cursor, before):
    size = (before[0] if before else 0) + cursor.varint()
    return size, cursor.varint(), cursor.varint(), cursor.string(), cursor.string()


def label(cursor, before):
    code = cursor.varint()
    payload = ((before or (0, 0))[1] + unzigzag(code >> 4)) & MASK28
    return code & 15, payload


def targets(row, labels):
    out = []
    for cursor, count in pieces(row):
        guesses = [0] * 1024
        for _ in range(count):
            kind, payload = labels[len(out)]
            if kind not in STRING_KINDS:
                payload = min(payload, 32)
            place = (((kind << 28 | payload) * 2654435761) & MASK32) >> 22
            guesses[place] = (guesses[place] + unzigzag(cursor.varint())) & MASK32
            out.append(guesses[place])
    return out


def descriptor(cursor, before):
    number = (before[0] if before else 0) + cursor.varint()
    numbers = [cursor.varint() for _ in range(9)]  # kind, flags, state, inode, ..., bytes that wait
    return (number, *numbers, *(cursor.string() for _ in range(4)))


def watch(cursor, before):
    return cursor.varint(), cursor.varint(), cursor.varint()


def task(cursor, before):
    kind, ident = cursor.varint(), unzigzag(cursor.varint())
    numbers = [cursor.varint() for _ in range(4)]  # state, call + 1, argument, timed
    return (kind, ident, *numbers, cursor.string())


def read_values(index, data):
    blocks = elements(
        index,
        lambda c, b: ((b[0] if b else 0) + c.varint(), c.varint(), c.varint(), c.varint()),
    )
    values, at = {}, 0
    for node, count, raw, stored in blocks:
        cursor = Cursor(unpack(data[at : at + stored], raw))
        at += stored
        for _ in range(count):
            node += cursor.varint()
            values[node] = cursor.string()
        assert cursor.done()
    assert at == len(data)
    return values


def check_sites(rows, facts):
    frames = elements(rows["frames"], lambda c, b: tuple(c.varint() for _ in range(4)))
    callers = [number - frame[0] if frame[0] else None for number, frame in enumerate(frames)]
    assert callers == [None, 0, 0, 1] and frames[2][1:] == (3, 1, 41) and frames[3][3] == MASK32
    sites = elements(rows["sites"], lambda c, b: (c.varint() - 1, *(c.varint() for _ in range(4))))
    assert sites[1:] == [(2, 70000, 0, 1, 560), (2, 2, 389047, 5, 1 << 40), (-1, 0, 0, 1, 16)]
    assert [site - 1 for site in elements(rows["site"], plain)] == [0, -1, 1, 0, -1, -1, 3, -1]
    assert [struct.unpack("<Q", facts[tag])[0] for tag in (84, 85, 86)] == [2, 25, 3]


def main(path):
    with open(path, "rb") as f:
        rows, minor, nodes, objects, edges = read_table(f.read())
    facts = dict(elements(rows["facts"], lambda c, b: (c.varint(), c.take(c.varint()))))
    spans = elements(
        rows["spans"],
        lambda c, b: (s := (b[1] if b else 0) + c.varint(), s + c.varint(), c.varint()),
    )
    types = elements(rows["types"], lambda c, b: (c.string(), c.varint() - 1, c.varint(), c.varint()))
    synth = elements(
        rows["synth"],
        lambda c, b: (c.varint(), c.string(), c.string(), c.varint(), unzigzag(c.varint()), c.varint()),
    )
    labels = elements(rows["label"], label)
    degrees = elements(rows["degree"], plain)
    to = targets(rows["target"], labels)

    assert (nodes, objects, edges) == (10, 8, 19)
    assert struct.unpack("<q", facts[1]) == (41233,) and struct.unpack("<q", facts[12]) == (700,)
    assert facts[22] == b"/usr/bin/python3.11"
    assert elements(rows["strings"], lambda c, b: c.string())[:3] == ["", "name", "__dict__"]
    assert spans == [(0x555555554000, 0x555555558000, 3), (0x7F0000000000, 0x7F0040000000, 4)]
    assert types[1] == ("app.Café", 7, 48, 1 | 2 | 16) and types[0][1] == -1
    assert synth[0] == (3, "serve", "/srv/app.py", 12, -7, 3) and synth[1][0] == 0
    assert elements(rows["where"], rising) == [0, 9, 2047, 2048, 2050, 70000, 70001, 5000000]
    assert elements(rows["size"], plain)[:4] == [40, 140, 240, MASK32]
    assert elements(rows["refcount"], plain)[3] == MASK32
    assert elements(rows["flags"], plain)[:3] == [1, 2, 4]
    assert elements(rows["type"], plain) == [0, 1, 2, 0, 1, 2, 0, 1, 3, 3]
    if minor >= 1:
        ages = elements(rows["age"], lambda c, b: c.take(1)[0])
        assert ages == [0, 36, 72, 108, 144, 180, 216, 252]
        new = [struct.unpack("<Q", facts[tag])[0] for tag in range(24, 41)]
        assert new == [1, 34, 1201, 109, 9, 5020, 430, 88, 1, 2, 3, 332, 2100, 81000, 7, 71000, 10000]
    else:
        assert "age" not in rows
    assert elements(rows["big"], sized_node) == [(3, 1 << 40), (6, MASK32)]
    if minor >= 2:
        assert elements(rows["native"], sized_node) == [(1, 4096), (6, 5 << 32)]
    else:
        assert "native" not in rows
    if minor >= 3:
        parts = elements(
            rows["memparts"], lambda c, b: (c.varint(), c.string(), c.varint(), c.varint(), c.varint())
        )
        pools = elements(rows["mempools"], lambda c, b: tuple(c.varint() for _ in range(4)))
        arenas = elements(rows["memarena"], arena)
        blocks = elements(rows["memnativ"], native_blocks)
        assert parts[0] == (0, "str", 5000, 6000, 40) and parts[2] == (20, "", 0, 3 << 33, 0)
        assert pools == [(16, 2, 1500, 542), (512, 1, 3, 28)]
        assert arenas[1] == (0x7F0000200000, 512, 15872, 1015808, 4096, 1)
        assert blocks[1] == (9008, 100, 900800, "'scanline'", "/lib/libjpeg.so")
        assert elements(rows["held"], sized_node) == [(0, 3), (6, MASK64)]
        fds, watches, tasks = (
            elements(rows[tag], read)
            for tag, read in (("fds", descriptor), ("watches", watch), ("tasks", task))
        )
        assert fds[1][:9] == (100, 1, 9, 0, MASK64 - 1, 1 << 40, 1 << 30, 1, 0)
        assert fds[-1][0] == (1 << 31) - 1 and fds[-1][-3:] == ("tcp6", "[::1]:80", "[fe80::1]:65535")
        assert watches == [(500, 400, 0x80000001), (500, MASK32, 0)]
        assert tasks[0] == (0, 41233, ord("S"), 203, MASK64, 1, "python3") and tasks[1][1] == -7
    else:
        assert not any(tag.startswith("mem") for tag in rows)
        assert not rows.keys() & {"held", "fds", "watches", "tasks"}
    if minor >= 4:
        check_sites(rows, facts)
    else:
        assert not rows.keys() & {"frames", "sites", "site"}
    assert degrees == [4, 0, 3, 4, 0, 1, 1, 1, 2, 3]
    assert list(zip(to, labels))[:6] == [
        (1, (2, 0)), (2, (3, 0)), (1, (2, 5)), (3, (3, 5)), (4, (0, 1)), (0, (9, 2)),
    ]  # fmt: skip
    assert (to[-1], labels[-1]) == (3, (1, MASK28))
    assert read_values(rows["valindex"], rows["values"][1]) == {
        1: "'abc'", 4: "", 5: "3.25", 6: "b'\\x00'",
    }  # fmt: skip
    print("as documented")


if __name__ == "__main__":
    for golden in sys.argv[1:]:
        main(golden)
