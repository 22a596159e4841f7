"""What a run's stamp says: how it was asked, and with which parameters each answer was. Of all that is there that is unknown."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evaluator_runs", sa.Column("facts", sa.Text, nullable=False, server_default=""))
    op.add_column("evaluator_answers", sa.Column("parameters", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("evaluator_answers", "parameters")
    op.drop_column("evaluator_runs", "facts")
