# SPDX-License-Identifier: Apache-2.0
"""Has something open of every kind, prints what it is as JSON, one fact a line, then READY."""
import asyncio
import gc
import json
import mmap
import multiprocessing
import os
import select
import selectors
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading


def fact(name, **more):
    print(json.dumps({"name": name, **more}), flush=True)


def is_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


class Client:
    """Keeps a connection, as a driver of a database does."""

    def __init__(self, address):
        self.sock = socket.create_connection(address)


class Box:
    pass


box = Box()
folder = tempfile.mkdtemp()


def open_sockets():
    box.server = socket.create_server(("127.0.0.1", 0))
    address = box.server.getsockname()
    box.clients = [Client(address) for _ in range(20)]
    box.accepted = [box.server.accept()[0] for _ in range(20)]
    box.half = Client(address)
    box.other_end = box.server.accept()[0]
    box.other_end.close()  # the client's side is now in CLOSE_WAIT
    box.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    box.udp.bind(("127.0.0.1", 0))
    box.fresh = socket.socket()
    box.unix = socket.socket(socket.AF_UNIX)
    box.unix.bind(os.path.join(folder, "unix"))
    box.unix.listen()
    box.pair = socket.socketpair()
    box.six = socket.create_server(("::1", 0), family=socket.AF_INET6) if socket.has_ipv6 else None
    port = address[1]
    fact("server", fd=box.server.fileno(), local="127.0.0.1:%d" % port)
    fact("clients", fds=[c.sock.fileno() for c in box.clients], peer="127.0.0.1:%d" % port)
    fact("accepted", fds=[s.fileno() for s in box.accepted], local="127.0.0.1:%d" % port)
    fact("half", fd=box.half.sock.fileno())
    fact("udp", fd=box.udp.fileno(), local="127.0.0.1:%d" % box.udp.getsockname()[1])
    fact("fresh", fd=box.fresh.fileno())
    fact("unix", fd=box.unix.fileno(), local=os.path.join(folder, "unix"))
    if box.six:
        fact("six", fd=box.six.fileno(), local="[::1]:%d" % box.six.getsockname()[1])


def open_files():
    box.text = open(os.path.join(folder, "text"), "w")
    box.raw = open(os.path.join(folder, "raw"), "wb", buffering=0)
    box.gone = open(os.path.join(folder, "gone"), "w+b")
    box.gone.write(b"x" * 100000)
    box.gone.flush()
    os.unlink(box.gone.name)
    box.map_file = open(os.path.join(folder, "map"), "w+b")
    box.map_file.truncate(8192)
    box.map = mmap.mmap(box.map_file.fileno(), 8192)
    box.anonymous = mmap.mmap(-1, 4096)
    box.scan = os.scandir(folder)
    next(box.scan)
    fact("text", fd=box.text.fileno(), file=box.text.name)
    fact("raw", fd=box.raw.fileno(), file=box.raw.name)
    fact("gone", fd=box.gone.fileno(), file=box.gone.name)
    fact("map_file", fd=box.map_file.fileno(), file=box.map_file.name)
    fact("folder", file=folder)
    fact("map", file=box.map_file.name)


def open_databases():
    box.database = sqlite3.connect(os.path.join(folder, "db"))
    box.database.execute("pragma journal_mode=wal")
    box.database.execute("create table t (x)")
    box.database.commit()
    box.memory = sqlite3.connect(":memory:")
    fact("database", file=os.path.join(folder, "db"))


def open_kernel_things():
    box.pipe_ints = os.pipe()
    box.epoll = select.epoll()
    box.epoll.register(box.server.fileno(), select.EPOLLIN)
    box.selector = selectors.DefaultSelector()
    box.selector.register(box.udp, selectors.EVENT_READ)
    fact("epoll", fd=box.epoll.fileno(), watches=box.server.fileno())
    fact("selector", fd=box.selector.fileno(), watches=box.udp.fileno())
    fact("pipe_ints", fds=list(box.pipe_ints))
    leaked = os.path.join(folder, "leaked")
    box.numbers = [os.open(leaked, os.O_CREAT | os.O_RDWR) for _ in range(30)]
    lost = os.open(os.path.join(folder, "lost"), os.O_CREAT | os.O_RDWR)
    fact("numbers", fds=box.numbers, file=leaked)
    fact("lost", fd=lost, file=os.path.join(folder, "lost"))


