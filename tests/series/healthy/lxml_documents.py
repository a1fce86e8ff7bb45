# SPDX-License-Identifier: Apache-2.0
"""Makes and reads XML of different sizes."""
import random
import time

import lxml.etree

random.seed(10)
while True:
    root = lxml.etree.Element("list")
    for i in range(random.randrange(1000, 40_000)):
        lxml.etree.SubElement(root, "item", id=str(i)).text = "text %d" % i
    text = lxml.etree.tostring(root)
    tree = lxml.etree.fromstring(text)
    time.sleep(random.uniform(0.2, 1))
    del root, text, tree
