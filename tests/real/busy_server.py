# SPDX-License-Identifier: Apache-2.0
"""A process that is busy in every common way and watches itself.

Its threads sleep, wait in the kernel, hand bytes and items to each other, start processes, serve HTTP
and compute. Each checks what it gets: the right bytes, the right exit status, no interrupted call, no
call that returns too early. Whatever is wrong is kept as text.

Prints its HTTP port. GET /work does a little work; GET /state answers counters and errors as JSON;
GET /quiet ends all that starts processes, lets what waits for ever come back, and answers the final
state.
"""

import ctypes
import errno
import hashlib
import http.server
import json
import os
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

quiet = threading.Event()
baseline = []
errors = []
counters = {}
starters = []
waiters = []
release = []


def expect(true, text):
    if not true:
        errors.append(text)


def loop(function):
    """Runs function over and over in a thread of its own, counting."""

    def run():
        name = function.__name__
        counters[name] = 0
        while not quiet.is_set():
            try:
                function()
            except BaseException:
                errors.append(name + ": " + traceback.format_exc())
                return
            counters[name] += 1

    thread = threading.Thread(target=run, name=function.__name__[:15], daemon=True)
    starters.append(thread)
    return function


def lasts(seconds, function, *args):
    """The call takes as long as it should: at least, and not for ever."""
    start = time.monotonic()
    result = function(*args)
    took = time.monotonic() - start
    expect(seconds - 0.002 <= took <= seconds + 5, f"{function} {args} took {took}, not {seconds}")
    return result


# ---- waiting for a time ----


@loop
def sleep():
    lasts(0.03, time.sleep, 0.03)


idle_epoll = select.epoll()


@loop
def epoll_timeout():
    expect(lasts(0.02, idle_epoll.poll, 0.02) == [], "epoll returned something")


@loop
def select_timeout():
    expect(lasts(0.025, select.select, [], [], [], 0.025) == ([], [], []), "select returned")


held = threading.Lock()
held.acquire()


@loop
def lock_timeout():
    expect(lasts(0.02, held.acquire, True, 0.02) is False, "a held lock was acquired")


libc = ctypes.CDLL(None, use_errno=True)


def raw_sigtimedwait_once(deadline):
    """0 at the deadline, else the signal. The kernel ends this call early whenever the thread is
    stopped (signal(7)), so callers repeat it."""
    signals = (ctypes.c_ulong * 16)(1 << (signal.SIGUSR2 - 1))
    while True:
        left = max(deadline - time.monotonic(), 0)
        spec = (ctypes.c_long * 2)(0, int(left * 1e9))
        got = libc.sigtimedwait(signals, None, spec)
        if got >= 0:
            return got
        if ctypes.get_errno() == errno.EAGAIN:
            return 0
        expect(ctypes.get_errno() == errno.EINTR, f"sigtimedwait: errno {ctypes.get_errno()}")


@loop
def raw_sigtimedwait():
    """Not signal.sigtimedwait(): in 3.11 that returns rubbish when a repeated call is too late."""
    got = lasts(0.02, raw_sigtimedwait_once, time.monotonic() + 0.02)
    expect(got == 0, f"signal {got} came")


@loop
def raw_nanosleep():
    """Below Python's own retries: the C call itself must not be interrupted."""
    spec = (ctypes.c_long * 2)(0, 20_000_000)
    expect(lasts(0.02, libc.nanosleep, spec, None) == 0, "nanosleep was interrupted")


@loop
def raw_poll():
    expect(lasts(0.02, libc.poll, None, 0, 20) == 0, "poll was interrupted")


# ---- handing over ----

pipe_out, pipe_in = os.pipe()


@loop
def pipe_write():
    number = counters["pipe_write"]
    os.write(pipe_in, number.to_bytes(8, "little") * 512)


@loop
def pipe_read():
    number = counters["pipe_read"]
    data = b""
    while len(data) < 4096:
        data += os.read(pipe_out, 4096 - len(data))
    expect(data == number.to_bytes(8, "little") * 512, f"pipe block {number} is wrong")


left, right = socket.socketpair()


@loop
def socket_send():
    number = counters["socket_send"]
    left.sendall(number.to_bytes(8, "little"))
    time.sleep(0.001)


@loop
def socket_receive():
    number = counters["socket_receive"]
    data = right.recv(8, socket.MSG_WAITALL)
    expect(data == number.to_bytes(8, "little"), f"socket word {number} is {data}")


items = queue.Queue(10)


@loop
def queue_put():
    items.put(counters["queue_put"])
    time.sleep(0.0005)


@loop
def queue_get():
    number = counters["queue_get"]
    item = items.get()
    expect(item == number, f"item {item}, not {number}")


# ---- processes ----


@loop
def fork_wait():
    status = counters["fork_wait"] % 200
    pid = os.fork()
    if pid == 0:
        os._exit(status)
    got, code = os.waitpid(pid, 0)
    expect(got == pid and os.WEXITSTATUS(code) == status, f"child {pid}: {got} {code}")
    time.sleep(0.005)


