# SPDX-License-Identifier: Apache-2.0
"""Works twice a second for a while, with many objects in hands, which it has dropped when it rests."""
import time

PERIOD_S = 0.5
WORK_S = 0.2
OBJECTS = 20000


def work():
    end = time.monotonic() + WORK_S
    batch = [[] for _ in range(OBJECTS)]
    while time.monotonic() < end:
        batch.sort(key=id)


def main():
    due = time.monotonic()
    for number in range(240):
        if number == 1:
            print("READY", flush=True)
        work()
        due += PERIOD_S
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
