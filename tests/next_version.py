"""A database as the next version leaves it, which this version finds while that one is rolled out, and after it was rolled back."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import create_engine, inspect

from genlevel.cli.migrate import schemas
from genlevel.runtime.schema import Schema
from genlevel.runtime.storage import migrate

STEP = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("{room}_of_tomorrow", sa.Column("id", sa.Integer, primary_key=True))
    for table in {tables!r}:
        op.add_column(table, sa.Column("of_tomorrow", sa.Text, nullable=False, server_default="as before"))
        op.create_index(f"ix_{{table}}_of_tomorrow", table, ["of_tomorrow"])
"""


def migrate_to_next(url: str, folder: Path) -> None:
    """Every table of every room gets a column and an index, and each room a table."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    there = inspect(engine).get_table_names()
    engine.dispose()
    for schema in schemas(url):
        versions = folder / schema.room / "versions"
        shutil.copytree(schema.migrations, versions)
        revision = f"{int(schema.head) + 1:04}"
        tables = [name for name in there if name.startswith(f"{schema.room}_") and not name.endswith("_alembic_version")]
        text = STEP.format(revision=revision, before=schema.head, room=schema.room, tables=tables)
        (versions / f"v{revision}_of_tomorrow.py").write_text(text)
        assert migrate(url, Schema(schema.room, revision, versions, oldest=schema.head)) == schema.head