@loop
def run_program():
    done = subprocess.run(["/bin/echo", "hello"], stdout=subprocess.PIPE, timeout=60)
    expect(done.stdout == b"hello\n" and done.returncode == 0, f"echo: {done}")
    time.sleep(0.01)


# ---- computing ----

block = bytes(range(256)) * 256
digest = hashlib.sha256(block).hexdigest()


@loop
def hash_block():
    expect(hashlib.sha256(block).hexdigest() == digest, "a digest is wrong")


@loop
def integers_and_floats():
    x, y = 12345, 0.5
    for _ in range(20000):
        x = (x * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        y = 3.7 * y * (1 - y)
    if "result" not in counters:
        counters["result"] = [x, y]
    expect(counters["result"] == [x, y], f"computed {x} {y}, not {counters['result']}")


@loop
def threads_come_and_go():
    box = []
    thread = threading.Thread(target=box.append, args=(1,))
    thread.start()
    thread.join()
    expect(box == [1], "a thread did nothing")
    time.sleep(0.002)


# ---- waiting for ever ----


def waits(make):
    """make() gives a call that blocks until its second function lets it, and what it returns then."""
    call, let, value = make()
    result = []

    def run():
        try:
            result.append(call())
        except BaseException:
            result.append(traceback.format_exc())

    thread = threading.Thread(target=run, name="w_" + make.__name__[:13], daemon=True)
    waiters.append((make.__name__, thread, result, value))
    release.append(let)
    return make


@waits
def read_for_ever():
    out, into = os.pipe()
    return (lambda: os.read(out, 10), lambda: os.write(into, b"read"), b"read")


@waits
def raw_read_for_ever():
    out, into = os.pipe()
    buf = ctypes.create_string_buffer(10)
    return (lambda: libc.read(out, buf, 10), lambda: os.write(into, b"raw"), 3)


@waits
def accept_for_ever():
    server = socket.create_server(("127.0.0.1", 0))
    return (lambda: server.accept()[0].recv(4),
            lambda: socket.create_connection(server.getsockname()).sendall(b"acpt"), b"acpt")


@waits
def epoll_for_ever():
    out, into = os.pipe()
    epoll = select.epoll()
    epoll.register(out, select.EPOLLIN)
    return (lambda: epoll.poll() == [(out, select.EPOLLIN)], lambda: os.write(into, b"x"), True)


@waits
def lock_for_ever():
    lock = threading.Lock()
    lock.acquire()
    return (lambda: lock.acquire(), lambda: lock.release(), True)


@waits
def condition_for_ever():
    event = threading.Event()
    return (lambda: event.wait(), lambda: event.set(), True)


@waits
def queue_for_ever():
    box = queue.SimpleQueue()
    return (lambda: box.get(), lambda: box.put("item"), "item")


@waits
def long_child():
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(into)
        os.read(out, 1)
        os._exit(42)
    os.close(out)
    return (lambda: os.waitpid(pid, 0) == (pid, 42 << 8), lambda: os.close(into), True)


@waits
def sigwait_for_ever():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})
    return (lambda: signal.sigwait({signal.SIGUSR1}),
            lambda: os.kill(os.getpid(), signal.SIGUSR1), signal.SIGUSR1)


# ---- HTTP ----


def children():
    pids = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children") as file:
                pids += file.read().split()
        except (FileNotFoundError, ProcessLookupError):
            pass  # the thread ended meanwhile
    return pids


def descriptors():
    return sorted(int(fd) for fd in os.listdir("/proc/self/fd"))


def name_of(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return "gone"


def state():
    return {"errors": errors, "counters": {k: v for k, v in counters.items() if k != "result"}}


def end_quietly():
    quiet.set()
    for let in release:
        let()
    for name, thread, result, value in waiters:
        thread.join(20)
        expect(result == [value], f"{name}: {result}, not {value}")
    deadline = time.monotonic() + 20
    while children() and time.monotonic() < deadline:
        time.sleep(0.05)
    new = [fd for fd in descriptors() if fd not in baseline]
    return dict(state(), children=children(), new_descriptors=[name_of(fd) for fd in new])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self):
        if self.path == "/state":
            body = json.dumps(state())
        elif self.path == "/quiet":
            body = json.dumps(end_quietly())
        else:
            body = json.dumps(sum(range(1000)))
        data = body.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


alarms = 0


def on_alarm(*_):
    global alarms
    alarms += 1
    counters["alarms"] = alarms


def main():
    sys.setswitchinterval(0.001)
    signal.signal(signal.SIGALRM, on_alarm)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # A handler that runs in another thread would interrupt its calls; that would not be our doing.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    baseline.extend(descriptors())
    for _, thread, _, _ in waiters:
        thread.start()
    for thread in starters:
        thread.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    print(server.server_address[1], flush=True)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    server.serve_forever()


main()
