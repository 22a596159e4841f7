"""Units hold what shares a medium or a text, each instance once, in an order that follows from the seed; reading them keeps little."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.deciding import units as units_module
from evaluator.deciding.units import TaskUnits, UnitReader, units_of
from evaluator.planning.identity import sample_positions
from evaluator.planning.plans import TaskPlan
from genlevel.benchmark.clusters import cluster_of
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import DatasetError

PNG = b"\x89PNG\r\n\x1a\n"


def item(number, given, label="cat"):
    return {"id": f"q{number}", "input": given, "output": {"label": label}}


@pytest.fixture
def make_task(tmp_path):
    """A task of these items, with four pictures beside it."""

    def make(items, folder="image/comprehension/Made-Up", **envelope):
        place = tmp_path / "suite" / folder
        (place / "images").mkdir(parents=True, exist_ok=True)
        for name in "abcd":
            (place / "images" / f"{name}.png").write_bytes(PNG + name.encode())
        (place / "annotation.json").write_text(json.dumps({"task": place.name, "type": "classification", "data": items, **envelope}))
        (task,) = load_suite(tmp_path / "suite").tasks
        return task

    return make


def plan(task, positions=None, repeats=1):
    return TaskPlan(task, positions, task.count() if positions is None else len(positions), repeats)


def partition(units):
    return {tuple(units.of(unit)) for unit in range(len(units))}


def test_what_shares_a_picture_is_one_unit_however_its_path_is_written(make_task):
    written = ["images/a.png", "./images/a.png", "b.png", "images\\b.png", "images/c.png", "images/gone.png", "images/gone.png"]
    task = make_task([item(n, {"prompt": "What?", "image_file": path}) for n, path in enumerate(written)])
    assert partition(units_of(plan(task), 0)) == {(0, 1), (2, 3), (4,), (5,), (6,)}, "what cannot be asked is alone"


def test_what_all_share_makes_no_unit(make_task):
    task = make_task([item(n, {"prompt": f"What is {n}?", "image_file": "images/a.png"}) for n in range(5)])
    assert partition(units_of(plan(task), 0)) == {(n,) for n in range(5)}
    assert units_of(plan(task), 0).sizes == {}


PICTURES = ("images/a.png", "images/b.png", "x.png", None)
SHAPES = st.tuples(st.sampled_from(PICTURES), st.sampled_from(("", "one", "two")), st.booleans())


@settings(max_examples=25, deadline=None)
@given(st.lists(SHAPES, min_size=1, max_size=12), st.integers(0, 3))
def test_units_are_the_clusters_that_are_scored(tmp_path_factory, shapes, seed):
    place = tmp_path_factory.mktemp("suite") / "image" / "comprehension" / "Made-Up"
    (place / "images").mkdir(parents=True)
    for name in "ab":
        (place / "images" / f"{name}.png").write_bytes(PNG)
    items = []
    for number, (picture, context, broken) in enumerate(shapes):
        given = {"prompt": "<<<gone>>>" if broken else "What?", "context": context}
        items.append(item(number, given | ({"image_file": picture} if picture else {})))
    (place / "annotation.json").write_text(json.dumps({"task": place.name, "type": "classification", "data": items}))
    (task,) = load_suite(place.parents[2]).tasks
    clusters = defaultdict(list)
    for instance in task.instances():
        clusters[cluster_of(instance, task.key) or instance.position].append(instance.position)
    whole = len(clusters) == 1
    expected = {(n,) for n in range(len(items))} if whole else {tuple(positions) for positions in clusters.values()}
    units = units_of(plan(task), seed)
    assert partition(units) == expected
    assert sorted(units.positions) == list(range(len(items)))


def test_the_order_follows_from_the_seed_and_differs_between_seeds(make_task):
    task = make_task([item(n, {"prompt": f"What is {n}?"}) for n in range(200)])
    first = list(units_of(plan(task), 1).positions)
    assert first == list(units_of(plan(task), 1).positions) != list(units_of(plan(task), 2).positions)
    assert first != sorted(first)
    assert first != list(units_of(TaskPlan(_Renamed(task, "another"), None, 200), 1).positions), "and between tasks"


def test_only_the_planned_ones_are_in_units(make_task):
    task = make_task([item(n, {"prompt": f"What is {n}?", "image_file": f"images/{'abcd'[n % 4]}.png"}) for n in range(40)])
    positions = sample_positions(task.key, 40, 10, 7)
    units = units_of(plan(task, positions, repeats=3), 7)
    assert sorted(units.positions) == list(positions)
    assert sum(units.answers) == 30
    assert units.answers_of_first(0) == 0
    assert units.answers_of_first(len(units)) == 30
    assert sum(size * count for size, count in units.sizes.items()) == 10


def test_units_are_read_in_blocks_and_each_once(make_task, monkeypatch):
    pictures = [{"image_file": f"images/{'abcd'[n % 4]}.png"} if n % 3 == 0 else {} for n in range(300)]
    task = make_task([item(n, {"prompt": f"What is {n}?"} | picture) for n, picture in enumerate(pictures)])
    planned = plan(task)
    units, passes = units_of(planned, 0), []
    instances = type(task).instances
    monkeypatch.setattr(type(task), "instances", lambda self, positions: passes.append(len(positions)) or instances(self, positions))
    reader = UnitReader([(planned, units)])
    seen = [instance.position for unit in range(len(units)) for instance in reader.take(task.key, unit)]
    assert seen == list(units.positions)
    assert sum(passes) == 300
    assert len(passes) < 6


def test_what_is_read_ahead_is_bounded_and_read_again(make_task, monkeypatch):
    monkeypatch.setattr(units_module, "_MOST_KEPT", 30_000)
    task = make_task([item(n, {"prompt": f"What is {n}?"}) for n in range(64)])
    planned = [(TaskPlan(_Renamed(task, f"t{n}"), None, 64), units_of(plan(task), 0)) for n in range(8)]
    reader = UnitReader(planned)
    for unit in range(3):
        for one, units in planned:
            assert [instance.position for instance in reader.take(one.task.key, unit)] == list(units.of(unit))
            assert reader._kept <= 60_000
    assert not all(reader.ready(f"t{n}", 3) for n in range(8))


class _Renamed:
    def __init__(self, task, key):
        self.key, self.count = key, task.count
        self.instances = task.instances


def test_an_annotation_that_has_become_shorter_is_said(make_task):
    task = make_task([item(n, {"prompt": f"What is {n}?"}) for n in range(9)])
    reader = UnitReader([(plan(task), units_of(plan(task), 0))])
    task.annotation.write_text(json.dumps({"task": "Made-Up", "data": [item(0, {"prompt": "What?"})]}))
    with pytest.raises(DatasetError, match="shorter"):
        reader.take(task.key, 0)


def test_a_task_without_instances_has_no_units():
    assert TaskUnits([], []).sizes == {}
