"""Answers, judgements and people's ratings are known by prompt variant, repeat and shuffle too; all that is there has 0 of each.

SQLite cannot change a primary key: each table is written again, by one statement. PostgreSQL changes it in place.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_Column = sa.Column[int] | sa.Column[str] | sa.Column[float]
_NEW = ("variant", "repeat", "shuffle")


_KEYS = {
    "evaluator_answers": ["run_id", "task", "instance_id"],
    "evaluator_judgements": ["run_id", "task", "instance_id", "judge", "prompt_hash"],
    "evaluator_people_ratings": ["run_id", "task", "instance_id", "rater"],
}


def _columns(table: str) -> list[_Column]:
    """A table's columns without the new ones; made for each use, as a column is of one table only."""
    if table == "evaluator_answers":
        return _answers()
    return _judgements() if table == "evaluator_judgements" else _people_ratings()


def _answers() -> list[_Column]:
    return [
        *_answered_instance(),
        sa.Column("outcome", sa.Integer, nullable=False),
        sa.Column("raw_answer", sa.Text, nullable=False),
        sa.Column("finish_reason", sa.Integer, nullable=False),
        sa.Column("error_class", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("waits", sa.Integer, nullable=False),
        *_tokens(),
        sa.Column("cost_nano_usd", sa.BigInteger),
        sa.Column("upstream_s", sa.Float, nullable=False),
        sa.Column("provider_model", sa.Text, nullable=False),
        sa.Column("response_id", sa.Text, nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("output_images", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("output_milliseconds", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("files", sa.Text, nullable=False, server_default=""),
    ]


def _judgements() -> list[_Column]:
    return [
        *_answered_instance(),
        sa.Column("judge", sa.Text, nullable=False),
        sa.Column("prompt_hash", sa.String(12), nullable=False),
        sa.Column("prompt_version", sa.Text, nullable=False),
        sa.Column("outcome", sa.Integer, nullable=False),
        sa.Column("rating", sa.Double),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("replies", sa.Integer, nullable=False),
        sa.Column("error_class", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        *_tokens(),
        sa.Column("cost_nano_usd", sa.BigInteger),
        sa.Column("created", sa.Float, nullable=False),
    ]


def _people_ratings() -> list[_Column]:
    return [
        *_answered_instance(),
        sa.Column("rater", sa.Text, nullable=False),
        sa.Column("rating", sa.Double, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    ]


def _answered_instance() -> list[_Column]:
    return [
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("instance_id", sa.Text, nullable=False),
    ]


def _tokens() -> list[_Column]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    for table, key in _KEYS.items():
        columns = _columns(table)
        new_key = [*key[:3], *_NEW, *key[3:]]
        added: list[_Column] = [sa.Column(name, sa.Integer, nullable=False, server_default="0") for name in _NEW]
        if op.get_bind().dialect.name == "sqlite":
            _rebuild(table, [*columns, *added], new_key, kept=[column.name for column in columns])
            continue
        for column in added:
            op.add_column(table, column)
        op.drop_constraint(f"{table}_pkey", table, type_="primary")
        op.create_primary_key(f"{table}_pkey", table, new_key)


def downgrade() -> None:
    """What has another key than 0, 0, 0 is lost: there is no place for it."""
    for table, key in _KEYS.items():
        columns = _columns(table)
        op.execute(f"DELETE FROM {table} WHERE variant <> 0 OR repeat <> 0 OR shuffle <> 0")
        if op.get_bind().dialect.name == "sqlite":
            _rebuild(table, columns, key, kept=[column.name for column in columns])
            continue
        op.drop_constraint(f"{table}_pkey", table, type_="primary")
        for name in _NEW:
            op.drop_column(table, name)
        op.create_primary_key(f"{table}_pkey", table, key)


def _rebuild(table: str, columns: list[_Column], key: list[str], *, kept: list[str]) -> None:
    """Writes a table again, with all its rows."""
    op.create_table(f"{table}_new", *columns, sa.PrimaryKeyConstraint(*key))
    names = ", ".join(kept)
    op.execute(f"INSERT INTO {table}_new ({names}) SELECT {names} FROM {table}")
    op.drop_table(table)
    op.rename_table(f"{table}_new", table)
