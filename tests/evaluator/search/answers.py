"""Random answers of tasks, and the slow way to find some of them."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from evaluator.search.blocks import Entry
from evaluator.search.folding import folded
from evaluator.search.pages import Order, Position
from evaluator.search.rightness import rightness
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome

TEXTS = st.one_of(st.sampled_from(["q", "q1", "Q10"]), st.text(alphabet="aAßSİı ж\n\0Ж字", max_size=12))
SCORES = st.one_of(st.none(), st.sampled_from([0.0, 25.0, 50.0, 100.0]))
KEYS = st.builds(
    AnswerKey,
    st.sampled_from(["q1", "q10", "q2", "\x1f0.1.0\x1fq", "ж"]),
    st.integers(0, 1),
    st.integers(0, 2),
    st.integers(0, 1),
)


@st.composite
def tasks(draw):
    """By task: the best score, and entries by time and key."""
    found = {}
    for name in draw(st.lists(st.sampled_from(["image/b", "nlp/a", "nlp/Ж", "nlp/ж"]), unique=True, max_size=3)):
        best = draw(st.sampled_from([None, 0.0, 100.0]))
        entries = []
        for key in draw(st.lists(KEYS, unique=True, max_size=8)):
            outcome, score = draw(st.sampled_from(Outcome)), draw(SCORES) if best is not None else None
            entries.append(
                Entry(
                    key=key,
                    outcome=outcome,
                    rightness=rightness(outcome, score, best),
                    score=score,
                    cost_nano_usd=draw(st.one_of(st.none(), st.integers(0, 3))),
                    upstream_s=draw(st.sampled_from([0.0, 0.5, 2.0])),
                    created=draw(st.sampled_from([1.0, 2.0, 3.0])),
                    question=draw(TEXTS),
                    answer=draw(TEXTS),
                    error=draw(TEXTS),
                )
            )
        found[name] = (best, sorted(entries, key=lambda entry: (entry.created, entry.key)))
    return found


def is_wanted(entry, wanted):
    """Whether an entry passes the filters, one by one."""
    texts = (entry.key.instance, entry.question, entry.answer, entry.error)
    return (
        (not wanted.outcomes or entry.outcome.number in wanted.outcomes)
        and (not wanted.rightness or entry.rightness in wanted.rightness)
        and (wanted.least is None or (entry.score is not None and entry.score >= wanted.least))
        and (wanted.most is None or (entry.score is not None and entry.score <= wanted.most))
        and (not wanted.text or any(wanted.text in folded(text) for text in texts))
    )


def position_of(task, best, entry, order):
    """Where an entry stands."""
    away = None if entry.score is None or best is None else abs(best - entry.score)
    value = {
        Order.TASK: 0.0,
        Order.WORST: None if away is None else -away,
        Order.BEST: away,
        Order.COST: None if entry.cost_nano_usd is None else -float(entry.cost_nano_usd),
        Order.SLOWEST: -entry.upstream_s,
        Order.NEWEST: -entry.created,
    }[order]
    return Position(math.inf if value is None else value, task, entry.created, entry.key)
