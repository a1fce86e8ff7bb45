# SPDX-License-Identifier: Apache-2.0
"""Modules with the names and functions of other memory tools, on heapwhy's own measurements."""
