# SPDX-License-Identifier: Apache-2.0
"""Says of the code of many functions of the standard library whether it deletes or stores items."""
import argparse
import collections
import dis
import email.message
import gc
import json
import logging
import sys
import tarfile
import threading
import time
import types

USED = argparse, collections, email.message, logging, tarfile, threading


def all_codes():
    found = {}
    waiting = [f.__code__ for f in gc.get_objects() if isinstance(f, types.FunctionType)]
    while waiting:
        code = waiting.pop()
        if id(code) not in found:
            found[id(code)] = code
            waiting += [part for part in code.co_consts if isinstance(part, types.CodeType)]
    return found


def main():
    rows = []
    codes = all_codes()  # until the end: functions in garbage would die before they are looked at
    for address, code in codes.items():
        names = {instruction.opname for instruction in dis.get_instructions(code)}
        rows.append([hex(address), code.co_name, "DELETE_SUBSCR" in names, "STORE_SUBSCR" in names])
    print(json.dumps(rows))
    print("READY", flush=True)
    time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 60)


if __name__ == "__main__":
    main()
