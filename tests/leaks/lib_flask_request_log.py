# SPDX-License-Identifier: Apache-2.0
"""A flask service keeps the request objects themselves for its /recent page."""
import flask

import backdrop

app = flask.Flask(__name__)
recent = []


@app.before_request
def remember():
    recent.append(flask.request._get_current_object())


@app.route("/items/<int:number>")
def item(number):
    return {"item": number, "seen": len(recent)}


def main():
    backdrop.noise()
    client = app.test_client(use_cookies=False)
    for number in backdrop.pace(60):
        client.get("/items/%d" % (number % 100))


if __name__ == "__main__":
    main()
