# SPDX-License-Identifier: Apache-2.0
"""A big import is over; malloc keeps most of what was freed, below the few buffers that stayed. Nothing
grows any more."""
import backdrop

BUFFERS = 20000
BUFFER_BYTES = 2200
stayed = []


def import_everything():
    batch = [bytes(BUFFER_BYTES) for _ in range(BUFFERS)]
    stayed.extend(batch[-3:])


def main():
    import_everything()
    backdrop.noise()
    for number in backdrop.pace(50):
        bytes(BUFFER_BYTES + number % 100)


if __name__ == "__main__":
    main()
