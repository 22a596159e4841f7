"""Real answers of real models, asked in many random orders: what is decided early is what all of them say, whatever comes first.

Each model of a source is a task against the score of each other model there, so that many bars are close. Right is what our parser reads
as the gold label. Answers have no times; the longer a text is, the later it comes.
"""

from __future__ import annotations

import gzip
import heapq
import itertools
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from scipy import stats

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding.decider import Decider
from genlevel.deciding.values import RIGHT, WRONG, Aim, Criterion, Decided, Draw, Shares, TaskState, TaskToDecide
from scorer.certify.criteria import critical_count
from scorer.certify.distributions import binomial_at_least
from scorer.certify.multiplicity import holm
from scorer.parsers import Unparsable, parse_answer
from tests.scorer.parsers.test_real_answers import is_same

LEAST_ANSWERS = 100
WINS, POOLED = 0.0405, 0.00225
RUNS = 20
SLOTS = 32
AHEAD = {Aim.VERDICT: 1, Aim.WINS: 4}
"""How many times the slots a draw may be ahead of those that count."""


@dataclass(frozen=True)
class Answers:
    """Of one model to one source: whether each is right, and how long each takes to come."""

    right: Sequence[bool]
    lengths: Sequence[int]

    @property
    def score(self) -> float:
        return sum(self.right) / len(self.right)


@dataclass(frozen=True)
class Replay:
    """Tasks with all their answers, and whether the certificate of all of them certifies a win of each."""

    tasks: Sequence[TaskToDecide]
    answers: Mapping[str, Answers]
    won: Mapping[str, bool]

    @property
    def total(self) -> int:
        return sum(task.answers for task in self.tasks)

    def orders(self, seed: int) -> dict[str, list[int]]:
        found = {key: list(range(len(one.right))) for key, one in self.answers.items()}
        for key, order in found.items():
            random.Random(f"{seed} {key}").shuffle(order)
        return found

    def decider(self, epsilon: float, seed: int, aim: Aim = Aim.WINS) -> Decider:
        return Decider(aim, self.tasks, Shares(len(self.tasks), WINS, POOLED, epsilon), seed=seed)


