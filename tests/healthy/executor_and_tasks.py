# SPDX-License-Identifier: Apache-2.0
"""asyncio with a thread pool: tasks come and go, a few run at any moment."""
import asyncio
import concurrent.futures

import backdrop


class Job:
    def __init__(self, number):
        self.number = number
        self.result = None


def crunch(job):
    job.result = sum(range(job.number % 100))
    return job


async def run_job(loop, executor, number):
    job = await loop.run_in_executor(executor, crunch, Job(number))
    await asyncio.sleep(0.02)
    return job.result


async def main():
    loop = asyncio.get_running_loop()
    running = set()
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        backdrop.noise()
        async for number in backdrop.apace(150):
            task = asyncio.ensure_future(run_job(loop, executor, number))
            running.add(task)
            task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(main())
