# SPDX-License-Identifier: Apache-2.0
"""Says when the leak begins: a line on standard output, which the recording keeps."""
import time

QUIET_S = 45


def say():
    print("leak begins", flush=True)


def wait():
    """Some memory, and a time in which nothing happens."""
    wait.backdrop = [bytes(1000) for _ in range(20_000)]
    time.sleep(QUIET_S)
    say()
