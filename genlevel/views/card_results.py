"""The tasks of a result document as results of its benchmark: modality, paradigm, skill and specialist of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.benchmark.model import Benchmark, Task, TaskMetric
from genlevel.benchmark.sheets import place_of
from genlevel.benchmark.suites import load_benchmark
from scorer.levels.rules import TaskResult, judge_all
from scorer.tasks import TaskIndex, TaskRecord

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


@dataclass(frozen=True, slots=True)
class CardResults:
    """results: of all tasks of the benchmark that are known here, in its order. asked: ids of those that were asked.

    by_key: of those that were asked, by the document's key.
    """

    results: tuple[TaskResult, ...]
    asked: frozenset[str]
    by_key: Mapping[str, TaskResult]


def results_of(document: Document) -> CardResults | None:
    """The results behind a document. Of a benchmark that is not shipped, the asked tasks alone are known; None if not even these are."""
    benchmark = load_benchmark(document["benchmark"]) or _asked_benchmark(document)
    if not benchmark.tasks:
        return None
    index = TaskIndex(benchmark)
    tasks: dict[str, Task] = {}
    values: dict[str, float | None] = {}
    for entry in document["tasks"]:
        task = index.find(TaskRecord(key=entry["key"], name=entry["task"], sheet=entry["sheet"] or "", unlisted=entry["sheet"] is None))
        if task is not None:
            tasks[entry["key"]] = task
            values[task.id] = entry["score"]
    results = judge_all(benchmark, values, document["level"]["references"] or "workbook")
    by_id = {result.task.id: result for result in results}
    return CardResults(results, frozenset(values), {key: by_id[task.id] for key, task in tasks.items()})


def _asked_benchmark(document: Document) -> Benchmark:
    """What a document says of a benchmark of one's own: its tasks that were asked, by the place that their sheet names."""
    tasks = []
    for row, entry in enumerate(document["tasks"]):
        place = place_of(entry["sheet"] or "")
        if place is None or entry["metric"] is None:
            continue
        tasks.append(
            Task(
                id=entry["key"],
                name=entry["task"],
                short_name=entry["task"],
                sheet=entry["sheet"],
                row=row,
                number=str(row + 1),
                modality=place[0],
                paradigm=place[1],
                metric=TaskMetric(entry["metric"], entry["metric"]),
                reference_workbook=entry["reference"],
                reference_appendix=entry["reference"],
            )
        )
    return Benchmark(document["benchmark"], tuple(tasks))
