#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turn a page with its style and script into C texts (build step).

usage: page2c.py PAGE.html PAGE.css PAGE.js OUTPUT.c

In the page @STYLE@ and @SCRIPT@ stand for the other files. The texts are what stands before @PROFILE@, and what
stands behind.
"""
import sys


def c_array(name, text):
    codes = ["%d," % byte for byte in text.encode()] + ["0"]
    lines = ["".join(codes[at:at + 32]) for at in range(0, len(codes), 32)]
    return "const char %s[] = {\n%s\n};\n" % (name, "\n".join(lines))


def main():
    page, style, script, output = sys.argv[1:]
    texts = []
    for path in page, style, script:
        with open(path, encoding="utf-8") as file:
            texts.append(file.read().strip())
    if "</script" in texts[2] or "</style" in texts[1]:
        sys.exit("%s: ends its own element" % script)
    whole = texts[0].replace("@STYLE@", texts[1]).replace("@SCRIPT@", texts[2]) + "\n"
    head, tail = whole.split("@PROFILE@\n")
    with open(output, "w", encoding="utf-8") as file:
        file.write('#include "tell/flame-page.h"\n\n')
        file.write(c_array("hw_flame_page_head", head) + "\n" + c_array("hw_flame_page_tail", tail))


if __name__ == "__main__":
    main()
