# SPDX-License-Identifier: Apache-2.0
"""Tells from inside what a process holds, then stands still so that others can look from outside.

Imports much of the standard library, makes objects of many kinds (probe_objects.py), and writes to
stdout a line for itself and one for every object the collector tracks:

    v HEXVERSION MODULES         sys.hexversion, how many modules it imported
    f COUNT                      gc.get_freeze_count(): objects that gc.get_objects() leaves out
    o ID SIZE TYPE ID,ID,...     id(o), sys.getsizeof(o), module.qualname, ids of gc.get_referents(o)
    u ID REASON                  nothing to compare: it changed between two passes, is the table of
                                 interned strings, which does not count its references, or a frame that
                                 runs, whose references its thread tells

All numbers are hexadecimal. Then prints READY and sleeps. Nothing that belongs to the dump is alive
by then: the list of objects is deleted and was never in itself.
"""
import gc
import importlib
import os
import sys
import time
import warnings

MODULES = """
abc aifc argparse array ast asynchat asyncio asyncio.subprocess asyncore atexit audioop base64 bdb
binascii bisect bz2 calendar cgi cgitb chunk cmath cmd code codecs codeop collections.abc colorsys
compileall concurrent.futures concurrent.futures.process configparser contextlib contextvars copy
copyreg cProfile csv ctypes ctypes.util curses dataclasses datetime decimal difflib dis distutils
doctest email email.message email.mime.multipart email.mime.text email.parser encodings.idna enum
errno faulthandler fcntl filecmp fileinput fnmatch formatter fractions ftplib functools genericpath
getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html html.entities html.parser http
http.client http.cookiejar http.cookies http.server imaplib imghdr importlib.metadata
importlib.resources importlib.util inspect io ipaddress itertools json json.tool keyword lib2to3
linecache locale logging logging.config logging.handlers lzma mailbox mailcap marshal math mimetypes
mmap modulefinder multiprocessing multiprocessing.connection multiprocessing.managers
multiprocessing.pool multiprocessing.queues multiprocessing.shared_memory netrc nis nntplib ntpath
numbers opcode operator optparse pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib
posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pyexpat queue quopri random re
readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal
site smtpd smtplib sndhdr socket socketserver spwd sqlite3 ssl stat statistics string stringprep
struct subprocess sunau symtable sysconfig syslog tabnanny tarfile telnetlib tempfile termios
textwrap threading timeit token tokenize tomllib trace traceback tracemalloc tty types typing
unicodedata unittest unittest.mock urllib.error urllib.parse urllib.request urllib.response
urllib.robotparser uu uuid venv wave weakref webbrowser wsgiref.handlers wsgiref.simple_server
wsgiref.validate xdrlib xml.dom.minidom xml.dom.pulldom xml.etree.ElementTree xml.parsers.expat
xml.sax xml.sax.expatreader xmlrpc.client xmlrpc.server zipapp zipfile zipimport zlib zoneinfo
""".split()
LEAST_MODULES = 150


def import_all():
    imported = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in MODULES:
            try:
                importlib.import_module(name)
                imported += 1
            except ImportError:
                pass
    if imported < LEAST_MODULES:
        raise SystemExit("only %d modules could be imported" % imported)
    return imported


def sweep(write):
    """Gives each tracked object's line to write(); returns a digest of each, by id."""
    objects = gc.get_objects()
    digests = {}
    for obj in objects:
        kind = type(obj)
        referents = sorted(map(id, gc.get_referents(obj)))
        line = "o %x %x %s.%s %s\n" % (
            id(obj), sys.getsizeof(obj), kind.__module__, kind.__qualname__.replace(" ", "_"),
            ",".join(["%x" % referent for referent in referents]))
        digests[id(obj)] = hash(line)
        write(line)
    return digests


def ignore(line):
    pass


def put(line):
    data = line.encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(1, data):]


def dump():
    sweep(ignore)  # settles caches and specialised code
    first = sweep(put)
    second = sweep(ignore)
    for ident in set(first) | set(second):
        if first.get(ident) != second.get(ident):
            put("u %x changed\n" % ident)


def interned_tables():
    """Since 3.14 the collector tracks it. Every string is its own value; no dict of the probe has so
    many."""
    return [obj for obj in gc.get_objects() if type(obj) is dict and len(obj) > 1000
            and all(type(key) is str and key is value for key, value in obj.items())]


def running_frames():
    """Up to 3.10 they are objects."""
    for frame in sys._current_frames().values():
        while frame is not None:
            yield frame
            frame = frame.f_back


def main():
    put("v %x %d\n" % (sys.hexversion, import_all()))
    import probe_objects
    probe_objects.make_all()
    gc.collect()
    gc.collect()
    gc.disable()
    dump()
    for table in interned_tables():
        put("u %x interned\n" % id(table))
    for frame in running_frames():
        put("u %x running\n" % id(frame))
    put("f %x\n" % gc.get_freeze_count())
    put("READY\n")
    time.sleep(100000)


if __name__ == "__main__":
    main()
