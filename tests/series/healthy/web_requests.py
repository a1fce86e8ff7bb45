# SPDX-License-Identifier: Apache-2.0
"""Handles requests through werkzeug's and Flask's machinery; some answers are large."""
import random
import time

import flask

app = flask.Flask(__name__)


@app.route("/<int:size>")
def page(size):
    return flask.jsonify([{"n": i, "text": "x" * 50} for i in range(size)])


random.seed(16)
client = app.test_client()
while True:
    client.get("/%d" % min(30_000, int(random.paretovariate(0.8) * 30))).get_data()
    time.sleep(random.uniform(0.01, 0.1))
