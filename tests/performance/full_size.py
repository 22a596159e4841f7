"""A run of General-Bench's size, 699 tasks and 325,876 instances in its places, as questions of text: for benchmarks of what reads runs.

    python tests/performance/full_size.py FOLDER [ANSWERS.jsonl.gz] [SMALL_RUNS]

Writes FOLDER/suite, and FOLDER/data with that run and SMALL_RUNS (default: 99) of 100 instances beside it. ANSWERS: real answers of models,
a JSON object a line with type (choice, number or short_text), options, expected and raw; without them, made-up words of the same lengths.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import sys
import time
import zlib
from pathlib import Path
from typing import Any

from stored_runs import make_suite, store_run

from evaluator.journal.records import Answer
from evaluator.journal.usage import Usage
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Paradigm, Task
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import ErrorClass

INSTANCES = 325_876
METRICS = {
    "micro_f1": ("Micro-F1", "choice"),
    "bleu_1": ("BLEU-1", "short_text"),
    "rouge_l": ("ROUGE-L", "short_text"),
    "anls": ("ANLS", "short_text"),
    "mae": ("MAE", "number"),
}
"""Metrics of text by which tasks are scored as General-Bench has it, and what they ask for; all others are scored by ACC, of choices."""
_USUAL = ("ACC", "choice")
_PLACES = {"language": "nlp"}
Record = dict[str, Any]


def asked_by(task: Task) -> tuple[str, str]:
    """A metric's label and the kind of its answers."""
    return METRICS.get(task.metric.id, _USUAL) if task.paradigm is not Paradigm.GENERATION else _USUAL


def real_records(file: Path) -> dict[str, list[Record]]:
    """Answers of models by kind."""
    found: dict[str, list[Record]] = {"choice": [], "number": [], "short_text": []}
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["type"] in found and record["expected"] is not None:
                found[record["type"]].append(record)
    return found


def made_up_records(count: int = 1000) -> dict[str, list[Record]]:
    """The same, of made-up words: half are a few words, a tenth above 1,000 characters."""
    generator = random.Random(13)
    words = ["".join(generator.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(generator.randint(2, 9))) for _ in range(5000)]

    def text() -> str:
        return " ".join(words[min(4999, int(generator.paretovariate(0.7)))] for _ in range(int(generator.lognormvariate(3.7, 1.1)) + 1))

    return {
        "choice": [
            {"options": ["this", "that", "none"], "expected": "AB"[number % 2], "raw": f"{text()}. The answer is A."}
            for number in range(count)
        ],
        "number": [{"options": None, "expected": number % 50, "raw": f"{text()} The answer is {number % 40}."} for number in range(count)],
        "short_text": [{"options": None, "expected": text(), "raw": text()} for _ in range(count)],
    }


class FullSize:
    """The suite and the answers to it. records: by kind (see ``real_records``)."""

    def __init__(self, records: dict[str, list[Record]]) -> None:
        self._records = records
        self._kinds: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        tasks = general_bench().tasks
        missing = INSTANCES - sum(task.instances for task in tasks)
        self._tasks = {}
        for place, task in enumerate(tasks):
            paradigm = f"/{task.paradigm.value}" if task.paradigm else ""
            key = f"{_PLACES.get(task.modality.value, task.modality.value)}{paradigm}/{place:03}-{task.id.rsplit('/', 1)[-1]}"
            self._tasks[key] = task
            self._kinds[key] = asked_by(task)[1]
            self._counts[key] = task.instances + (missing if place == 0 else 0)

    def _record(self, key: str, number: int) -> Record:
        records = self._records[self._kinds[key]]
        return records[(zlib.crc32(key.encode()) + 7919 * number) % len(records)]

    def write_suite(self, root: Path) -> Path:
        """The suite's folder."""
        entries: dict[str, object] = {}
        for key, task in self._tasks.items():
            label = asked_by(task)[0]
            kept = task.metric.id in METRICS or task.metric.id == "accuracy"
            reference = task.reference_workbook if kept and 0.0 <= task.reference_workbook <= 100.0 else 55.0
            entries[key] = {
                "metric": label,
                "reference": reference,
                "name": f"{task.name} {key.rsplit('/', 1)[-1][:3]}",
                "skill": task.skill,
                "domain": task.domain,
                "capability": task.capability,
            }
            folder = root / key
            folder.mkdir(parents=True)
            data = [self._item(key, number) for number in range(self._counts[key])]
            asked = {"choice": "MultipleChoiceQA", "number": "Counting", "short_text": "OpenQA"}[self._kinds[key]]
            (folder / "annotation.json").write_text(json.dumps({"task": task.name, "type": asked, "data": data}, ensure_ascii=False))
        (root / "suite.yaml").write_text(json.dumps({"name": "full-size", "title": "As large as General-Bench", "tasks": entries}))
        return root

    def _item(self, key: str, number: int) -> dict[str, object]:
        record = self._record(key, number)
        question = f"{self._tasks[key].name}, question {number}: {_words_of(self._record(key, number + 1)['raw'])}?"
        options = {"options": [str(option) for option in record["options"]]} if record["options"] else {}
        return {"id": f"q{number}", "input": {"question": question, **options}, "output": {"answer": record["expected"]}}

    def answer(self, run_id: str, key: str, number: int) -> Answer:
        """As of ``stored_runs.store_run``: two of a hundred are refused; the first ten tasks have a failure, too."""
        drawn = zlib.crc32(f"{key}/{number}".encode())
        outcome = Outcome.REFUSED if drawn % 50 == 7 else Outcome.ANSWERED
        if number == 3 and key in list(self._tasks)[:10]:
            outcome = Outcome.FAILED
        answered = outcome is Outcome.ANSWERED
        raw = self._record(key, number)["raw"] if answered else ""
        return Answer(
            run_id,
            key,
            f"q{number}",
            outcome,
            raw_answer=raw,
            error_class=ErrorClass.CALLER_FAULT if outcome is Outcome.FAILED else ErrorClass.UNSPECIFIED,
            error="" if answered else "the provider would not",
            attempts=1 + (drawn % 30 == 0),
            usage=Usage(80 + drawn % 400, 0, 0, len(raw) // 4),
            cost_nano_usd=1000 * (80 + drawn % 400) + 300 * len(raw),
            upstream_s=0.4 + (drawn % 1000) / 250,
            provider_model="big-model-2026-10-01",
            response_id=f"chatcmpl-{drawn:032x}",
            request_hash=f"{drawn:064x}",
            created=time.time(),
            parameters='{"max_tokens": 512, "temperature": 0.0}',
        )


def _words_of(raw: str) -> str:
    return " ".join(raw.split()[:40]).rstrip("?. ")


async def build(folder: Path, records: dict[str, list[Record]], small: int) -> str:
    """Writes all; returns the large run's id."""
    full = FullSize(records)
    suite = full.write_suite(folder / "suite")
    run = await store_run(folder / "data", suite, model="big-model", answered=full.answer)
    little = make_suite(folder / "small_suite", 100, 5)
    for number in range(small):
        await store_run(folder / "data", little, model=f"small-model-{number:02}")
    return run


def main() -> None:
    folder = Path(sys.argv[1])
    records = real_records(Path(sys.argv[2])) if len(sys.argv) > 2 else made_up_records()
    started = time.perf_counter(), time.process_time()
    run = asyncio.run(build(folder, records, int(sys.argv[3]) if len(sys.argv) > 3 else 99))
    print(f"{folder / 'data'}: run {run}, {time.perf_counter() - started[0]:.0f} s, {time.process_time() - started[1]:.0f} s of CPU")


if __name__ == "__main__":
    main()
