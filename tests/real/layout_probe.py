# SPDX-License-Identifier: Apache-2.0
"""Runs inside a target interpreter: do the struct rows say what tp_traverse visits?

usage: layout_probe.py ROWS.json

ROWS.json: {"structs": {"type name": {"basicsize": [[offset, kind, count], ...]}},
"fields": {"Structure.field": offset}}. Makes objects of many C types, then compares
gc.get_referents with the pointers at the rows' offsets, for every tracked object whose type has a
row. Follows the runtime's fields to things that Python knows, too. Prints one JSON object.
"""
import collections
import ctypes
import gc
import importlib
import json
import sys
import threading

HEAPTYPE, HAVE_GC, MANAGED_DICT, INLINE_VALUES = 1 << 9, 1 << 14, 1 << 4, 1 << 2
TP_NAME, TP_TRAVERSE, TP_BASICSIZE = 24, 184, 32

MODULES = '''_abc _asyncio _bisect _bz2 _codecs_jp _collections _csv _ctypes _curses _datetime
_decimal _elementtree _functools _hashlib _heapq _io _json _lsprof _lzma _multibytecodec
_multiprocessing _operator _opcode _pickle _posixsubprocess _queue _random _socket _sqlite3 _sre
_ssl _struct _thread _tokenize _typing _uuid _zoneinfo array ast asyncio atexit binascii bz2
concurrent.futures contextlib contextvars csv ctypes ctypes.util dataclasses datetime decimal email
enum fractions functools gzip hashlib hmac html http.client http.server inspect io ipaddress
itertools json logging logging.config lzma mailbox math mmap multiprocessing operator os pathlib
pickle platform posix pprint queue random re resource sched select selectors shelve shutil signal
smtplib socket socketserver sqlite3 ssl statistics string struct subprocess symtable tarfile
tempfile textwrap threading time timeit tokenize tomllib traceback types typing unicodedata unittest
urllib.request uuid warnings weakref xml.dom.minidom xml.etree.ElementTree xml.sax xmlrpc.client
zipfile zlib zoneinfo'''


def word(address):
    return ctypes.c_size_t.from_address(address).value


def type_key(kind):
    name = ctypes.c_char_p.from_address(id(kind) + TP_NAME).value.decode()
    return name, str(word(id(kind) + TP_BASICSIZE))


def import_all():
    for name in MODULES.split():
        try:
            importlib.import_module(name)
        except ImportError:
            pass


def attempt(keep, text, names):
    """Keep the object that an expression makes; a version without it has no such type."""
    try:
        keep.append(eval(text, names))
    except (AttributeError, ImportError, NameError, SyntaxError, LookupError, OSError, TypeError):
        pass


def iterators():
    return [
        'iter(SEQ())', 'iter(int, 1)', 'iter([1])', 'reversed([1])', 'iter((1,))', 'iter({1})',
        'iter({1: 2})', 'iter({1: 2}.values())', 'iter({1: 2}.items())', 'reversed({1: 2})',
        'reversed({1: 2}.values())', 'reversed({1: 2}.items())', '{1: 2}.keys()', '{1: 2}.values()',
        '{1: 2}.items()', 'iter("a")', 'iter("\\u1234")', 'iter(b"a")', 'iter(bytearray(b"a"))',
        'iter(memoryview(b"a"))', 'enumerate([1])', 'reversed(SEQ())', 'iter(od({1: 2}))',
        'iter(od({1: 2}).items())', 'iter(range(10**30))', 'iter(list[int])',
        'filter(None, [1])', 'map(str, [1])', 'zip([1], [2])', 'iter(array.array("i", [1]))',
        'iter(collections.deque([1]))', 'reversed(collections.deque([1]))',
    ] + ['itertools.' + call for call in (
        'groupby([1])', 'tee([1])', 'cycle([1])', 'dropwhile(bool, [1])', 'takewhile(bool, [1])',
        'islice([1], 1)', 'starmap(max, [(1, 2)])', 'chain([1], [2])', 'product([1], [2])',
        'combinations([1, 2], 2)', 'combinations_with_replacement([1, 2], 2)',
        'permutations([1, 2])', 'accumulate([1])', 'compress([1], [1])', 'filterfalse(None, [1])',
        'count(10**30)', 'repeat([])', 'zip_longest([1], [2])', 'pairwise([1, 2])',
        'batched([1, 2], 2)')] + [
        'next(itertools.groupby([1]))', 'step(itertools.chain([[1], [2]], [3]))',
        'step(itertools.pairwise([[1], [2], [3]]))', 'step(itertools.product([[]], [[], []]))',
        'step(itertools.combinations([[], [], []], 2))', 'step(itertools.cycle([[], []]))',
        'step(itertools.permutations([[], [], []]))', 'step(itertools.accumulate(["a", "b"]))',
        'step(zip([[]], [[]]))',
    ]


