# SPDX-License-Identifier: Apache-2.0
"""Other tools' interfaces, on heapwhy's engine: `import heapwhy.compat.NAME as NAME`."""
