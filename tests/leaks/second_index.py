# SPDX-License-Identifier: Apache-2.0
"""Jobs are removed from the queue by id, but the index by owner is forgotten."""
import backdrop


class Job:
    def __init__(self, ident, owner):
        self.ident = ident
        self.owner = owner
        self.state = "queued"


class JobBoard:
    def __init__(self):
        self.by_id = {}
        self.by_owner = {}

    def submit(self, ident, owner):
        job = Job(ident, owner)
        self.by_id[ident] = job
        self.by_owner.setdefault(owner, []).append(job)

    def finish(self, ident):
        job = self.by_id.pop(ident)
        job.state = "done"


board = JobBoard()


def main():
    backdrop.noise()
    for number in backdrop.pace(150):
        board.submit(number, "team-%d" % (number % 8))
        if number >= 30:
            board.finish(number - 30)


if __name__ == "__main__":
    main()