def open_children():
    box.sleeper = subprocess.Popen(["sleep", "1000"], stdout=subprocess.PIPE)
    box.zombie = subprocess.Popen(["true"])
    box.finished = subprocess.Popen(["true"], stdout=subprocess.PIPE)
    box.finished.wait()
    os.waitid(os.P_PID, box.zombie.pid, os.WEXITED | os.WNOWAIT)
    box.ours, box.theirs = multiprocessing.Pipe()
    fact("sleeper", pid=box.sleeper.pid, fd=box.sleeper.stdout.fileno())
    fact("zombie", pid=box.zombie.pid)
    fact("finished", fd=box.finished.stdout.fileno())
    fact("connection", fd=box.ours.fileno())


def hold_in_cycle():
    def lose():
        cycle = Box()
        cycle.me = cycle
        cycle.file = open(os.path.join(folder, "cycle"), "w")
        return cycle.file.fileno()
    gc.disable()
    fact("cycle", fd=lose())


def hold_in_traceback():
    def fail():
        file = open(os.path.join(folder, "traceback"), "w")
        fact("traceback", fd=file.fileno())
        raise ValueError
    try:
        fail()
    except ValueError as error:
        box.error = error


def wait_event(event):
    event.wait()


def wait_lock(lock):
    lock.acquire()


def wait_socket(sock):
    sock.recv(1)


def wait_queue():
    box.queue.get()


def start_threads():
    import queue
    box.event, box.lock, box.queue = threading.Event(), threading.Lock(), queue.Queue()
    box.lock.acquire()
    for function, *args in ((wait_event, box.event), (wait_lock, box.lock),
                            (wait_socket, box.pair[0]), (wait_queue,)):
        thread = threading.Thread(target=function, args=args, name=function.__name__,
                                  daemon=function is not wait_lock)
        thread.start()
        fact(function.__name__, tid=thread.native_id, daemon=thread.daemon)
    fact("pair", fd=box.pair[0].fileno())


async def serve(reader, writer):
    await reader.read(1)
    writer.close()


async def get_job():
    return await box.jobs.get()


async def consume():
    await get_job()


async def wait_for_event():
    await box.async_event.wait()


async def sleep_long():
    await asyncio.sleep(1000)


async def wait_future():
    await box.future


async def read_stream(address):
    reader, box.writer = await asyncio.open_connection(*address)
    fact("stream", fd=box.writer.get_extra_info("socket").fileno())
    await reader.read(1)


async def main():
    loop = asyncio.get_running_loop()
    box.jobs, box.async_event, box.future = asyncio.Queue(), asyncio.Event(), loop.create_future()
    box.service = await asyncio.start_server(serve, "127.0.0.1", 0)
    fact("service", fd=box.service.sockets[0].fileno())
    works = [consume() for _ in range(5)] + [wait_for_event(), sleep_long(), wait_future(),
                                             read_stream(box.service.sockets[0].getsockname())]
    box.tasks = [asyncio.create_task(work, name="work-%d" % i) for i, work in enumerate(works)]
    box.done = asyncio.create_task(asyncio.sleep(0))
    await asyncio.sleep(0.5)
    print("READY", flush=True)
    await asyncio.sleep(1000)


fact("inherited", fds=[fd for fd in range(3, 256) if is_open(fd)])
for step in (open_sockets, open_files, open_databases, open_kernel_things, open_children,
             hold_in_cycle, hold_in_traceback, start_threads):
    step()
asyncio.run(main())
