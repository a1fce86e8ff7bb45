# SPDX-License-Identifier: Apache-2.0
"""Thumbnails are submitted to a pool faster than its two workers make them."""
import concurrent.futures
import time

import backdrop

pool = concurrent.futures.ThreadPoolExecutor(2)


def resize(image):
    time.sleep(2 / backdrop.scaled(4))  # two workers: four a second
    return len(image)


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        pool.submit(resize, bytes(1000 + number % 10))


if __name__ == "__main__":
    main()
