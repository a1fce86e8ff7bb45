# SPDX-License-Identifier: Apache-2.0
"""A collector adds each reading to one long-lived SQLAlchemy session that is never flushed."""
import sqlalchemy
import sqlalchemy.orm

import backdrop

Base = sqlalchemy.orm.declarative_base()


class Reading(Base):
    __tablename__ = "readings"
    id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
    sensor = sqlalchemy.Column(sqlalchemy.String)
    value = sqlalchemy.Column(sqlalchemy.Float)


engine = sqlalchemy.create_engine("sqlite://")
session = sqlalchemy.orm.Session(engine, autoflush=False)


def main():
    Base.metadata.create_all(engine)
    backdrop.noise()
    for number in backdrop.pace(80):
        session.add(Reading(sensor="sensor-%d" % (number % 50), value=number * 0.5))


if __name__ == "__main__":
    main()
