"""The tables of the room ``runtime``: leases."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, MetaData, String, Table

HEAD = "0002"
ROOM = "runtime"
metadata = MetaData()

# One row for each name that ever had an owner: a released lease keeps its row, as its number must go on growing.
leases = Table(
    "runtime_leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("number", BigInteger, nullable=False),
    # Unix time by the clock of the database; 0 if it was given back.
    Column("until_s", Double, nullable=False),
    # The number of the last transaction that was committed under this lease, as its holder counts them.
    Column("written", BigInteger, nullable=False, server_default="0"),
)
