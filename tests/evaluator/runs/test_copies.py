"""A run in another journal: what `ListAnswers` tells of it whole is all that the journal had."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from google.protobuf import json_format

from evaluator.journal.journal import Journal
from evaluator.journal.messages import answer_message, judgement_message
from evaluator.journal.records import Answer, Costs, Judgement, OpenCalls
from evaluator.journal.usage import Usage
from evaluator.runs.copies import copy_answers, note_unknown_calls
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import DatasetError, ErrorClass
from genlevel.v1 import evaluator_pb2 as ev

NOTHING = Costs()
# Nothing in these has its default, so that what is left out shows.
ANSWER = Answer(
    "there", "t", "i", Outcome.FAILED, raw_answer="A", finish_reason=2, error_class=ErrorClass.TIMEOUT, error="late", attempts=3, waits=2,
    usage=Usage(1, 2, 3, 4, 5, 6, 7), cost_nano_usd=8, upstream_s=0.5, provider_model="m-2024", response_id="x", request_hash="h",
    created=1.25, files=f'[["{"a" * 64}",9,"image/png"]]', variant=1, repeat=2, shuffle=3, unknown_calls=4, unknown_nano_usd=5,
    unknown_tokens=6, excess=1.5, parameters='{"temperature":0.0}',
    fingerprint="fp_1",
)  # fmt: skip
JUDGED = Judgement(
    "there", "t", "i", "j", "p", "9", outcome=Outcome.ANSWERED, rating=7.0, reply="7", replies=1, error_class=ErrorClass.UNKNOWN, error="e",
    calls=2, usage=Usage(1, 2, 3, 4, 5), cost_nano_usd=3, created=2.5, variant=1, repeat=2, shuffle=3, unknown_calls=1, unknown_nano_usd=2,
    unknown_tokens=3, excess=2.0,
)  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(f"sqlite:///{tmp_path}/j.db")
    yield opened
    opened.close()


def told(*answers: Answer, ratings: tuple[ev.AnswerRating, ...] = ()) -> AsyncIterator[ev.ListAnswersResponse]:
    """As a service tells them, by way of a line of a file."""

    async def stream() -> AsyncIterator[ev.ListAnswersResponse]:
        for answer in answers:
            message = answer_message(answer, whole=True)
            message.ratings.extend(ratings)
            yield json_format.Parse(json_format.MessageToJson(message), ev.ListAnswersResponse())

    return stream()


async def test_an_answer_and_its_ratings_are_copied_with_all_that_is_known_of_them(journal: Journal) -> None:
    ratings = (judgement_message(JUDGED, whole=True), ev.AnswerRating(rater="anna", rating=60.0))
    await copy_answers(journal, "here", told(ANSWER, ratings=ratings))
    assert list(journal.list_answers("here")) == [ANSWER._replace(run_id="here")]
    key = AnswerKey("i", 1, 2, 3)
    assert journal.judgements.about("here", "t", key) == [replace(JUDGED, run_id="here")]
    assert journal.judgements.people_of("here", "t", [AnswerKey("i")]) == {AnswerKey("i"): {"anna": 60.0}}


def test_no_field_of_the_samples_has_its_default() -> None:
    """Else a field that copies forget would be equal all the same."""
    copied = [name for name in Answer._fields if name != "member"]  # a copy is of a run that nobody shares
    for sample, names, needed in ((ANSWER, copied, 4), (JUDGED, [field.name for field in fields(JUDGED)], 6)):
        plain = type(sample)(*(getattr(sample, name) for name in names[:needed]))
        assert [name for name in names[needed:] if getattr(sample, name) == getattr(plain, name)] == []


async def test_what_nobody_can_tell_of_a_bill_stays_so(journal: Journal) -> None:
    unknown = Answer("there", "t", "i", Outcome.ANSWERED, unknown_calls=1, unknown_nano_usd=None, unknown_tokens=None)
    await copy_answers(journal, "here", told(unknown))
    assert list(journal.list_answers("here")) == [unknown._replace(run_id="here")]


async def test_calls_that_no_answer_tells_of_are_in_the_bounds_of_a_copy_and_of_two_under_one_id(journal: Journal) -> None:
    await asyncio.gather(
        journal.record(Answer("a", "t", "i", Outcome.ANSWERED, cost_nano_usd=10)),
        journal.note(OpenCalls("a", 1, "t", judges=False, calls=2, nano_usd=30, tokens=5)),
        journal.record(Answer("b", "u", "i", Outcome.ANSWERED, cost_nano_usd=100, unknown_calls=1, unknown_nano_usd=7)),
        journal.note(OpenCalls("b", 1, "u", judges=False, calls=1, nano_usd=500, tokens=5)),
    )
    for number, run_id in enumerate(("a", "b"), start=1):
        cost = journal.totals(run_id).cost
        run = ev.Run(run_id=run_id, cost_nano_usd=cost.nano_usd, most_cost_nano_usd=cost.most_nano_usd, unknown_calls=cost.unknown_calls)
        before = journal.totals("both").cost
        await copy_answers(journal, "both", told(*journal.list_answers(run_id)))
        await note_unknown_calls(journal, run, "both", number=number, before=before)
    both = journal.totals("both").cost
    assert (both.nano_usd, both.unknown_calls, both.most_nano_usd) == (110, 4, 10 + 30 + 100 + 7 + 500)


async def test_a_line_that_no_journal_wrote_is_refused_by_name(journal: Journal) -> None:
    async def stream() -> AsyncIterator[ev.ListAnswersResponse]:
        yield ev.ListAnswersResponse(task="t", instance_id="i")

    with pytest.raises(DatasetError, match="answer 't'/'i': no outcome has the number 0"):
        await copy_answers(journal, "here", stream())


async def test_what_was_copied_under_an_id_without_a_run_can_be_removed(journal: Journal) -> None:
    await copy_answers(
        journal, "here", told(ANSWER, ratings=(judgement_message(JUDGED, whole=True), ev.AnswerRating(rater="a", rating=1.0)))
    )
    await copy_answers(journal, "other", told(ANSWER))
    journal.clear("here")
    assert list(journal.list_answers("here")) == []
    assert not journal.judgements.are_there("here")
    assert len(list(journal.list_answers("other"))) == 1


async def test_models_and_parameters_are_counted_as_answers_tell_them_and_silence_is_counted_too(journal: Journal) -> None:
    said = ("m-2024", "m-2024", "m-2025", "")
    await asyncio.gather(
        *(journal.record(Answer("r", "t", f"i{at}", Outcome.ANSWERED, provider_model=name)) for at, name in enumerate(said))
    )
    await journal.record(Answer("r", "t", "failed", Outcome.FAILED))
    await journal.record(Answer("other", "t", "i", Outcome.ANSWERED, provider_model="n"))
    assert journal.sent("r") == ([("m-2024", 2), ("", 1), ("m-2025", 1)], [("", 4)])
