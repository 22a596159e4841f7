"""Who works: the processes that share a queue."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "runtime_workers",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("service", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("started_s", sa.Double, nullable=False),
        sa.Column("seen_s", sa.Double, nullable=False),
        sa.Column("asks", sa.Boolean, nullable=False),
        sa.Column("scores", sa.Text, nullable=False),
        sa.Column("device", sa.String, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("doing", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("runtime_workers")
