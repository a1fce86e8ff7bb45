# SPDX-License-Identifier: Apache-2.0
"""A target that tells what it keeps of buffers, one JSON object a line, then READY.

    size     sys.getsizeof()
    native   bytes outside that belong to the object and that sys.getsizeof() does not count; left out
             where only a bound can be given: native_least, native_most
    base     id() of what `.base` is, dtype likewise
    items    ids of what an array of objects holds, by its place in .flat
"""
import array
import collections
import ctypes
import io
import json
import mmap
import sys
import tempfile
import time

KEPT = []
Thing = collections.namedtuple("Thing", "name")


def tell(name, thing, **more):
    KEPT.append(thing)
    print(json.dumps(dict(more, name=name, id=id(thing), size=sys.getsizeof(thing))), flush=True)


def plain_buffers():
    tell("bytearray", bytearray(5000), native=0)
    tell("array", array.array("d", range(3000)), native=0)
    mapped = mmap.mmap(-1, 300000)
    tell("mmap", mapped, native=300000)
    tell("mmap written", mmap.mmap(-1, 4096), native=4096)
    closed = mmap.mmap(-1, 4096)
    closed.close()
    tell("mmap closed", closed, native=0)
    with tempfile.TemporaryFile() as file:
        file.truncate(70000)
        tell("mmap of a file", mmap.mmap(file.fileno(), 0), native=70000)
    tell("memoryview", memoryview(bytearray(9000))[5:20], native=0)
    tell("memoryview of mmap", memoryview(mapped)[1000:2000], native=0)
    tell("small ctypes", ctypes.c_int(3), native=0)
    tell("ctypes array", (ctypes.c_char * 100000)(), native=100000)
    tell("ctypes view", (ctypes.c_char * 50000).from_buffer(bytearray(50000)), native=0)
    structure = type("Structure", (ctypes.Structure,), {"_fields_": [("a", ctypes.c_long * 500)]})
    tell("ctypes structure", structure(), native=4000)
    written, shared = io.BytesIO(), io.BytesIO(KEPT_BYTES)
    written.write(b"x" * 7000)
    tell("BytesIO written", written, native=0)
    tell("BytesIO that shares", shared, native=0)


KEPT_BYTES = b"y" * 8000


def tell_array(name, a, **more):
    import numpy

    facts = {"native": 0, "dtype": id(a.dtype), "base": None if a.base is None else id(a.base),
             "nbytes": a.nbytes, "shape": list(a.shape)}
    if a.dtype == numpy.dtype(object):
        # A view holds no references of its own.
        facts["items"] = [id(item) for item in a.flat] if a.flags.owndata else []
    tell(name, a, **dict(facts, **more))
    KEPT.append(a.dtype)


def numpy_arrays():
    import numpy

    numbers = numpy.arange(240.0).reshape(4, 5, 12).copy()
    things = numpy.empty((3, 4), dtype=object)
    for n in range(12):
        things.flat[n] = Thing(n) if n % 3 else None
    fields = numpy.dtype([("a", "i4"), ("o", object), ("p", object, (2,)), ("n", [("q", object)])])
    records = numpy.zeros(6, dtype=fields)
    records["o"], records["p"] = Thing("o"), Thing("p")
    tell_array("plain", numbers)
    tell_array("0-d", numpy.array(3.5))
    tell_array("0-d object", numpy.array(Thing(0), dtype=object))
    tell_array("empty", numpy.zeros((3, 0, 2)))
    tell_array("large", numpy.zeros((1000, 1000)))
    tell_array("32 dimensions", numpy.zeros((1,) * 32))
    tell_array("slice", numbers[1:3, ::2, ::-1])
    tell_array("slice of a slice", numbers[1:3][0][2:4])
    tell_array("transposed", numbers.T)
    tell_array("fortran", numpy.asfortranarray(numpy.arange(30).reshape(5, 6)))
    tell_array("broadcast", numpy.broadcast_to(numbers[0], (7, 5, 12)))
    tell_array("objects", things)
    tell_array("objects, fortran", numpy.asfortranarray(things))
    tell_array("view of objects", things[1:, ::2])
    tell_array("copy of objects", things[::-1].copy())
    tell_array("records", records)
    tell_array("field of records", records["o"], items=[])
    tell_array("strings", numpy.array(["abc", "defghi"]))
    tell_array("dates", numpy.array(["2020-01-01", "2021-01-01"], dtype="M8[s]"))
    tell_array("masked", numpy.ma.masked_array(numpy.arange(10), mask=[0, 1] * 5))
    tell_array("matrix", numpy.matrix([[1, 2], [3, 4]]))
    tell_array("frombuffer bytes", numpy.frombuffer(b"z" * 4000, dtype="u1"))
    tell_array("frombuffer bytearray", numpy.frombuffer(bytearray(4000), dtype="u2"))
    tell_array("frombuffer mmap", numpy.frombuffer(mmap.mmap(-1, 8192), dtype="u4"))
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(80000)
        tell_array("memmap", numpy.memmap(file.name, dtype="f8", mode="r+", shape=(100, 100)))
        tell_array("memmap, read-only", numpy.memmap(file.name, dtype="f8", mode="r"))
    frozen = numpy.arange(100)
    frozen.setflags(write=False)
    tell_array("read-only", frozen)
    tell_array("ctypes", numpy.ctypeslib.as_array((ctypes.c_double * 500)()))
    for value in (numpy.float64(1.5), numpy.int8(3), numpy.bool_(True), numpy.complex128(1j), records[2],
                  numpy.str_("text"), numpy.bytes_(b"text"), numpy.void(b"12345"),
                  numpy.datetime64("2020-01-01"), numpy.longdouble(1)):
        tell("numpy scalar " + type(value).__name__, value, native=0)


def lxml_documents():
    import lxml.etree

    def document(items):
        text = "".join("<item id='number %d'>%s</item>" % (n, "x" * 100) for n in range(items))
        return lxml.etree.fromstring("<root>%s</root>" % text)

    for items in (0, 10, 1000):
        root = document(items)
        # An element, its text of 100 characters, its attribute and the attribute's text.
        least, most = 176 + items * (120 + 120 + 101 + 96 + 120), 600 + items * 620
        tell("lxml element in a document of %d" % items, root, native=0, document_least=least,
             document_most=most)
    parent = document(50)
    taken = parent[7]
    parent.remove(taken)
    tell("lxml element taken out", taken, native_least=120 + 120 + 101 + 96 + 120, native_most=700)


def main():
    plain_buffers()
    for module, fill in (("numpy", numpy_arrays), ("lxml.etree", lxml_documents)):
        try:
            __import__(module)
        except ImportError:
            continue
        fill()
    print("READY", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main()
