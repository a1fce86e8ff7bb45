# SPDX-License-Identifier: Apache-2.0
"""Each job is registered with an installed library, and never released when it is done."""
import importlib
import os
import sys
import tempfile

import backdrop

LIBRARY = '''
class Registry:
    def __init__(self):
        self._jobs = {}

    def register(self, job):
        self._jobs[job.number] = job

    def release(self, job):
        self._jobs.pop(job.number, None)


registry = Registry()
'''


def installed():
    """As pip would do it: by the folder of its file, heapwhy knows what is installed."""
    with tempfile.TemporaryDirectory() as place:
        folder = os.path.join(place, "site-packages")
        os.mkdir(folder)
        with open(os.path.join(folder, "jobkeeper.py"), "w") as out:
            out.write(LIBRARY)
        sys.path.append(folder)
        return importlib.import_module("jobkeeper")


class Job:
    def __init__(self, number):
        self.number = number
        self.result = None


def main():
    jobkeeper = installed()
    backdrop.noise()
    for number in backdrop.pace(80):
        job = Job(number)
        jobkeeper.registry.register(job)
        job.result = number % 7


if __name__ == "__main__":
    main()
