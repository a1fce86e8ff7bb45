# SPDX-License-Identifier: Apache-2.0
"""What all tests with pytest share."""
import signal

# A job in the background of a script has Ctrl-C ignored, and all its children inherit that: tests that
# interrupt a program would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
