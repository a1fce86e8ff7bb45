# SPDX-License-Identifier: Apache-2.0
"""Pympler's interface on heapwhy's engine.

    from heapwhy.compat.pympler import muppy, summary, asizeof, tracker

The names, arguments and printed forms are those of Pympler 1.1. docs/compat-pympler.md lists where the
answers differ, and why.
"""