def builtins_and_errors():
    return [
        'slice([], [], [])', 'C().method', '[].append', 'type.__call__.__get__(int)',
        'super(D, D())', 'D.view', 'C.__dict__', 'D.__dict__["cm"]', 'D.__dict__["sm"]',
        'weakref.ref(keepalive, print)', 'weakref.proxy(keepalive)', 'weakref.proxy(C.method)',
        'memoryview(bytearray(3))', 'pickle.PickleBuffer(bytearray(3))', 'list[int]',
        'list[T]', 'int | str', 'list[T] | int', 'types.SimpleNamespace(a=[])',
        'typing.TypeVar("T", bound=list)', 'typing.ParamSpec("P")', 'typing.ParamSpec("P").args',
        'typing.TypeVarTuple("Ts")', 'agen().asend(None)', 'agen().athrow(ValueError)',
        'coro().__await__()', 'anext(agen(), None)', 'failed()[2]', 'closure.__closure__[0]',
        'context', 'context.run(var.set, [])', 'contextvars.copy_context()', 'var',
        'contextvars.ContextVar("v", default=[])', 'ast.parse("a = 1 + f(x)")',
        'frame_locals()', 'sys.settrace.__self__', 'threading._active',
        'BaseExceptionGroup("m", [ValueError(1)])', 'ExceptionGroup("m", [ValueError(1)])',
        'with_all(ValueError([]))', 'with_all(StopIteration([]))', 'with_all(SystemExit([]))',
        'with_all(ImportError("m", name="n", path="p"))', 'with_all(OSError(2, "x", [], 0, []))',
        'with_all(NameError("x", name="n"))', 'with_all(AttributeError("x", name="n", obj=[]))',
        'with_all(SyntaxError("m", ("f", 1, 2, "t", 3, 4)))',
        'with_all(UnicodeDecodeError("utf8", b"x", 0, 1, "r"))', 'failed()[1]',
        'decimal.Context()', 'decimal.localcontext()', 'decimal.Decimal("1.5")',
    ]


