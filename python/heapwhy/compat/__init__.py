# SPDX-License-Identifier: Apache-2.0
"""Drop-in replacements for other tools: import heapwhy.compat.objgraph as objgraph"""