@pytest.fixture(scope="module")
def replay(real_answers: Path) -> Replay:
    found: defaultdict[str, dict[str, list[tuple[bool, int]]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(real_answers, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row.get("gold") is not None:
                read = parse_answer(row["type"], row["raw"], row["options"] or ())
                right = not isinstance(read, Unparsable) and is_same(row["type"], read, row["gold"])
                found[row["source"]][row["model"]].append((right, len(row["raw"])))
    sources = {
        source: {model: Answers(*zip(*rows, strict=True)) for model, rows in models.items() if len(rows) >= LEAST_ANSWERS}
        for source, models in found.items()
    }
    pairs = [
        (f"{source}/{model}/{other}", answers, models[other].score)
        for source, models in sources.items()
        for model, answers in models.items()
        for other in models
        if other != model
    ]
    assert len(pairs) > 50, "there is little to replay"
    sides = itertools.cycle(itertools.product((Modality.IMAGE, Modality.VIDEO), Paradigm))
    tasks, p_values = [], []
    for (key, answers, bar), (modality, paradigm) in zip(pairs, sides, strict=False):
        critical = critical_count(len(answers.right), bar, len(pairs), WINS)
        criterion = Criterion(bar=bar, critical=critical, test="exact binomial")
        tasks.append(TaskToDecide(key, modality, paradigm, [1] * len(answers.right), criterion))
        p_values.append(binomial_at_least(sum(answers.right), len(answers.right), bar))
    won = {key: adjusted <= WINS for (key, _answers, _bar), adjusted in zip(pairs, holm(p_values), strict=True)}
    assert any(won.values()), "some task is won"
    assert not all(won.values()), "some task is not won"
    return Replay(tasks, {key: answers for key, answers, _bar in pairs}, won)


@pytest.mark.full
@pytest.mark.parametrize("epsilon", [0.01, 0.5])
def test_what_is_decided_early_is_what_all_answers_say(replay: Replay, epsilon: float) -> None:
    differ, asked = 0, []
    for seed in range(RUNS):
        decided, calls = in_turn(replay, epsilon, seed)
        assert decided.complete
        told = {task.key: task.state for task in decided.tasks}
        assert set(told.values()) <= {TaskState.WON, TaskState.NOT_WON}
        differ += any((state is TaskState.WON) != replay.won[key] for key, state in told.items())
        asked.append(calls)
    share = sum(asked) / RUNS / replay.total
    print(
        f"epsilon {epsilon:g}: {len(replay.tasks)} tasks of {replay.total:,} answers, {sum(replay.won.values())} won; {RUNS} orders: "
        f"{differ} decided otherwise, {share:.1%} asked ({min(asked):,} to {max(asked):,})"
    )
    assert stats.binom.sf(differ - 1, RUNS, epsilon) > 1e-3, f"{differ} of {RUNS} runs decided otherwise"
    assert share < 0.6


@pytest.mark.full
@pytest.mark.parametrize("aim", list(Aim))
def test_what_comes_first_decides_nothing(replay: Replay, aim: Aim) -> None:
    for seed in range(2):
        in_order, calls = in_turn(replay, 0.01, seed, aim)
        as_they_come, more = by_length(replay, 0.01, seed, aim)
        print(f"{aim.value}: {calls:,} calls one by one, {more:,} with {SLOTS} at once and the long ones late")
        assert as_they_come == in_order
        assert calls <= more <= 1.1 * calls


@pytest.mark.full
def test_longer_answers_are_otherwise_right_than_short_ones(replay: Replay) -> None:
    """Why answers are not counted as they come: it is seen in most models that the quick half of the answers scores otherwise."""
    apart = []
    for answers in {id(one.right): one for one in replay.answers.values()}.values():
        order = sorted(range(len(answers.right)), key=answers.lengths.__getitem__)
        half = len(order) // 2
        quick = sum(answers.right[place] for place in order[:half]) / half
        apart.append(quick - answers.score)
    print(f"{len(apart)} models: the shorter half scores {min(apart):+.1%} to {max(apart):+.1%} beside all")
    assert max(map(abs, apart)) > 0.05


def in_turn(replay: Replay, epsilon: float, seed: int, aim: Aim = Aim.WINS) -> tuple[Decided, int]:
    """Each draw's answer comes at once."""
    decider, orders, calls = replay.decider(epsilon, seed, aim), replay.orders(seed), 0
    while not decider.over:
        settled = settle(decider)
        draws = decider.draws(1)
        assert draws or settled or decider.over
        for draw in draws:
            if decider.needs(draw):
                weigh(replay, decider, orders, draw)
                calls += 1
    return decider.decided(), calls


def by_length(replay: Replay, epsilon: float, seed: int, aim: Aim) -> tuple[Decided, int]:
    """So many are asked at once, none far ahead of what counts, and the answers come the later the longer they are."""
    decider, orders, calls = replay.decider(epsilon, seed, aim), replay.orders(seed), 0
    open_calls: list[tuple[float, int, Draw]] = []
    waiting: list[Draw] = []
    now = 0.0
    while not decider.over:
        if settle(decider):
            continue
        waiting = [draw for draw in waiting or decider.draws(1) if decider.needs(draw)]
        if waiting and len(open_calls) < SLOTS and waiting[0].number < decider.counted + AHEAD[aim] * SLOTS:
            draw = waiting.pop()
            place = orders[draw.task][draw.unit]
            heapq.heappush(open_calls, (now + replay.answers[draw.task].lengths[place], draw.number, draw))
            calls += 1
        elif open_calls:
            now, _number, draw = heapq.heappop(open_calls)
            weigh(replay, decider, orders, draw)
    return decider.decided(), calls


def weigh(replay: Replay, decider: Decider, orders: Mapping[str, Sequence[int]], draw: Draw) -> None:
    right = replay.answers[draw.task].right[orders[draw.task][draw.unit]]
    decider.weigh(draw.number, RIGHT if right else WRONG)


def settle(decider: Decider) -> bool:
    """No best constant answer is above the reference."""
    wanted = list(decider.wanted_bars)
    for task in wanted:
        decider.settle_bar(task, None)
    return bool(wanted)
