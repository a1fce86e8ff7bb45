# SPDX-License-Identifier: Apache-2.0
"""Opens COUNT sockets, which a list keeps, and COUNT files, of which nobody keeps the number;
opens as many again on each SIGUSR1 and says so with a line."""
import os
import resource
import signal
import socket
import sys

kept = []
count = int(sys.argv[1])


def open_more():
    for _ in range(count):
        kept.append(socket.socket())
        os.open("/dev/null", os.O_RDONLY)


hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
open_more()
print("READY", flush=True)
while True:
    signal.sigwait([signal.SIGUSR1])
    open_more()
    print("MORE", flush=True)
