# SPDX-License-Identifier: Apache-2.0
"""A converter makes a thread pool for each document and never shuts it down."""
import concurrent.futures
import threading

import backdrop


class Document:
    def __init__(self, number):
        self.number = number
        self.pages = ["page"] * 3


class Converter:
    def __init__(self):
        self.pools = []

    def convert(self, document):
        pool = concurrent.futures.ThreadPoolExecutor(2, "convert")
        self.pools.append(pool)
        pool.submit(len, document.pages).result()


converter = Converter()


def main():
    threading.stack_size(256 * 1024)
    backdrop.noise()
    for number in backdrop.pace(10):
        converter.convert(Document(number))


if __name__ == "__main__":
    main()