def library():
    return [
        'functools.partial(print, [], end="")', 'functools.cmp_to_key(max)([])',
        'functools.lru_cache(len)', 'operator.itemgetter([], 1)', 'operator.attrgetter("a.b")',
        'operator.methodcaller("a", [], b=[])', 'step_call(operator.methodcaller("append", 1))',
        'collections.namedtuple("N", "a b").a', 'asyncio.Future(loop=loop)', 'task',
        'iter(asyncio.Future(loop=loop))', 'queue.SimpleQueue()', 'threading.Lock()',
        'threading.RLock()', 'threading.local()', 'io.BytesIO(b"abc")', 'io.StringIO("abc")',
        'io.TextIOWrapper(io.BytesIO(b"abc"))', 'io.BufferedReader(io.FileIO("/dev/null"))',
        'io.BufferedRWPair(io.BytesIO(), io.BytesIO())', 'io.FileIO("/dev/null")',
        'io.BytesIO(b"a").getbuffer().obj', 'memoryview(io.BytesIO(b"a").getbuffer())',
        'io.IncrementalNewlineDecoder(None, True)', 'csv.reader([], dialect="excel")',
        'csv.writer(io.StringIO())', 'csv.reader([]).dialect', 'json.JSONDecoder().scan_once',
        'json.encoder.c_make_encoder({}, print, str, 1, ":", ",", True, False, True)',
        'struct.Struct("ii")', 'struct.Struct("i").iter_unpack(b"abcd")',
        'pickle.Pickler(io.BytesIO())', 'pickle.Pickler(io.BytesIO()).memo',
        'pickle.Unpickler(io.BytesIO(b"abc"))', 'pickle.Unpickler(io.BytesIO(b"abc")).memo',
        'mmap.mmap(-1, 4096)', 'ET.TreeBuilder()', 'ET.XMLParser()', 'ET.XMLParser().parser',
        'pyexpat.ParserCreate()', 'datetime.timezone.utc', 'zoneinfo.ZoneInfo("UTC")',
        're.compile("(?P<x>a)")', 're.match("(a)", "a")', 're.compile("a").scanner("aa")',
        're.compile("a").finditer("aa")', 'zlib.compressobj()', 'zlib.decompressobj()',
        'bz2.BZ2Compressor()', 'bz2.BZ2Decompressor()', 'lzma.LZMACompressor()',
        'lzma.LZMADecompressor()', 'socket.socket()', 'ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)',
        'ssl.create_default_context()', 'ssl_object()', 'ssl.MemoryBIO()', 'select.epoll()',
        'select.poll()', 'os.scandir("/")', 'next(os.scandir("/"))', 'hashlib.md5()',
        'hashlib.sha3_256()', 'hashlib.blake2b()', 'hmac.new(b"k", b"m", "sha256")', 'db', 'cursor',
        'db.execute("select 1").fetchall()', 'blob()', 'ctypes.c_int(1)', '(ctypes.c_int * 3)()',
        'ctypes.pointer(ctypes.c_int(1))', 'ctypes.CFUNCTYPE(None)(print)', 'S()', 'S.a',
        'ctypes.byref(ctypes.c_int(1))', 'random.Random()', 'cProfile.Profile()',
        'codecs.getincrementalencoder("shift_jis")()',
        'codecs.getincrementaldecoder("shift_jis")()',
        'codecs.getreader("shift_jis")(io.BytesIO())',
        'codecs.getwriter("shift_jis")(io.BytesIO())', 'unicodedata.ucd_3_2_0',
        '_ssl._SSLContext(ssl.PROTOCOL_TLS_CLIENT)', '_socket.socket()', 'ast.AST()',
        '_io._IOBase()', 'many_variables()', '_ctypes.CFuncPtr',
        'ctypes.CFUNCTYPE(None, ctypes.c_int)(print)',
        'io.BufferedRandom(io.BytesIO())', 'instance_method()', 'decimal.Context().traps',
        'ssl_error()', 'asyncio.create_task', 'wake', 'weakref.ref(D)', 'ctypes.POINTER(S)',
        'sys.monitoring', '_thread.start_new_thread.__self__', 'tokenize.generate_tokens(str)',
        'multiprocessing.get_context("fork").Semaphore(1)', 'type_alias()', 'generic()',
    ]


