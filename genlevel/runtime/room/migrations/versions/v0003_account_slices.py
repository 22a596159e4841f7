"""Slices of accounts' limits, which processes share."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _part(name: str) -> list[sa.Column[float]]:
    return [sa.Column(f"{name}_{each}", sa.Double, nullable=False) for each in ("stated", "wanted", "unit", "granted", "counted", "held")]


def upgrade() -> None:
    op.create_table(
        "runtime_accounts",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("requests", sa.Double, nullable=False),
        sa.Column("tokens", sa.Double, nullable=False),
        sa.Column("spared_s", sa.Double, nullable=False),
        sa.Column("spared_until_s", sa.Double, nullable=False),
    )
    op.create_table(
        "runtime_account_slices",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("owner", sa.String, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("until_s", sa.Double, nullable=False),
        sa.Column("served_s", sa.Double, nullable=False),
        sa.Column("closed_s", sa.Double, nullable=False),
        sa.Column("pace", sa.Double, nullable=False),
        *_part("requests"),
        *_part("tokens"),
        *_part("slots"),
    )


def downgrade() -> None:
    op.drop_table("runtime_account_slices")
    op.drop_table("runtime_accounts")
