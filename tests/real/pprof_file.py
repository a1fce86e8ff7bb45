# SPDX-License-Identifier: Apache-2.0
"""Reads pprof's files, field by field: github.com/google/pprof, proto/profile.proto."""
import gzip


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, value) of each field: an integer, or bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size
        else:
            raise AssertionError("wire type %d" % (key & 7))
        yield key >> 3, value


def numbers(value):
    """Of a repeated field, packed or not."""
    if isinstance(value, int):
        return [value]
    at, found = 0, []
    while at < len(value):
        number, at = varint(value, at)
        found.append(number)
    return found


def grouped(data):
    found = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def one(message, number, otherwise=0):
    assert len(message.get(number, [])) <= 1
    return message.get(number, [otherwise])[0]


class Profile:
    """types: (name, unit) of the values; samples: (frames, values, labels), the innermost frame first, each
    (function, file, line)."""

    def __init__(self, packed):
        profile = grouped(gzip.decompress(packed))
        strings = [text.decode("utf-8") for text in profile[6]]
        assert strings[0] == ""
        self.types = [(strings[one(grouped(value), 1)], strings[one(grouped(value), 2)]) for value in profile[1]]
        functions = {}
        for value in profile.get(5, []):
            function = grouped(value)
            functions[one(function, 1)] = strings[one(function, 2)], strings[one(function, 4)]
        places = {}
        for value in profile.get(4, []):
            location = grouped(value)
            line = grouped(one(location, 4))
            places[one(location, 1)] = functions[one(line, 1)] + (one(line, 2),)
        assert 0 not in functions and 0 not in places
        self.samples = []
        for value in profile.get(2, []):
            sample = grouped(value)
            ids = [number for part in sample.get(1, []) for number in numbers(part)]
            values = [number for part in sample.get(2, []) for number in numbers(part)]
            labels = {}
            for label in map(grouped, sample.get(3, [])):
                labels[strings[one(label, 1)]] = strings[one(label, 2)] if 2 in label else one(label, 3)
            assert len(values) == len(self.types)
            self.samples.append(([places[number] for number in ids], values, labels))
        self.period = one(profile, 12)
        self.time_ns, self.duration_ns = one(profile, 9), one(profile, 10)
        self.default = strings[one(profile, 14)]
        mapping = grouped(profile[3][0])
        self.program = strings[one(mapping, 5)]

    def sums(self):
        return {name: sum(sample[1][at] for sample in self.samples) for at, (name, _) in enumerate(self.types)}
