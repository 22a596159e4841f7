"""What was written under a lease, so that a transaction whose end nobody heard is not repeated."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runtime_leases", sa.Column("written", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("runtime_leases", "written")