SETUP = '''
import _ctypes, _io, _socket, _ssl, _thread, array, ast, asyncio, bz2, cProfile, codecs
import collections, contextvars, csv, ctypes
import datetime, decimal, functools, hashlib, hmac, io, itertools, json, lzma, mmap, operator, os
import multiprocessing, multiprocessing.synchronize
import pickle, pyexpat, queue, random, re, select, socket, sqlite3, ssl, struct, sys, threading
import tokenize, types, typing, unicodedata, weakref, zlib, zoneinfo
import xml.etree.ElementTree as ET
od = collections.OrderedDict
T = typing.TypeVar("T")
var = contextvars.ContextVar("var")
context = contextvars.copy_context()
loop = asyncio.new_event_loop()
db = sqlite3.connect(":memory:")
cursor = db.execute("create table t (a, b)").execute("insert into t values (1, x'00')")
db.row_factory = sqlite3.Row
class SEQ:
    def __len__(self): return 1
    def __getitem__(self, i): return [][i]
class C:
    def method(self): pass
class D(C):
    __slots__ = ("view",)
    cm = classmethod(print)
    sm = staticmethod(print)
    pr = property(len, max, min, "doc")
keepalive = C()
async def agen(): yield 1
async def coro(): await asyncio.sleep(0)
async def forever(): await asyncio.get_running_loop().create_future()
async def start():
    global task
    task = asyncio.create_task(forever(), name="t")
    await asyncio.sleep(0)
loop.run_until_complete(start())
def outer():
    cell = []
    def closure(): return cell
    return closure
closure = outer()
def failed():
    try: [].missing
    except AttributeError: return sys.exc_info()
def with_all(error):
    error.note, error.__cause__, error.__context__ = [], ValueError(), KeyError()
    try: raise error
    except BaseException: return error
def step(iterator):
    next(iterator)
    return iterator
def step_call(call):
    call([])
    return call
def frame_locals(): return sys._getframe().f_locals
class S(ctypes.Structure): _fields_ = [("a", ctypes.c_int)]
def ssl_object():
    ctx = ssl.create_default_context()
    return ctx.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="x")._sslobj
def many_variables():
    names = [contextvars.ContextVar("v%d" % i) for i in range(2000)]
    def fill():
        for name in names: name.set([])
        return contextvars.copy_context()
    full = contextvars.Context().run(fill)
    return full, iter(full), iter(full.items())
def ssl_error():
    try: ssl.create_default_context().load_verify_locations("/missing")
    except OSError as error: return error
def instance_method():
    make = ctypes.pythonapi.PyInstanceMethod_New
    make.restype, make.argtypes = ctypes.py_object, [ctypes.py_object]
    return make(print)
def blob(): return db.blobopen("t", "b", 1)
def type_alias():
    names = {}
    exec("type A[X] = list[X]", names)
    A = names["A"]
    A.__value__
    return A
def generic():
    names = {}
    exec("class G[X: int, *Y, **Z]: pass", names)
    return names["G"].__type_params__
'''


def make_objects():
    names, keep = {}, []
    exec(SETUP, names)
    for text in iterators() + builtins_and_errors() + library():
        attempt(keep, text, names)
    return keep, names


def inline_values(block):
    """The attributes behind an object (3.13): capacity, used, embedded, valid; the values."""
    capacity, _, _, valid = ctypes.string_at(block, 4)
    return [word(block + 8 + 8 * i) for i in range(capacity if valid else 0)]


def expected(thing, refs, flags):
    """What tp_traverse visits, as (address: times), by the row."""
    address, visited = id(thing), []
    for offset, kind, count in refs:
        if kind == 'OWNED':
            visited.append(word(address + offset))
        elif kind == 'INLINE':
            many = count or word(address + 16)
            visited += [word(address + offset + 8 * i) for i in range(many)]
    if flags & HEAPTYPE:
        visited.append(id(type(thing)))
    if flags & MANAGED_DICT:
        visited.append(word(address - 24))
        if flags & INLINE_VALUES and not word(address - 24):
            visited += inline_values(address + type(thing).__basicsize__)
    # The error handlers of multibyte codecs may be small numbers instead of objects.
    return collections.Counter(at for at in visited if at >= 4096)


def row_of(kind, rows):
    """(type name, references) of the nearest base that has a row; exact: it is the type itself."""
    for base in kind.__mro__:
        name, size = type_key(base)
        if size in rows.get(name, {}):
            return name, rows[name][size], base is kind
    return None, None, False


