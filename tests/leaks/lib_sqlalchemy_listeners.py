# SPDX-License-Identifier: Apache-2.0
"""Each request listens to the events of one SQLAlchemy engine, and never stops."""
import sqlalchemy
import sqlalchemy.event

import backdrop


class Audit:
    def __init__(self, number):
        self.number = number

    def before(self, connection, cursor, statement, parameters, context, executemany):
        pass


engine = sqlalchemy.create_engine("sqlite://")


def main():
    backdrop.noise()
    for number in backdrop.pace(40):
        sqlalchemy.event.listen(engine, "before_cursor_execute", Audit(number).before)


if __name__ == "__main__":
    main()
