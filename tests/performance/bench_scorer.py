"""The scorer at full size: levels of 100 models, certification of 325,876 instances, a language benchmark parsed and scored.

Prints, each measured in a process of its own:
  1. levels of 100 models x 699 tasks (aim: under 1 s);
  2. a run of 699 tasks and 325,876 instances, a third of them in clusters: storing one task's score with the others there, the certificate
     without and with 2,000 bootstrap draws (aim: under 60 s and 2 GiB), and its comparison with another such run;
  3. 57,920 answers of language tasks parsed and scored, from the messages on, and measured a few at a time.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

INSTANCES = 325_876
LANGUAGE_INSTANCES = 57_920
DRAWS = 2000
MEASURED_TOGETHER = 8


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def levels() -> dict[str, float]:
    from genlevel.benchmark.catalogue import general_bench
    from scorer.levels.rules import levels as levels_of

    benchmark = general_bench()
    generator = random.Random(1)
    models = [
        {task.id: generator.random() * min(100.0, task.reference_workbook or 1.0) for task in benchmark.tasks} for _model in range(100)
    ]
    started = time.perf_counter()
    found = [levels_of(benchmark, values) for values in models]
    seconds = time.perf_counter() - started
    assert all(entry.level_2 > 0.0 for entry in found)
    return {"seconds": seconds}


def certification() -> dict[str, float]:
    from genlevel.benchmark.answer_key import AnswerKey
    from genlevel.benchmark.catalogue import general_bench
    from genlevel.runtime.storage import sqlite_url
    from genlevel.v1 import scorer_pb2 as sc
    from scorer.runs.certified import evidence_found
    from scorer.scoring.task_scoring import Outcome, TaskOutcome
    from scorer.service import Scorer
    from scorer.store.records import StoredRun, StoredScore
    from scorer.store.scores import ScoreStore
    from scorer.wire import task_of

    generator = random.Random(2)
    tasks = general_bench().tasks
    # What can be computed here so far; every task is taken as one of these.
    kinds: list[tuple[str, dict[str, str]]] = [
        ("accuracy", {}), ("f1", {}), ("bleu_4", {}), ("micro_f1", {}), ("bleu_1", {"level": "corpus"}),
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        url = sqlite_url(Path(folder) / "scores.sqlite")
        store = ScoreStore(url)
        descriptions = []
        for index, task in enumerate(tasks):
            metric, parameters = kinds[index % len(kinds)]
            descriptions.append(
                sc.TaskDescription(
                    key=task.id,
                    name=task.name,
                    sheet=task.sheet,
                    modality=task.modality.value,
                    paradigm=task.paradigm.value if task.paradigm else "",
                    metric=metric,
                    metric_label=metric,
                    metric_parameters=parameters,
                    reference=50.0,
                )
            )
        run = StoredRun("full", "model", "suite", "full-size", tuple(task_of(description) for description in descriptions))
        total = 0
        for index, task in enumerate(run.benchmark_tasks):
            count = INSTANCES // len(tasks) + (index < INSTANCES % len(tasks))
            total += count
            statistics = {
                AnswerKey(f"instance-{item:05}"): (Outcome.ANSWERED, _statistic(task.metric.id, generator)) for item in range(count)
            }
            clusters = {key: position // 3 for position, key in enumerate(statistics)} if index % 3 == 0 else {}
            evidence = evidence_found(task.metric, statistics, clusters)
            outcome = TaskOutcome(50.0, 50.0, 50.0, 1.0, {Outcome.ANSWERED: count}, "", (), statistics, clusters)
            score = StoredScore(task, False, outcome, evidence=evidence, examined=True)
            store.save(run, score)
            # The other run of the comparison: the same answers, but for a tenth of them.
            other = {
                key: (kind, _statistic(task.metric.id, generator) if generator.random() < 0.1 else row)
                for key, (kind, row) in statistics.items()
            }
            store.save(replace(run, run_id="other"), replace(score, outcome=replace(outcome, statistics=other)))
        assert total == INSTANCES
        store.close()
        scorer = Scorer(url)
        figures = asyncio.run(_certified(scorer, descriptions))
        scorer.close()
        database = sum(file.stat().st_size for file in Path(folder).iterdir())
    return {**figures, "database_mib": database / 2**20}


def _statistic(metric: str, generator: random.Random) -> object:
    if metric == "accuracy":
        return float(generator.random() < 0.5)
    if metric == "micro_f1":
        return [generator.randint(0, 3), generator.randint(0, 2), generator.randint(0, 2)]
    if metric == "bleu_1":
        matched = generator.randint(0, 8)
        return [matched, matched + generator.randint(1, 8), generator.randint(5, 15)]
    return generator.random() ** 2


async def _certified(scorer, descriptions) -> dict[str, float]:  # type: ignore[no-untyped-def]
    from genlevel.v1 import scorer_pb2 as sc

    figures = {}
    for name, request in (
        ("plain_s", sc.GetVerdictRequest(run_id="full")),
        ("bootstrap_s", sc.GetVerdictRequest(run_id="full", bootstrap_draws=DRAWS)),
    ):
        started = time.perf_counter()
        verdict = await scorer.get_verdict(request)
        figures[name] = time.perf_counter() - started
        assert len(verdict.certificate.tasks) == 699
    figures["peak_mib"] = peak_mib()
    assert all(level.HasField("bootstrap") for level in verdict.certificate.levels)

    async def one() -> AsyncIterator[sc.ScoreTaskRequest]:
        yield sc.ScoreTaskRequest(
            header=sc.ScoreTaskHeader(
                run_id="full", model="model", suite="suite", benchmark="full-size", task=descriptions[0], benchmark_tasks=descriptions
            ),
            instances=[
                sc.InstanceAnswer(
                    id=str(item), outcome=sc.OUTCOME_ANSWERED, raw_answer="A", answer_type="choice", label_json='"A"', options="xy"
                )
                for item in range(464)
            ],
        )

    started = time.perf_counter()
    await scorer.score_task(one())
    figures["score_task_s"] = time.perf_counter() - started
    started = time.perf_counter()
    comparison = await scorer.compare(sc.CompareRequest(run_a="full", run_b="other", draws=DRAWS))
    figures["compare_s"] = time.perf_counter() - started
    assert len(comparison.tasks) == 699
    figures["compare_peak_mib"] = peak_mib()
    return figures


def language() -> dict[str, float]:
    from genlevel.benchmark.catalogue import general_bench
    from genlevel.benchmark.model import Modality
    from genlevel.runtime.storage import sqlite_url
    from genlevel.v1 import scorer_pb2 as sc
    from scorer.metrics import implemented
    from scorer.service import Scorer

    generator = random.Random(3)
    words = [f"word{index}" for index in range(2000)]
    tasks = [task for task in general_bench().tasks if task.modality is Modality.LANGUAGE and task.metric.id in implemented()]
    scored = 0

    def text(length: int) -> str:
        return " ".join(generator.choices(words, k=length))

    def instance(metric: str, index: int) -> sc.InstanceAnswer:
        if metric == "accuracy":
            kind, label, raw, options = "choice", "B", generator.choice(["The answer is B.", "Answer: C", "B"]), ["one", "two", "three"]
        elif metric == "micro_f1":
            kind, label, raw, options = "items", ["joy", "fear"], json.dumps(generator.sample(["joy", "fear", "anger"], 2)), []
        elif metric == "rmse":
            kind, label, raw, options = "number", str(index), str(index + generator.random()), []
        elif metric == "code_bleu":
            kind, label, raw, options = (
                "code",
                ["def f(a):\n    return a + 1"],
                f"```python\ndef f(b):\n    return b + {index % 9}\n```",
                [],
            )
        else:
            kind, label, raw, options = "long_text", [text(25)], text(25), []
        return sc.InstanceAnswer(
            id=str(index), outcome=sc.OUTCOME_ANSWERED, raw_answer=raw, answer_type=kind, label_json=json.dumps(label), options=options
        )

    streams = []
    for index, task in enumerate(tasks):
        count = LANGUAGE_INSTANCES // len(tasks) + (index < LANGUAGE_INSTANCES % len(tasks))
        description = sc.TaskDescription(
            key=task.id,
            name=task.name,
            sheet=task.sheet,
            modality=task.modality.value,
            metric=task.metric.id,
            metric_label=task.metric.label,
            metric_parameters=dict(task.metric.parameters),
        )
        streams.append((description, [instance(task.metric.id, item) for item in range(count)]))
        scored += count
    assert scored == LANGUAGE_INSTANCES

    async def run(scorer: Scorer) -> float:
        started = time.perf_counter()
        for description, instances in streams:

            async def messages(description=description, instances=instances) -> AsyncIterator[sc.ScoreTaskRequest]:  # type: ignore[no-untyped-def]
                yield sc.ScoreTaskRequest(
                    header=sc.ScoreTaskHeader(run_id="r", model="m", suite="s", benchmark="general-bench", task=description)
                )
                for start in range(0, len(instances), 200):
                    yield sc.ScoreTaskRequest(instances=instances[start : start + 200])

            response = await scorer.score_task(messages())
            assert response.score.HasField("score"), response.score.note
        return time.perf_counter() - started

    async def measure(scorer: Scorer) -> float:
        started = time.perf_counter()
        for description, instances in streams:
            for start in range(0, len(instances), MEASURED_TOGETHER):
                some = instances[start : start + MEASURED_TOGETHER]
                asked = sc.MeasureAnswersRequest(tasks=[sc.AnswersOfTask(task=description, instances=some)])
                response = await scorer.measure_answers(asked)
                assert len(response.answers) == len(some)
        return time.perf_counter() - started

    with tempfile.TemporaryDirectory() as folder:
        scorer = Scorer(sqlite_url(Path(folder) / "scores.sqlite"))
        seconds = asyncio.run(run(scorer))
        measured = asyncio.run(measure(scorer))
        scorer.close()
    each, alone = 1000 * seconds / LANGUAGE_INSTANCES, 1000 * measured / LANGUAGE_INSTANCES
    return {"seconds": seconds, "tasks": len(tasks), "per_answer_ms": each, "measured_ms": alone}


def in_own_process(part: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, part], stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    parts = {"levels": levels, "certification": certification, "language": language}
    if len(sys.argv) > 1:
        print(json.dumps(parts[sys.argv[1]]()))
        return
    found = in_own_process("levels")
    print(f"levels of 100 models x 699 tasks: {found['seconds']:.2f} s (aim: under 1 s)")
    found = in_own_process("certification")
    print(f"a run of 699 tasks and {INSTANCES:,} instances (two such runs are {found['database_mib']:.0f} MiB stored):")
    print(f"  verdict and certificate: {found['plain_s']:.2f} s; scoring one more task of 464 answers: {found['score_task_s']:.2f} s")
    print(
        f"  with {DRAWS:,} bootstrap draws: {found['bootstrap_s']:.1f} s; peak memory {found['peak_mib']:.0f} MiB (aims: 60 s, 2,048 MiB)"
    )
    print(f"  compared with another such run, {DRAWS:,} draws: {found['compare_s']:.1f} s; peak memory {found['compare_peak_mib']:.0f} MiB")
    found = in_own_process("language")
    each = f"{found['per_answer_ms']:.3f} ms each"
    print(f"{LANGUAGE_INSTANCES:,} answers of {found['tasks']:.0f} language tasks parsed and scored: {found['seconds']:.1f} s, {each}")
    print(f"  measured {MEASURED_TOGETHER} at a time, as while a run is decided: {found['measured_ms']:.3f} ms each")


if __name__ == "__main__":
    main()