def compare(rows):
    """Exact types must agree wholly; of a derived type the row's references must all be there."""
    seen, bad = collections.Counter(), {}
    for thing in gc.get_objects():
        kind = type(thing)
        name, refs, exact = row_of(kind, rows)
        if refs is None or not kind.__flags__ & HAVE_GC:
            continue
        actual = collections.Counter(id(to) for to in gc.get_referents(thing))
        wanted = expected(thing, refs, kind.__flags__ if exact else 0)
        seen[name] += 1
        if wanted - actual or (exact and actual != wanted):
            bad.setdefault(name, []).append(explain(thing, actual, wanted))
    for cases in bad.values():
        cases.sort(key=lambda case: not case['less'])
        del cases[3:]
    return seen, bad


def explain(thing, actual, wanted):
    offsets = {}
    for offset in range(0, max(type(thing).__basicsize__, 16), 8):
        offsets.setdefault(word(id(thing) + offset), offset)
    return {'more': [offsets.get(at, hex(at)) for at in (actual - wanted)],
            'less': [offsets.get(at, hex(at)) for at in (wanted - actual)]}


def runtime_checks(fields):
    """{what was looked at: whether the row's offsets led there}."""
    def at(start, name):
        return word(start + fields[name]) if name in fields else None

    runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, '_PyRuntime'))
    interp = at(runtime, '_PyRuntimeState.interpreters.head')
    state = interp + fields['PyInterpreterState.gc']
    thread = at(interp, 'PyInterpreterState.threads.head')
    if thread is None:
        thread = at(interp, 'PyInterpreterState.tstate_head')
    tid = at(thread, 'PyThreadState.native_thread_id')
    modules = at(interp, 'PyInterpreterState.imports.modules')
    return {
        'sys.modules': id(sys.modules) == (modules or at(interp, 'PyInterpreterState.modules')),
        'sys.__dict__': id(sys.__dict__) == at(interp, 'PyInterpreterState.sysdict'),
        'builtins': id(__builtins__.__dict__) == at(interp, 'PyInterpreterState.builtins'),
        'gc.callbacks': id(gc.callbacks) == at(state, '_gc_runtime_state.callbacks'),
        'gc.garbage': id(gc.garbage) == at(state, '_gc_runtime_state.garbage'),
        'generations': state + fields['_gc_runtime_state.generations'] ==
                       at(state, '_gc_runtime_state.generation0'),
        'interp': interp == at(thread, 'PyThreadState.interp'),
        'native thread': tid in (None, threading.get_native_id()),
        'thread': threading.get_ident() == at(thread, 'PyThreadState.thread_id'),
    }


def c_types():
    """Every type made in C: its traverse function is not the one of Python classes."""
    python_traverse = word(id(collections.UserDict) + TP_TRAVERSE)
    stack, found = [object], {}
    while stack:
        kind = stack.pop()
        for sub in type.__subclasses__(kind):
            if sub not in found:
                found[sub] = word(id(sub) + TP_TRAVERSE) != python_traverse
                stack.append(sub)
    return [kind for kind, made_in_c in found.items() if made_in_c or
            not kind.__flags__ & HEAPTYPE]


def main():
    import_all()
    keep = make_objects()
    with open(sys.argv[1], encoding='utf-8') as stream:
        row = json.load(stream)
    runtime = runtime_checks(row['fields'])
    rows = row['structs']
    gc.collect()
    seen, bad = compare(rows)
    types = sorted(set(type_key(kind) + (bool(kind.__flags__ & HAVE_GC),) for kind in c_types()))
    json.dump({'version': sys.version.split()[0], 'modules': len(sys.modules), 'types': types,
               'seen': seen, 'bad': bad, 'runtime': runtime}, sys.stdout)
    del keep


main()
