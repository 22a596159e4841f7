"""What is not known of bills: of how many calls of an answer, and the most that they may have cost; notes of open calls say of what task.

Of older rows it is known whether something is unknown, but not how much it may be at most: such an amount is NULL, not 0. An answer of a
priced run without a cost, one that took no tokens, and one after more calls than one that was not met by a limit, has such calls.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TOKENS = "input_tokens + cache_read_tokens + cache_write_tokens + output_tokens + reasoning_tokens"
_UNKNOWN = "SET unknown_calls = 1, unknown_nano_usd = NULL, unknown_tokens = NULL"


def upgrade() -> None:
    for table in ("evaluator_answers", "evaluator_judgements"):
        with op.batch_alter_table(table) as rows:
            rows.add_column(sa.Column("unknown_calls", sa.Integer, nullable=False, server_default="0"))
            rows.add_column(sa.Column("unknown_nano_usd", sa.BigInteger, server_default="0"))
            rows.add_column(sa.Column("unknown_tokens", sa.BigInteger, server_default="0"))
            rows.add_column(sa.Column("excess", sa.Double, nullable=False, server_default="0"))
    priced = "run_id IN (SELECT run_id FROM evaluator_runs WHERE priced <> 0)"
    unbilled = f"(cost_nano_usd IS NULL AND {priced}) OR (cost_nano_usd IS NULL AND {_TOKENS} = 0)"
    op.execute(f"UPDATE evaluator_answers {_UNKNOWN} WHERE attempts > 0 AND (attempts - waits > 1 OR {unbilled})")
    op.execute(f"UPDATE evaluator_judgements {_UNKNOWN} WHERE calls > 0 AND cost_nano_usd IS NULL")
    with op.batch_alter_table("evaluator_reservations") as notes:
        notes.alter_column("nano_usd", existing_type=sa.BigInteger, nullable=True)
        notes.add_column(sa.Column("task", sa.Text, nullable=False, server_default=""))
        notes.add_column(sa.Column("judges", sa.Integer, nullable=False, server_default="0"))
        notes.add_column(sa.Column("calls", sa.Integer, nullable=False, server_default="1"))
        notes.add_column(sa.Column("tokens", sa.BigInteger))


def downgrade() -> None:
    op.execute("DELETE FROM evaluator_reservations WHERE nano_usd IS NULL")
    with op.batch_alter_table("evaluator_reservations") as notes:
        for name in ("tokens", "calls", "judges", "task"):
            notes.drop_column(name)
        notes.alter_column("nano_usd", existing_type=sa.BigInteger, nullable=False)
    for table in ("evaluator_judgements", "evaluator_answers"):
        with op.batch_alter_table(table) as rows:
            for name in ("excess", "unknown_tokens", "unknown_nano_usd", "unknown_calls"):
                rows.drop_column(name)
