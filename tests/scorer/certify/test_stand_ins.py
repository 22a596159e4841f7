"""Published models in the place of the one that a run asks."""

from __future__ import annotations

import numpy as np
import pytest

from genlevel.benchmark.catalogue import general_bench, tasks_by_id
from genlevel.deciding.values import Criterion
from scorer.certify.stand_ins import stand_ins
from scorer.levels.published import PublishedModel, publication, published_model

OPEN = Criterion(bar=0.5, critical=1)


def test_what_was_published_of_a_model_is_taken() -> None:
    tasks = [(task, OPEN if task.metric.id == "accuracy" else Criterion(obstacle="none")) for task in general_bench().tasks]
    found = stand_ins(tasks, 16, 0)
    assert len(found.models) >= 8
    assert "GPT-4V" in found.models
    assert found.shares.shape == (len(found.models), len(tasks))
    values = published_model("GPT-4V").values
    row = found.shares[found.models.index("GPT-4V")]
    held = [place for place, (task, criterion) in enumerate(tasks) if not criterion.obstacle and task.id in values]
    assert len(held) > 50
    assert row[held] == pytest.approx([values[tasks[place][0].id] / 100.0 for place in held])
    assert (found.shares[:, [bool(criterion.obstacle) for _task, criterion in tasks]] == 0.0).all()
    assert ((found.shares >= 0.0) & (found.shares <= 1.0)).all()


def test_gaps_are_filled_from_others_anew_in_each_row() -> None:
    tasks = [(task, OPEN) for task in general_bench().tasks if task.metric.id == "accuracy"]
    found = stand_ins(tasks, 200, 1)
    again = stand_ins(tasks, 200, 1)
    assert found.models == again.models
    assert (found.shares == again.shares).all()
    rows = [place for place, model in enumerate(found.models) if model == "AnyGPT"]
    gaps = [place for place, (task, _criterion) in enumerate(tasks) if task.id not in published_model("AnyGPT").values]
    assert len(rows) > 1
    assert (found.shares[rows[0]] != found.shares[rows[1]])[gaps].any()


def test_no_row_if_nothing_was_published() -> None:
    unlisted = next(task for task in tasks_by_id().values() if all(task.id not in model.values for model in _models()))
    found = stand_ins([(unlisted, OPEN)], 8, 0)
    assert found.models == ()
    assert found.shares.shape == (0, 1)


def test_any_model_with_values_of_the_tasks_is_taken() -> None:
    task = next(task for task in general_bench().tasks if task.metric.id == "f1" and any(task.id in model.values for model in _models()))
    found = stand_ins([(task, OPEN)], 1, 0)
    known = {model.model: model.values[task.id] / 100.0 for model in _models() if task.id in model.values}
    assert dict(zip(found.models, found.shares[:, 0], strict=True)) == pytest.approx(known)
    assert np.isfinite(found.shares).all()


def _models() -> list[PublishedModel]:
    return [model for model in publication().models if model.values]
