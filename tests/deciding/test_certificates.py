"""What is decided of a small benchmark is what the certificate of all of its answers says: wins by Holm's procedure, and levels."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Benchmark, Modality, Paradigm
from genlevel.deciding import decider
from genlevel.deciding.values import Aim, LevelState, Shares, TaskState, TaskToDecide
from scorer.certify import TaskEvidence, certify, evidence_from_statistics
from scorer.certify.certificate import Certificate, Status
from scorer.certify.claims import Claim
from scorer.certify.criteria import PlannedTask, criteria
from scorer.levels.rules import TaskResult, judge_all
from tests.deciding.driving import World, in_order, shuffled
from tests.scorer.certify.test_criteria import Rows, clusters_of, full_data, planned, task_of, units_of

PLACES = [(Modality.IMAGE, paradigm) for paradigm in Paradigm] + [(Modality.LANGUAGE, None)]
CONSTANT = 64.0
KINDS = ("accuracy", "accuracy", "f1", "psnr")
BETTER = (-0.1, 0.12, 0.15, 0.18, 0.3)
"""Than the reference: about where Holm's steps part."""


@dataclass(frozen=True)
class Answered:
    """A benchmark with all answers. constants: what best constant answers score, of some tasks."""

    results: tuple[TaskResult, ...]
    rows: Mapping[str, Rows]
    clusters: Mapping[str, Mapping[AnswerKey, int]]
    constants: Mapping[str, float]

    @property
    def certificate(self) -> Certificate:
        evidence = []
        for result in self.results:
            ends = evidence_from_statistics(result.task.metric, self.rows[result.task.id], self.clusters[result.task.id])
            assert ends is not None
            evidence.append(TaskEvidence.of(result.task, ends))
        return certify(self.results, evidence, constants=self.constants)

    def plans(self, constants: Mapping[str, float]) -> list[PlannedTask]:
        plans = [planned(one.task, self.rows[one.task.id], self.clusters[one.task.id], 1) for one in self.results]
        return [replace(plan, result=one, constant=constants.get(one.task.id)) for plan, one in zip(plans, self.results, strict=True)]

    def world(self, aim: Aim, epsilon: float, seed: int) -> World:
        found = criteria(self.results, self.plans({}), 0.05)
        raised = criteria(self.results, self.plans(self.constants), 0.05)
        tasks, outcomes = [], {}
        for result, criterion in zip(self.results, found.tasks, strict=True):
            key = result.task.id
            outcomes[key] = units_of(result.task, self.rows[key], self.clusters[key])
            random.Random(f"{seed} {key}").shuffle(outcomes[key])
            sizes = [max(1, round(unit.worst[1])) for unit in outcomes[key]]
            tasks.append(TaskToDecide(key, result.task.modality, result.task.paradigm, sizes, criterion))
        return World(
            tasks,
            outcomes,
            aim,
            Shares(found.tests, found.wins, 0.0, epsilon),
            seed,
            raised={one.key: criterion for one, criterion in zip(tasks, raised.tasks, strict=True) if one.key in self.constants},
        )


def answered(draw: random.Random, tasks: int, failing: float, better: Sequence[float] = BETTER) -> Answered:
    listed, rows, clusters = [], {}, {}
    for number in range(tasks):
        modality, paradigm = PLACES[number % 3]
        kind = draw.choice(KINDS)
        one = replace(task_of(kind, 60.0), id=f"t{number}", modality=modality, paradigm=paradigm)
        listed.append(one)
        rows[one.id] = full_data(draw, kind, (draw.choice([30, 60]), 1), 0.6 + draw.choice(better), failing)
        clusters[one.id] = clusters_of(draw, rows[one.id], draw.random() < 0.2)
    constants = {one.id: CONSTANT for one in listed if one.metric.id == "accuracy" and draw.random() < 0.3}
    return Answered(judge_all(Benchmark("b", tuple(listed)), dict.fromkeys(rows, 70.0)), rows, clusters, constants)


@settings(max_examples=16, deadline=None)
@given(st.integers(0, 2**32), st.integers(5, 10), st.sampled_from([0.0, 0.0, 0.03]))
def test_without_an_error_wins_and_levels_are_those_of_the_certificate(seed: int, tasks: int, failing: float) -> None:
    draw = random.Random(seed)
    found = answered(draw, tasks, failing)
    certificate = found.certificate
    certified = {one.task.id: one.status is Status.ATTAINED for one in certificate.tasks}
    levels = {level.level: level.status is Status.ATTAINED for level in certificate.levels if level.level > 2}
    assert not all(Claim(one).obstacle for one in found.results)

    wins = in_order(found.world(Aim.WINS, 0.0, seed)).decided
    for told in wins.tasks:
        if told.state is TaskState.UNDECIDED:
            assert failing
        else:
            assert (told.state is TaskState.WON) == certified[told.key]

    verdict = shuffled(found.world(Aim.VERDICT, 0.0, seed), draw, slots=20).decided
    for level in verdict.levels:
        if level.state is LevelState.UNDECIDED:
            assert failing
        else:
            assert (level.state is LevelState.ATTAINED) == levels[level.level]


def test_at_an_error_few_runs_are_decided_otherwise_and_less_is_asked() -> None:
    found = answered(random.Random(3), 12, 0.0)
    certified = {one.task.id: one.status is Status.ATTAINED for one in found.certificate.tasks}
    assert 2 <= sum(certified.values()) <= 10
    otherwise = asked = 0
    for seed in range(8):
        world = found.world(Aim.WINS, 0.1, seed)
        driven = in_order(world)
        asked += len(driven.asked)
        otherwise += any((told.state is TaskState.WON) != certified[told.key] for told in driven.decided.tasks)
    assert otherwise <= 4  # at a tenth each: with a chance of 4e-4 more
    assert asked < 0.85 * 8 * sum(len(task.units) for task in world.tasks)


def test_some_worlds_hang_on_holms_further_steps() -> None:
    """So that the law above says something of them."""
    found = 0
    for seed in range(10):
        certificate = answered(random.Random(seed), 9, 0.0).certificate
        found += any(one.p_win * certificate.tests > certificate.shares.wins for one in certificate.tasks if one.status is Status.ATTAINED)
    assert found >= 2


def test_however_many_are_won_wins_are_those_of_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where marks allow for half of the tasks alone, as if they were many."""
    monkeypatch.setattr(decider, "FEW", 2)
    beyond = 0
    for seed in range(40):
        found = answered(random.Random(seed), 9, 0.0, better=(0.12, 0.15, 0.3, 0.3, 0.3))
        certificate = found.certificate
        certified = {one.task.id: one.status is Status.ATTAINED for one in certificate.tasks}
        half = certificate.shares.wins / (certificate.tests // 2)
        beyond += any(one.p_win > half for one in certificate.tasks if one.status is Status.ATTAINED)
        driven = shuffled(found.world(Aim.WINS, 0.0, seed), random.Random(seed), slots=20)
        assert {told.key: told.state is TaskState.WON for told in driven.decided.tasks} == certified
        assert driven.decided.complete
    assert beyond >= 3
