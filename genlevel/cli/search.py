"""``genlevel show RUN --search TEXT``: answers that have a text, or whose question or error has it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from genlevel.cli.printing import say
from genlevel.documents.answer_words import name_of
from genlevel.documents.search import search_document
from genlevel.documents.words import number, one_line
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.connection.services import Stored
    from genlevel.runtime.documents import Document

_LOOK_S = 0.5
_PAGE = 500
_RIGHT = {True: "right", False: "wrong", None: "not known whether right"}


async def found_answers(found: Stored, run: str, text: str, task: str, limit: int) -> Document:
    """The document: the first ``limit`` answers, once all of the run's are in the index. Raises GenlevelError."""
    request = ev.SearchAnswersRequest(run_id=run, text=text, tasks=[task] if task else [], limit=min(limit, _PAGE))
    response = first = await found.evaluator.search_answers(request)
    while first.indexing:
        await asyncio.sleep(_LOOK_S)
        response = first = await found.evaluator.search_answers(request)
    while response.next and len(first.answers) < limit:
        request.after, request.limit = response.next, min(limit - len(first.answers), _PAGE)
        response = await found.evaluator.search_answers(request)
        first.answers.extend(response.answers)
    return search_document(first)


def print_found(document: Document) -> None:
    """The same for people."""
    right, wrong = (sum(task[kind] for task in document["tasks"]) for kind in ("right", "wrong"))
    shown = f", the first {len(document['answers']):,} of them here (--limit)" if len(document["answers"]) < document["found"] else ""
    say(f"{document['found']:,} answers{shown}; in all tasks {right:,} are right, {wrong:,} wrong")
    if document["unscored"]:
        say(f"{document['unscored']:,} answers of the run are not scored, or not looked through, yet")
    for entry in document["answers"]:
        score = "" if entry["score"] is None else f", {number(entry['score'])}"
        say(f"\n{name_of(entry)}: {entry['outcome']}, {_RIGHT[entry['right']]}{score}")
        for name, told in (("asked", entry["question"]), ("answer", entry["excerpt"]), ("error", entry["error"])):
            if told:
                say(f"  {name + ':':8}{one_line(told)}")
