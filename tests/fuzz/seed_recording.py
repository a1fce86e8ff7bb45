# SPDX-License-Identifier: Apache-2.0
"""Makes the corpus for fuzz_recording: seed_recording.py FOLDER."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from recordings import MALLOC, NATIVE, Recording  # noqa: E402

MAIN = ("app.py", "main", 9)


def work(recording, blocks):
    draw = random.Random(4)
    sites = [recording.site([("hub.py", "Hub.add", line), MAIN]) for line in range(1, 6)]
    sites.append(recording.site([("/lib/leaky.so", NATIVE, 0x1139), MAIN]))
    live = []
    for number in range(blocks):
        recording.thread(100 + number // 20, "worker %d" % (number // 20))
        recording.time(recording.now_ns + 1_000_000)
        address = 0x7f0000000000 + draw.randrange(1 << 12) * 16
        recording.alloc(address, draw.randrange(1, 5000), draw.choice(sites), draw.choice((2, MALLOC)))
        live.append(address)
        if number % 3:
            recording.free(live.pop(draw.randrange(len(live))))
    return live


def main(folder):
    with Recording(os.path.join(folder, "every"), command=["python3", "app.py"]) as recording:
        work(recording, 40)
        recording.end()
    with Recording(os.path.join(folder, "chunks"), chunk_bytes=200) as recording:
        work(recording, 60)
    with Recording(os.path.join(folder, "sampled"), rate=16384) as recording:
        for address in work(recording, 30)[::2]:
            recording.forget(address)
        recording.rate(32768)
        recording.missed(3)
        work(recording, 20)
        recording.end()


main(sys.argv[1])
