"""Answers are kept by the text of their key (instance, variant of the prompt, repeat, shuffle), which for the plain question is the id.

Only an id that looks like the text of another key is written differently: one that begins with U+001F.
"""

import json
import zlib
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MARK = "\x1f"
_PLAIN = "\x1f0.0.0\x1f"
_ESCAPED = b'"\\u001f'
"""How JSON writes the beginning of a text that begins with the mark."""
_SCORES = sa.table(
    "scorer_task_scores",
    sa.column("run_id", sa.String),
    sa.column("task_key", sa.String),
    sa.column("statistics", sa.LargeBinary),
    sa.column("unparsable_ids", sa.Text),
)


def upgrade() -> None:
    _rename(lambda text: _PLAIN + text if text.startswith(_MARK) else text)


def downgrade() -> None:
    """Answers to other variants, repeats and shuffles keep their texts, as ids of instances."""
    _rename(lambda text: text.removeprefix(_PLAIN))


def _rename(renamed: Callable[[str], str]) -> None:
    connection = op.get_bind()
    for run_id, task_key in connection.execute(sa.select(_SCORES.c.run_id, _SCORES.c.task_key)).all():
        row = (_SCORES.c.run_id == run_id) & (_SCORES.c.task_key == task_key)
        kept, ids = connection.execute(sa.select(_SCORES.c.statistics, _SCORES.c.unparsable_ids).where(row)).one()
        statistics = zlib.decompress(kept)
        if _ESCAPED in statistics:
            rows = {renamed(key): entry for key, entry in json.loads(statistics).items()}
            changed = {
                "statistics": zlib.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()),
                "unparsable_ids": json.dumps([renamed(key) for key in json.loads(ids)]),
            }
            connection.execute(sa.update(_SCORES).where(row).values(changed))
