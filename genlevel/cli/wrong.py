"""``genlevel show RUN --wrong``: answers that are less than right beside their labels, the worst of each task first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.cli.answer_text import print_wrong
from genlevel.cli.printing import say
from genlevel.connection.services import Stored, verdict_of
from genlevel.documents.answers import asked_answers, instances_of, key_of, scored_document
from genlevel.documents.meant_tasks import NO_SCORES, meant_tasks
from genlevel.documents.words import one_line
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


async def wrong_answers(found: Stored, run: ev.Run, pattern: str, limit: int, *, by_score: bool) -> Document:
    """The document: what there is of each task, and its first ``limit`` answers, the worst first or by id."""
    chosen = meant_tasks(await verdict_of(found, run.run_id), pattern)
    tasks, shown = [], []
    for score in chosen:
        request = sc.ListInstancesRequest(run_id=run.run_id, task=score.task.key, wrong=True, readings=True, limit=limit if by_score else 0)
        wrong = [one async for one in instances_of(found.scorer, request)]
        count = wrong[0].found if wrong else 0
        if not by_score:
            wrong = sorted(wrong, key=key_of)[:limit]
        shown += wrong
        tasks.append(
            {
                "task": score.task.name,
                "key": score.task.key,
                "metric": score.task.metric or None,
                "n": score.counts.total,
                "wrong": count if wrong or await _has_scores(found, run.run_id, score.task.key) else None,
                "shown": len(wrong),
                "note": None,
            }
        )
        if tasks[-1]["wrong"] is None:
            tasks[-1]["note"] = score.note or NO_SCORES
    answers = await asked_answers(found.evaluator, run.run_id, shown)
    entries = [scored_document(answers[where], one) for one in shown if (where := (one.task, key_of(one))) in answers]
    return {"run": run.run_id, "model": run.specification.model, "suite": run.suite, "tasks": tasks, "answers": entries}


def print_wrong_answers(document: Document) -> None:
    """The same for people."""
    say(f"{document['model']} on {document['suite']}: answers that are less than right")
    answers: dict[str, list[Document]] = {}
    for entry in document["answers"]:
        answers.setdefault(entry["task"], []).append(entry)
    for task in document["tasks"]:
        name = one_line(f"{task['key']} ({task['metric'] or 'no metric'})")
        if task["wrong"] is None:
            say(f"\n{name}: {task['note']}")
            continue
        more = f", the first {task['shown']:,} of them here (--limit)" if task["shown"] < task["wrong"] else ""
        say(f"\n{name}: {task['wrong']:,} of {task['n']:,}{more}")
        for entry in answers.get(task["key"], ()):
            print_wrong(entry)


async def _has_scores(found: Stored, run_id: str, task: str) -> bool:
    """Whether the task's metric gives single instances a score."""
    request = sc.ListInstancesRequest(run_id=run_id, task=task, limit=1)
    return any([one.HasField("best") async for one in instances_of(found.scorer, request)])
