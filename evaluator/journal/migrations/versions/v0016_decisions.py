"""What is decided of runs that ask only until something is."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evaluator_decisions",
        sa.Column("run_id", sa.String(40), primary_key=True),
        sa.Column("updated", sa.Double, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("evaluator_decisions")
