# SPDX-License-Identifier: Apache-2.0
"""A consumer deduplicates messages with a set of ids that is never pruned."""
import backdrop


class Consumer:
    def __init__(self):
        self.seen = set()
        self.duplicates = 0

    def consume(self, ident, payload):
        if ident in self.seen:
            self.duplicates += 1
            return None
        self.seen.add(ident)
        return payload.strip()


consumer = Consumer()


def main():
    backdrop.noise()
    for number in backdrop.pace(300):
        ident = 10 ** 12 + number * 7919
        consumer.consume(ident, " payload %d " % number)
        consumer.consume(ident, "the same again")


if __name__ == "__main__":
    main()
