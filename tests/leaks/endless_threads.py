# SPDX-License-Identifier: Apache-2.0
"""One watcher thread per subscription, each waiting for an event that nobody sets."""
import threading

import backdrop


class Subscription:
    def __init__(self, topic):
        self.topic = topic
        self.stopped = threading.Event()


def watch(subscription):
    subscription.stopped.wait()


def subscribe(number):
    subscription = Subscription("topic-%d" % number)
    watcher = threading.Thread(target=watch, args=(subscription,), daemon=True)
    watcher.start()


def main():
    threading.stack_size(256 * 1024)
    backdrop.noise()
    for number in backdrop.pace(15):
        subscribe(number)


if __name__ == "__main__":
    main()
