# SPDX-License-Identifier: Apache-2.0
"""A table of bound methods on self is a cycle; without the collector no connection is freed."""
import gc

import backdrop

MSG_TYPE_CHAT = 1
MSG_TYPE_CONTROL = 2


class Connection:
    def __init__(self, ident):
        self.ident = ident
        self.msg_handlers = {
            MSG_TYPE_CHAT: self.handle_chat_msg,
            MSG_TYPE_CONTROL: self.handle_control_msg,
        }

    def on_msg(self, msg_type, text):
        return self.msg_handlers[msg_type](text)

    def handle_chat_msg(self, text):
        return text.title()

    def handle_control_msg(self, text):
        return text.lower()


def main():
    gc.disable()
    backdrop.noise()
    for number in backdrop.pace(100):
        connection = Connection(number)
        connection.on_msg(MSG_TYPE_CHAT, "hello")
        del connection


if __name__ == "__main__":
    main()
