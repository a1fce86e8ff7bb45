# SPDX-License-Identifier: Apache-2.0
import os
import sys

sys.path.insert(0, os.path.dirname(setup))
import service  # noqa: E402

service.serve(1000)
