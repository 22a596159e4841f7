"""The tables of the room ``runtime``: leases, accounts' limits that processes share, and who works."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, MetaData, String, Table, Text

HEAD = "0004"
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

# One row for each account whose limits were ever shared. Whoever changes a slice of it locks it first.
accounts = Table(
    "runtime_accounts",
    metadata,
    Column("account", String, primary_key=True),
    # Unix time by the clock of the database, as are all times here: when a slice was renewed last; 0: never.
    Column("at_s", Double, nullable=False),
    # What nobody has in a slice and is saved: calls and tokens; below 0: what is owed.
    Column("requests", Double, nullable=False),
    Column("tokens", Double, nullable=False),
    # Slices that lasted to the first of these count until the second: nobody could renew any.
    Column("spared_s", Double, nullable=False),
    Column("spared_until_s", Double, nullable=False),
)


def _part(name: str) -> list[Column[float]]:
    """A process's part of one limit; what each is: genlevel.runtime.limits.shared.rows.Part. Infinity is no limit."""
    return [Column(f"{name}_{each}", Double, nullable=False) for each in ("stated", "wanted", "unit", "granted", "counted", "held")]


# One row for each process that has a slice of an account, and for a minute after that.
account_slices = Table(
    "runtime_account_slices",
    metadata,
    Column("account", String, primary_key=True),
    Column("owner", String, primary_key=True),
    # Of the process's asks, which grows.
    Column("number", BigInteger, nullable=False),
    Column("until_s", Double, nullable=False),
    Column("served_s", Double, nullable=False),
    # Since when the process knows that the account takes no calls; 0: it takes some.
    Column("closed_s", Double, nullable=False),
    # Calls a second that it found; 0: nothing limits it.
    Column("pace", Double, nullable=False),
    *_part("requests"),
    *_part("tokens"),
    *_part("slots"),
)

workers = Table(  # processes that work, by the clock of the database
    "runtime_workers",
    metadata,
    Column("name", String, primary_key=True),
    Column("service", String, nullable=False),
    Column("version", String, nullable=False),
    Column("host", String, nullable=False),
    Column("started_s", Double, nullable=False),
    Column("seen_s", Double, nullable=False),
    Column("asks", Boolean, nullable=False),
    Column("scores", Text, nullable=False),  # JSON: a list of needs
    Column("device", String, nullable=False),
    Column("problem", Text, nullable=False),
    Column("doing", Text, nullable=False),  # JSON, as genlevel.runtime.workers.worker.Doing writes it
)
