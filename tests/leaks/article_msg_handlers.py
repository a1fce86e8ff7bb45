# SPDX-License-Identifier: Apache-2.0
"""Connection keeps a table of its own handlers, bound methods of itself; gc off."""
import gc

import backdrop


class Connection:
    MSG_TYPE_CHAT = 0x01
    MSG_TYPE_CONTROL = 0x02

    def __init__(self):
        self.msg_handlers = {
            self.MSG_TYPE_CHAT: self.handle_chat_msg,
            self.MSG_TYPE_CONTROL: self.handle_control_msg,
        }

    def on_msg(self, msg_type, *args):
        self.msg_handlers[msg_type](*args)

    def handle_chat_msg(self, msg):
        pass

    def handle_control_msg(self, msg):
        pass


def serve():
    connection = Connection()
    connection.on_msg(Connection.MSG_TYPE_CHAT, "hello")


def main():
    gc.disable()
    backdrop.noise()
    for _ in backdrop.pace(60):
        serve()


if __name__ == "__main__":
    main()
