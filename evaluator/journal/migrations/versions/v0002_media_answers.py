"""Answers of media: the stored objects that they consist of, and how much of media there is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("evaluator_answers") as answers:
        answers.add_column(sa.Column("output_images", sa.BigInteger, nullable=False, server_default="0"))
        answers.add_column(sa.Column("output_milliseconds", sa.BigInteger, nullable=False, server_default="0"))
        answers.add_column(sa.Column("files", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("evaluator_answers") as answers:
        answers.drop_column("files")
        answers.drop_column("output_milliseconds")
        answers.drop_column("output_images")
