"""A model, its judges, and a suite with a judged task."""

from __future__ import annotations

import json

import pytest
from prometheus_client import CollectorRegistry

from evaluator.planning.suites import AnySuites
from evaluator.service import Evaluator
from genlevel.runtime.settings import Settings
from scorer.service import Scorer
from tests.evaluator.runs.judging.bench import Bench


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
async def services(tmp_path, bench):
    """Makes evaluators over one data folder, with their scorer."""
    made = []

    def make(*, continues=False, **runs):
        settings = Settings.model_validate({"runs": {"attempts": 2, "deadline_s": 20, **runs}})
        scorer = Scorer(f"sqlite:///{tmp_path / 'data' / 'genlevel.db'}")
        registry = CollectorRegistry()
        evaluator = Evaluator(
            settings, bench, scorer, registry=registry, data_folder=tmp_path / "data", suites=AnySuites(), continues=continues
        )
        made.append((evaluator, scorer))
        return evaluator, scorer, registry

    yield make
    for evaluator, scorer in made:
        await evaluator.close()
        scorer.close()


@pytest.fixture
def suite(tmp_path):
    """A suite of its own with a judged task, and others of ratings if asked for."""

    def make(instances=6, **others):
        root = tmp_path / "bench"
        for name in ("Sounds", *others):
            folder = root / "nlp" / name
            folder.mkdir(parents=True, exist_ok=True)
            data = [
                {
                    "id": f"s{number}",
                    "input": {"question": f"Describe sound {number}."},
                    "output": {"text": f"A dog barks {number} times, loudly."},
                }
                for number in range(instances)
            ]
            (folder / "annotation.json").write_text(json.dumps({"task": name, "type": "OpenEndedQA", "data": data}))
        tasks = "".join(f"  nlp/{name}: {{metric: {metric}}}\n" for name, metric in {"Sounds": "GPT-Score", **others}.items())
        (root / "suite.yaml").write_text(f"name: sounds\ntasks:\n{tasks}")
        return root

    return make
