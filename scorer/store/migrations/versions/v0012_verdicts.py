"""Verdicts that were computed, with what they were computed from. None is there yet."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scorer_verdicts",
        sa.Column("run_id", sa.String, sa.ForeignKey("scorer_runs.run_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("reference_set", sa.String, primary_key=True),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("updated_s", sa.Double, nullable=False),
        sa.Column("standing", sa.LargeBinary, nullable=False),
        sa.Column("verdict", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("scorer_verdicts")
