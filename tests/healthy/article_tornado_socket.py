# SPDX-License-Identifier: Apache-2.0
"""The smallest tornado server: a listening socket, a partial as its handler, and no leak."""
import errno
import functools
import socket

import tornado.ioloop

import backdrop


def connection_ready(sock, fd, events):
    while True:
        try:
            connection, address = sock.accept()
        except socket.error as e:
            if e.args[0] not in (errno.EWOULDBLOCK, errno.EAGAIN):
                raise
            return
        connection.setblocking(0)
        # do something with connection


def visit(address):
    socket.create_connection(address).close()


async def visitors(address):
    async for _ in backdrop.apace(60):
        visit(address)


if __name__ == "__main__":
    backdrop.noise()
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(0)
    sock.bind(("127.0.0.1", 0))
    sock.listen(128)

    io_loop = tornado.ioloop.IOLoop.current()
    callback = functools.partial(connection_ready, sock)
    io_loop.add_handler(sock.fileno(), callback, io_loop.READ)
    io_loop.add_callback(visitors, sock.getsockname())
    io_loop.start()
