# SPDX-License-Identifier: Apache-2.0
import os
import sys

sys.path.insert(0, os.path.dirname(setup))
import service  # noqa: E402

serve, requests, hub = service.serve, 3000, service.hub
service.serve(1000)
session = hub.sessions["user-7"]
