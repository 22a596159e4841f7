"""Where one of two runs is right, or better, and the other is not: both answers side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from genlevel.documents.answer_words import label_text, name_of, read_text
from genlevel.documents.differing import QUESTION, Part, differing_on
from genlevel.documents.words import number
from genlevel.runtime.errors import UsageError
from genlevel.views.table import table
from genlevel.web.page import Asked, Page
from genlevel.web.places import AnswerPlace

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

SHOWN = 10
LONGEST = 2000
"""Characters of a text that are shown here; all of them are on the page of the answer."""
_BETTER = {"": "either is better", "a": "A is better", "b": "B is better"}


async def instances_page(asked: Asked) -> Page:
    """One task of two runs. ?better=a, b: only where that one is. ?after: how many are passed over.

    Raises UsageError for other than two runs, of different suites, or a task that both do not have; NotFoundError for a run that is not
    there.
    """
    runs, task, better = asked.many("run"), asked.exact("task"), asked.one("better")
    if len(runs) != 2:
        raise UsageError("name two runs: open the instances of a task from a comparison")
    if better not in _BETTER:
        raise UsageError("better is a or b")
    after = asked.whole("after", 0, most=10**7)
    document = await differing_on(asked.services, runs[0], runs[1], task, Part(SHOWN, after, better))
    (counted,) = document["tasks"]
    differ = {"": counted["only_a"] + counted["only_b"], "a": counted["only_a"], "b": counted["only_b"]}
    query = [("run", document["a"]["run"]), ("run", document["b"]["run"]), ("task", task)]
    entries = [_entry(document, entry) for entry in document["instances"]]
    values: dict[str, object] = {
        "compared": document,
        "counted": counted,
        "entries": entries,
        "back": f"/compare?{urlencode(query[:2])}",
        "filters": [
            (said, differ[name], f"/compare/instances?{urlencode([*query, *([('better', name)] if name else [])])}", name == better)
            for name, said in _BETTER.items()
        ],
        "after": after,
        "last": after + counted["shown"],
        "found": differ[better],
        "next": _further(query, better, after + SHOWN) if after + counted["shown"] < differ[better] else "",
        "before": _further(query, better, max(0, after - SHOWN)) if after else "",
    }
    rows = [(entry["id"], entry["variant"], entry["repeat"], entry["shuffle"], *_cells(entry)) for entry in document["instances"]]
    columns = ("instance", ">variant", ">repeat", ">shuffle", "better", ">score A", ">score B", "read in A", "read in B", "label")
    tables = {"instances": table(f"Instances of {counted['task']} on which the runs differ", columns, rows)}
    return Page("compared_instances.html", f"{counted['task'].strip()}: two runs side by side", values, document, tables)


def _cells(entry: Document) -> tuple[str | float | None, ...]:
    question = {name: entry[name] for name in QUESTION}
    read = [read_text({**question, **entry[side]}) for side in "ab"]
    return (entry["better"].upper(), entry["a"]["score"], entry["b"]["score"], *read, label_text(entry))


def _further(query: list[tuple[str, str]], better: str, after: int) -> str:
    more = [("better", better)] if better else []
    return f"/compare/instances?{urlencode([*query, *more, ('after', str(after))])}"


def _entry(document: Document, entry: Document) -> Document:
    """What the template shows of one instance: texts cut, both sides with where their answer is."""
    question = {name: entry[name] for name in QUESTION}
    return {
        "name": name_of(entry),
        "better": entry["better"].upper(),
        "prompt": _cut(entry["prompt"]) if entry["prompt"] is not None else None,
        "label": _cut(label_text(entry)),
        "media": len(entry["media"]),
        "sides": [
            {
                "letter": side.upper(),
                "run": document[side],
                "address": AnswerPlace(
                    document[side]["run"], entry["task"], entry["id"], entry["variant"], entry["repeat"], entry["shuffle"]
                ).answer_address(),
                "answer": _cut(entry[side]["answer"]),
                "read": _cut(read_text({**question, **entry[side]})),
                "score": number(entry[side]["score"]),
                "why": entry[side]["why"],
                "is_better": entry["better"] == side,
            }
            for side in "ab"
        ],
    }


def _cut(text: str) -> Document:
    """The beginning of a text, and how much more there is."""
    return {"text": text[:LONGEST], "more": max(0, len(text) - LONGEST)}
