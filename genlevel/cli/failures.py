"""``genlevel show RUN --failures``: what was refused, failed, was not asked, not judged or could not be read, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genlevel.cli.printing import say
from genlevel.connection.services import Stored
from genlevel.documents.answer_words import name_of
from genlevel.documents.answers import NOT_KEPT, ScoredAnswers, asked_answers, instances_of, key_of
from genlevel.documents.runs import outcome_name
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

_NEVER_ANSWERED = (sc.OUTCOME_REFUSED, sc.OUTCOME_FAILED, sc.OUTCOME_UNSUPPORTED)
_NOT_JUDGED = "not judged"


async def failed_answers(found: Stored, run: str) -> list[Document]:
    """All that is known of each of them, a document each. run: its whole id."""
    request = ev.ListAnswersRequest(run_id=run, outcomes=_NEVER_ANSWERED, questions=True)
    never = [answer async for answer in found.evaluator.list_answers(request)]
    judged, unread = await _not_judged(found, run), await _unread(found, run)
    asked = await asked_answers(found.evaluator, run, [*map(_place, judged), *unread])
    places = [*((one.task, key_of(one)) for one in judged), *((one.task, key_of(one)) for one in unread)]
    rest = [asked[place] for place in places if place in asked]
    entries = await ScoredAnswers(found.scorer, run).few([*never, *rest])
    failures = {(answer.task, key_of(answer)): answer.ratings[0].error for answer in judged}
    for entry, answer in zip(entries, (*never, *rest), strict=True):
        if (why := failures.get((answer.task, key_of(answer)))) is not None:
            entry |= {"outcome": _NOT_JUDGED, "error": why}
    return entries


async def failure_lines(found: Stored, run: str) -> list[Document]:
    """What a line says of each of them; no answer that could not be read is looked at again. run: its id, or how that begins."""
    request = ev.ListAnswersRequest(run_id=run, outcomes=_NEVER_ANSWERED)
    never = [answer async for answer in found.evaluator.list_answers(request)]
    # To ask how a run stands counts all of its answers, which takes as long as all else here.
    whole_id = never[0].run_id if never else (await found.evaluator.get_run(ev.GetRunRequest(run_id=run))).run.run_id
    lines = [_line(answer, outcome_name(answer.outcome), answer.error) for answer in never]
    lines += [_line(answer, _NOT_JUDGED, answer.ratings[0].error) for answer in await _not_judged(found, whole_id)]
    return lines + [_line(one, "unparsable", one.reason or f"why is {NOT_KEPT}") for one in await _unread(found, whole_id)]


def print_failures(lines: Sequence[Document]) -> None:
    """A line each."""
    said = [f"{line['outcome']:11} {name_of(line)}: {' '.join(line['error'].splitlines())}" for line in lines]
    say("\n".join(said) or "no failures")


async def _not_judged(found: Stored, run: str) -> list[ev.ListAnswersResponse]:
    """Answers that the judge failed on."""
    request = ev.ListAnswersRequest(run_id=run, judge_failures=True)
    return [answer async for answer in found.evaluator.list_answers(request)]


async def _unread(found: Stored, run: str) -> list[sc.ListInstancesResponse]:
    """Answers that the scorer could not read."""
    request = sc.ListInstancesRequest(run_id=run, outcomes=[sc.OUTCOME_UNPARSABLE], readings=True, unscored=True)
    return [one async for one in instances_of(found.scorer, request)]


def _line(one: ev.ListAnswersResponse | sc.ListInstancesResponse, outcome: str, error: str) -> Document:
    which = {"variant": one.variant, "repeat": one.repeat, "shuffle": one.shuffle}
    return {"task": one.task, "id": one.instance_id, **which, "outcome": outcome, "error": error}


def _place(answer: ev.ListAnswersResponse) -> sc.ListInstancesResponse:
    return sc.ListInstancesResponse(task=answer.task, instance_id=answer.instance_id)
