"""The level rules keep the laws that the paper's formulas imply, on any benchmark and any values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task, TaskMetric
from scorer.levels.rules import Levels, judge, levels

RANGES = {
    "accuracy": (0.0, 100.0),
    "cider": (0.0, 300.0),
    "psnr": (-10.0, 80.0),
    "ms_ssim": (-1.0, 1.0),
    "mos": (1.0, 5.0),
    "wer": (0.0, 400.0),
    "fid": (0.0, 500.0),
    "mse": (0.0, 1e6),
    "clip_score": (-100.0, 100.0),
}
PLACES = [(modality, paradigm) for modality in Modality if modality is not Modality.LANGUAGE for paradigm in Paradigm]


def make_task(index: int, modality: Modality, paradigm: Paradigm | None, metric: str, reference: float | None) -> Task:
    return Task(
        *(f"task-{index}", f"Task {index}", "", "", index, "", modality, paradigm, TaskMetric(metric, metric), reference, reference),
    )


@st.composite
def cases(draw: st.DrawFn, *, everywhere: bool = True) -> tuple[Benchmark, dict[str, float]]:
    """A benchmark with at least one task in every place, or in any places, and values for some of its tasks."""
    places = list(PLACES) if everywhere else []
    places += draw(st.lists(st.sampled_from([*PLACES, (Modality.LANGUAGE, None)]), min_size=1, max_size=12))
    tasks, values = [], {}
    for index, (modality, paradigm) in enumerate(places):
        metric = draw(st.sampled_from(sorted(RANGES)))
        number = st.floats(*RANGES[metric])
        task = make_task(index, modality, paradigm, metric, draw(st.none() | number))
        tasks.append(task)
        value = draw(st.none() | number)
        if value is not None:
            values[task.id] = value
    return Benchmark("made", tuple(tasks)), values


def all_numbers(found: Levels) -> list[float]:
    return [*found.scores.values(), *(score for entry in found.modalities for score in (entry.level_2, entry.level_3, entry.level_4))]


@settings(max_examples=300)
@given(st.booleans().flatmap(lambda everywhere: cases(everywhere=everywhere)))
def test_higher_levels_never_score_more(case: tuple[Benchmark, dict[str, float]]) -> None:
    found = levels(*case)
    assert found.level_2 >= found.level_3 - 1e-9
    assert found.level_3 >= found.level_4 - 1e-9
    assert found.level_4 >= found.level_5 - 1e-9
    for entry in found.modalities:
        assert 100.0 + 1e-9 >= entry.level_2 >= entry.level_3 - 1e-9
        assert entry.level_3 >= entry.level_4 - 1e-9
        assert entry.tasks >= entry.supported
        assert entry.tasks >= entry.wins
    assert 0.0 <= found.language.weight <= 1.0 + 1e-12
    reached = [level for level, score in found.scores.items() if score > 0]
    assert found.verdict == (max(reached) if reached else None)


@settings(max_examples=150)
@given(st.booleans().flatmap(lambda everywhere: cases(everywhere=everywhere)), st.randoms())
def test_the_order_of_tasks_and_values_does_not_matter(case: tuple[Benchmark, dict[str, float]], generator: object) -> None:
    benchmark, values = case
    tasks, items = list(benchmark.tasks), list(values.items())
    generator.shuffle(tasks)  # type: ignore[attr-defined]
    generator.shuffle(items)  # type: ignore[attr-defined]
    assert levels(Benchmark("made", tuple(tasks)), dict(items)) == levels(benchmark, values)


@settings(max_examples=150)
@given(cases())
def test_adding_a_supported_task_never_lowers_level_2(case: tuple[Benchmark, dict[str, float]]) -> None:
    benchmark, values = case
    found = levels(benchmark, values)
    for key in values:
        fewer = levels(benchmark, {other: value for other, value in values.items() if other != key})
        assert found.level_2 >= fewer.level_2 - 1e-9
        assert sum(entry.supported for entry in found.modalities) >= sum(entry.supported for entry in fewer.modalities)


@settings(max_examples=150)
@given(cases())
def test_copying_the_references_makes_level_3_equal_level_2(case: tuple[Benchmark, dict[str, float]]) -> None:
    benchmark, _values = case
    copied = {task.id: task.reference_workbook for task in benchmark.tasks}
    found = levels(benchmark, copied)
    assert found.level_3 == pytest.approx(found.level_2, abs=1e-9)
    wins = sum(entry.wins for entry in found.modalities) + found.language.wins
    assert wins == sum(value is not None for value in copied.values())


@pytest.mark.parametrize("references", ["workbook", "appendix"])
def test_the_references_of_general_bench_themselves_reach_level_5(references: str) -> None:
    benchmark = general_bench()
    found = levels(benchmark, {task.id: task.reference(references) for task in benchmark.tasks}, references)
    assert found.level_3 == pytest.approx(found.level_2, abs=1e-9)
    assert [entry.wins for entry in found.modalities] == [316, 172, 44, 52]
    assert found.language.wins == 115
    assert found.verdict == 5


@pytest.mark.parametrize("metric", ["mse", "fid", "wer"])
def test_a_perfect_error_of_zero_scores_a_hundred(metric: str) -> None:
    task = make_task(0, Modality.IMAGE, Paradigm.GENERATION, metric, 3.0)
    result = judge(task, 0.0)
    assert (result.sigma, result.win, result.supported) == (100.0, True, True)


def test_a_tie_is_a_win_and_a_missing_reference_or_value_is_none() -> None:
    task = make_task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "accuracy", 50.0)
    assert judge(task, 50.0).win is True
    assert judge(task, 49.999).win is False
    assert judge(task, None).win is None
    assert judge(task, math.nan).value is None
    assert judge(make_task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "accuracy", None), 50.0).win is None


def test_the_worst_result_is_attempted_but_not_supported() -> None:
    benchmark = Benchmark("made", (make_task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "accuracy", 50.0),))
    found = levels(benchmark, {"task-0": 0.0})
    assert (found.modalities[0].supported, found.level_2, found.verdict) == (0, 0.0, None)


def test_the_formulas_on_a_case_worked_by_hand() -> None:
    image_c = [make_task(index, Modality.IMAGE, Paradigm.COMPREHENSION, "accuracy", 50.0) for index in range(2)]
    image_g = [make_task(2, Modality.IMAGE, Paradigm.GENERATION, "accuracy", 10.0)]
    rest = [make_task(10 + index, modality, paradigm, "accuracy", 50.0) for index, (modality, paradigm) in enumerate(PLACES[2:])]
    language = [make_task(20 + index, Modality.LANGUAGE, None, "accuracy", 30.0) for index in range(4)]
    benchmark = Benchmark("made", (*image_c, *image_g, *rest, *language))
    found = levels(benchmark, {"task-0": 60.0, "task-1": 40.0, "task-2": 20.0, "task-20": 40.0, "task-21": 20.0})
    image = found.modalities[0]
    assert (image.level_2, image.level_3) == (35.0, 25.0)  # (100/2 + 20/1) / 2; (60/2 + 20/1) / 2
    assert image.level_4 == pytest.approx(2 * 30 * 20 / 50)
    assert (found.level_2, found.level_3) == (35.0 / 4, 25.0 / 4)
    assert found.language.weight == pytest.approx(40 / 4 / 100)
    assert found.level_5 == pytest.approx(24 / 4 * 0.1)
    assert found.verdict == 5


def test_a_benchmark_without_some_modalities_takes_means_over_those_it_has() -> None:
    language = make_task(0, Modality.LANGUAGE, None, "accuracy", None)
    image = make_task(1, Modality.IMAGE, Paradigm.COMPREHENSION, "accuracy", None)
    found = levels(Benchmark("own", (language, image)), {"task-0": 80.0, "task-1": 40.0})
    assert found.level_2 == 40.0
    assert (found.level_3, found.level_4, found.level_5, found.verdict) == (0.0, 0.0, 0.0, 2)
    assert levels(Benchmark("own", (language,)), {"task-0": 80.0}).verdict is None


def test_looking_at_the_asked_tasks_alone_counts_only_these_in_the_denominators() -> None:
    benchmark = general_bench()
    task = next(task for task in benchmark.tasks if task.modality is Modality.IMAGE and task.metric.id == "accuracy")
    whole, asked = levels(benchmark, {task.id: 50.0}), levels(benchmark, {task.id: 50.0}, only=[task.id])
    assert whole.level_2 == pytest.approx(50.0 / 271 / 2 / 4)
    assert asked.level_2 == 50.0


@pytest.mark.parametrize(("comprehension", "generation"), [(0.5, 80.0), (80.0, 0.5), (1e-3, 1e-3), (1.0, 1.0)])
def test_level_4_is_the_harmonic_mean_however_small_a_side_is(comprehension: float, generation: float) -> None:
    tasks = tuple(make_task(index, Modality.IMAGE, paradigm, "accuracy", 0.0) for index, paradigm in enumerate(Paradigm))
    found = levels(Benchmark("made", tasks), {tasks[0].id: comprehension, tasks[1].id: generation})
    assert found.level_4 == pytest.approx(2 * comprehension * generation / (comprehension + generation))
    assert found.verdict == 4
