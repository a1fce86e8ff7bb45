# SPDX-License-Identifier: Apache-2.0
"""Worker threads retire after ten jobs and are replaced by new ones."""
import queue
import threading

import backdrop

JOBS_EACH = 10


class Crew:
    def __init__(self, size):
        self.inbox = queue.Queue(maxsize=20)
        self.workers = set()
        self.lock = threading.Lock()
        for _ in range(size):
            self.hire()

    def hire(self):
        worker = threading.Thread(target=self.work, daemon=True)
        with self.lock:
            self.workers.add(worker)
        worker.start()

    def work(self):
        done = [self.inbox.get() for _ in range(JOBS_EACH)]
        with self.lock:
            self.workers.discard(threading.current_thread())
        self.hire()
        return len(done)


def main():
    threading.stack_size(256 * 1024)
    backdrop.noise()
    crew = Crew(6)
    for number in backdrop.pace(150):
        crew.inbox.put(["job", number])


if __name__ == "__main__":
    main()
