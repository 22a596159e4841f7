"""What a report tells, asked of the services: level cards, examples of what went wrong, comparisons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.connection.services import verdict_of
from genlevel.documents.answers import asked_answers, instances_of, key_of, scored_document
from genlevel.documents.runs import has_outcomes, outcome_name, result_document
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from genlevel.views.card import Card, card_of

if TYPE_CHECKING:
    from genlevel.connection.services import Services, Stored
    from genlevel.runtime.documents import Document

EXAMPLES = 12
"""Wrong answers that a report shows of a run: at most one a task, of those with the lowest scores."""
FAILURES = 5
"""Reasons of refusals, failures and unreadable answers that it names, the most frequent first."""
MOST_RUNS = 10


@dataclass(frozen=True, slots=True)
class Failure:
    """What did not become an answer that can be scored, by its outcome and reason. example: task and instance of one of them."""

    outcome: str
    reason: str
    answers: int
    example: str


@dataclass(frozen=True, slots=True)
class RunPart:
    """What a report tells of one run. card: of its result, as `genlevel show RUN --json`. examples: as scored_document."""

    run: ev.Run
    card: Card
    examples: Sequence[Document]
    failures: Sequence[Failure]


@dataclass(frozen=True, slots=True)
class Gathered:
    """runs: in the order in which they were named. comparisons: of each further run with the first; why not, as a text."""

    runs: tuple[RunPart, ...]
    comparisons: tuple[sc.CompareResponse | str, ...]


async def gather(found: Services | Stored, runs: Sequence[str]) -> Gathered:
    """Everything that a report of these runs tells.

    Raises:
        UsageError: there are too many runs, one of them twice, or one that has nothing to tell yet.
        GenlevelError: a run is not there, or a service cannot be asked.
    """
    if len(runs) > MOST_RUNS:
        raise UsageError(f"a report tells of at most {MOST_RUNS} runs, not {len(runs)}; leave some out")
    known = [(await found.evaluator.get_run(ev.GetRunRequest(run_id=run))).run for run in runs]
    for run_id, times in Counter(run.run_id for run in known).items():
        if times > 1:
            raise UsageError(f"run {run_id} is named {times} times; name it once")
    parts = [await _part(found, run) for run in known]
    comparisons = [await _compared(found, known[0].run_id, run.run_id) for run in known[1:]]
    return Gathered(tuple(parts), tuple(comparisons))


async def _part(found: Services | Stored, run: ev.Run) -> RunPart:
    verdict = await verdict_of(found, run.run_id)
    if not verdict.tasks or not has_outcomes(run):
        raise UsageError(f"run {run.run_id} has no scored task yet, so there is nothing to report")
    return RunPart(
        run=run,
        card=card_of(result_document(run, verdict)),
        examples=await _examples(found, run, verdict),
        failures=await _failures(found, run, verdict),
    )


async def _examples(found: Services | Stored, run: ev.Run, verdict: sc.GetVerdictResponse) -> list[Document]:
    """The worst answer of each of the weakest tasks that has one, by task."""
    answered = (score for score in verdict.tasks if score.counts.answered)
    weakest = sorted(answered, key=lambda score: (not score.HasField("sigma"), score.sigma, score.task.key))  # incomplete ones have none
    shown: list[sc.ListInstancesResponse] = []
    for score in weakest:
        if len(shown) == EXAMPLES:
            break
        if score.sigma >= 100:
            continue
        request = sc.ListInstancesRequest(run_id=run.run_id, task=score.task.key, wrong=True, readings=True, limit=1)
        shown += [one async for one in instances_of(found.scorer, request)]
    answers = await asked_answers(found.evaluator, run.run_id, shown)
    return [scored_document(answers[where], one) for one in shown if (where := (one.task, key_of(one))) in answers]


async def _failures(found: Services | Stored, run: ev.Run, verdict: sc.GetVerdictResponse) -> list[Failure]:
    """Why answers are missing or could not be read, the most frequent reasons first."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    if any(score.counts.refused or score.counts.failed for score in verdict.tasks):
        request = ev.ListAnswersRequest(run_id=run.run_id, outcomes=[sc.OUTCOME_REFUSED, sc.OUTCOME_FAILED])
        async for answer in found.evaluator.list_answers(request):
            _count(counts, first, outcome_name(answer.outcome), answer.error, f"{answer.task}/{answer.instance_id}")
    if any(score.counts.unparsable for score in verdict.tasks):
        unread = sc.ListInstancesRequest(run_id=run.run_id, outcomes=[sc.OUTCOME_UNPARSABLE], readings=True, unscored=True)
        async for one in instances_of(found.scorer, unread):
            _count(counts, first, "unparsable", one.reason, f"{one.task}/{one.instance_id}")
    return [Failure(*what, answers, first[what]) for what, answers in counts.most_common(FAILURES)]


def _count(counts: Counter[tuple[str, str]], first: dict[tuple[str, str], str], outcome: str, reason: str, place: str) -> None:
    what = outcome, " ".join(reason.split())[:200]
    counts[what] += 1
    first.setdefault(what, place)


async def _compared(found: Services | Stored, first: str, other: str) -> sc.CompareResponse | str:
    """How another run compares with the first; in one line why it does not."""
    try:
        return await found.scorer.compare(sc.CompareRequest(run_a=first, run_b=other))
    except UsageError as error:
        return str(error)
