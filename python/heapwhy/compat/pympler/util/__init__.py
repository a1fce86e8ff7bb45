# SPDX-License-Identifier: Apache-2.0
"""Helpers that Pympler has in public."""
