"""One answer: what was asked, what came back, what was read in it, what was expected, and why it has its score."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape
from genlevel.documents.answer_words import label_text, read_text, score_text
from genlevel.documents.enum_names import enum_name
from genlevel.documents.foreign_json import plain, read_json
from genlevel.documents.runs import outcome_name, run_document
from genlevel.documents.words import cost_told
from genlevel.runtime.errors import UsageError
from genlevel.runtime.threads import in_thread
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.views.answers.texts import MOST_AT_ALL, MOST_SHOWN, Shown, shown
from genlevel.views.answers.tree import Tree, tree
from genlevel.views.environment import line
from genlevel.web.answer_drawings import figures, on_picture
from genlevel.web.answer_filter import AnswerFilter
from genlevel.web.answer_media import MOST_SHOWN as MOST_MEDIA
from genlevel.web.answer_media import Medium, media_of
from genlevel.web.answered import Answered, answered
from genlevel.web.page import Asked, Page
from genlevel.web.places import AnswerPlace

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.views.table import Table

_MOST_OTHERS = 60
_MOST_RATINGS = 50
_MOST_ITEMS = 200
_TEXTS = ("prompt", "answer", "label", "parsed")


@dataclass(frozen=True, slots=True)
class Text:
    """A long text of the page. all: where all of it is shown; "" if it is."""

    name: str
    shown: Shown
    all: str


@dataclass(frozen=True, slots=True)
class Items:
    """Lists of texts held against each other."""

    both: list[str]
    missing: list[str]
    wrong: list[str]


async def answer_page(asked: Asked) -> Page:
    """An answer by its task and key. Raises UsageError, NotFoundError."""
    place = AnswerPlace.asked(asked)
    found = await answered(asked.services, place)
    run = run_document((await asked.services.evaluator.get_run(ev.GetRunRequest(run_id=found.answer.run_id))).run)
    media = {of: await media_of(asked, found, of, count) for of, count in _counts(found).items()}
    wanted = AnswerFilter.asked_of_one(asked)
    around = await _neighbours(asked, found, wanted) if asked.one("list") else {}
    around.update(run=run, list=wanted.address(found.answer.run_id, after=wanted.after))
    return await in_thread(partial(_page, asked, found, media, around), name="genlevel-answer")


def _page(asked: Asked, found: Answered, media: dict[str, list[Medium]], around: Document) -> Page:
    """The page; a label may be of millions of numbers. around: values that are known of the run and the list."""
    entry = cast("Document", plain(found.entry))
    frame = asked.whole("frame", 0, most=20_000) if asked.one("frame") else None
    picture = on_picture(found, media["question"], frame)
    drawn = figures(found, frame)
    tables: dict[str, Table] = {figure.name: figure.table for figure in drawn}
    if picture is not None:
        tables["shapes"] = picture.table
    values = {
        **around,
        "found": found,
        "entry": entry,
        "right": _right(found),
        "texts": _texts(asked, found),
        "media": media,
        "counts": _counts(found),
        "most_media": MOST_MEDIA,
        "picture": picture,
        "figures": drawn,
        "viewer": any(one.shape for some in media.values() for one in some),
        "boxes": json.dumps(drawn[0].boxes) if drawn and drawn[0].boxes else "",
        "items": _items(found),
        "label_tree": (label_tree := _tree(found, entry["label"])),
        "parsed_tree": (parsed_tree := _tree(found, entry["parsed"])),
        "told": {
            "label": "" if label_tree else label_text(found.entry),
            "read": "" if parsed_tree else read_text(found.entry),
            "score": score_text(entry["score"], entry["why"]),
        },
        "options": _options(entry),
        "facts": _facts(found, entry),
        "parameters": tree(read_json(found.answer.call.parameters_json)) if found.answer.call.parameters_json else None,
        "others": found.others[:_MOST_OTHERS],
        "others_left": max(0, len(found.others) - _MOST_OTHERS),
        "ratings": [(rating, shown(rating["reply"] or "", 2_000)) for rating in entry["ratings"][:_MOST_RATINGS]],
        "of_task": AnswerFilter(tasks=(found.place.task,)).address(found.answer.run_id),
        "more": _more(asked),
        "outcome_name": outcome_name,
    }
    return Page("answer.html", f"Answer to {line(found.place.instance, 80)}", values, _document(found, entry, media), tables)


def _counts(found: Answered) -> dict[str, int]:
    """How many media there are of each."""
    answer = found.answer
    return {"question": len(answer.question_media), "answer": len(answer.files), "label": len(answer.label_media)}


def _right(found: Answered) -> Document:
    """As answers of a list have it."""
    scored = found.scored
    told: Document = {"outcome": found.entry["outcome"], "right": None, "score": None, "best": None}
    if scored is not None and scored.HasField("score") and scored.HasField("best"):
        told |= {"right": abs(scored.score - scored.best) <= 1e-9, "score": scored.score, "best": scored.best}
    return told


def _texts(asked: Asked, found: Answered) -> dict[str, Text]:
    """The long texts, of which ?all=NAME shows all."""
    whole = set(asked.many("all"))
    if unknown := whole - set(_TEXTS):
        raise UsageError(f"all is {min(unknown)!r}; give {', '.join(_TEXTS)}")
    written = {"prompt": found.answer.prompt, "answer": found.answer.raw_answer}
    for name in ("label", "parsed"):
        value = found.entry[name]
        written[name] = value if isinstance(value, str) else ""
    made = {}
    for name, text in written.items():
        cut = shown(text, MOST_AT_ALL if name in whole else MOST_SHOWN)
        more = [*_more(asked), *(("all", one) for one in sorted(whole | {name}))]
        made[name] = Text(name, cut, found.place.answer_address(more) + f"#{name}" if cut.cut and name not in whole else "")
    return made


def _more(asked: Asked) -> list[tuple[str, str]]:
    """What of the address leads to other pages, too: the filter that the answer was found by."""
    if not asked.one("list"):
        return []
    return [*AnswerFilter.asked_of_one(asked).pairs(of_one=True), ("list", "1")]


async def _neighbours(asked: Asked, found: Answered, wanted: AnswerFilter) -> Document:
    """The answers before and after this one in the list that it was opened from, as far as they are on one page of it."""
    listed = await asked.services.evaluator.search_answers(wanted.request(found.answer.run_id))
    places = [AnswerPlace.of(found.place.run, one) for one in listed.answers]
    here = next((at for at, place in enumerate(places) if place == found.place), None)
    if here is None:
        return {}
    more = _more(asked)
    at_end = here + 1 == len(places)
    following = places[here + 1].answer_address(more) if not at_end else ""
    if at_end and listed.next:
        following = wanted.address(found.answer.run_id, after=listed.next)
    return {"earlier": places[here - 1].answer_address(more) if here else "", "later": following, "later_is_list": at_end}


def _items(found: Answered) -> Items | None:
    """Of lists of texts what both have, what is missing in the answer, and what is wrong there."""
    label, parsed = found.entry["label"], found.entry["parsed"]
    if found.answer.answer_type != AnswerType.ITEMS or not _texts_alone(label) or not _texts_alone(parsed):
        return None
    folded = {one.casefold().strip() for one in parsed}
    wanted = {one.casefold().strip() for one in label}
    return Items(
        [one for one in label if one.casefold().strip() in folded][:_MOST_ITEMS],
        [one for one in label if one.casefold().strip() not in folded][:_MOST_ITEMS],
        [one for one in parsed if one.casefold().strip() not in wanted][:_MOST_ITEMS],
    )


def _texts_alone(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _tree(found: Answered, value: object) -> Tree | None:
    """Of values that are no short texts."""
    kind = found.answer.answer_type
    shape = KINDS[AnswerType(kind)].shape if kind in set(AnswerType) else Shape.STRUCTURE
    if value is None or isinstance(value, str) or (shape in (Shape.LETTER, Shape.TEXT, Shape.NUMBER, Shape.ITEMS) and _texts_alone(value)):
        return None
    return tree(value)


@dataclass(frozen=True, slots=True)
class Option:
    letter: str
    text: str
    label: bool
    answer: bool


def _options(entry: Document) -> list[Option]:
    """The choices, and which of them are the label and the answer."""
    found = []
    for place, text in enumerate(entry["options"][:100]):
        letter = chr(ord("A") + place) if place < 26 else str(place + 1)
        found.append(Option(letter, text, _is(entry["label"], letter, text), _is(entry["parsed"], letter, text)))
    return found


def _is(value: object, letter: str, text: str) -> bool:
    return value in (letter, text) or (isinstance(value, list) and text in value)


def _facts(found: Answered, entry: Document) -> list[tuple[str, str]]:
    """What the calls about the answer took."""
    answer, call = found.answer, found.answer.call
    most = _most_usd(answer) if call.unknown_calls else entry["usd"]
    facts = [
        ("Attempts", f"{answer.attempts:,}" + (f", waited {call.waits:,} times for a limit" if call.waits else "")),
        ("Time", f"{answer.upstream_s:.2f} s"),
        ("Tokens", f"{entry['input_tokens']:,} in, {entry['output_tokens']:,} out"),
        ("Cost", cost_told(entry["usd"], most, call.unknown_calls)),
        ("Finish reason", enum_name(gw.FinishReason, call.finish_reason) if call.finish_reason else ""),
        ("Error class", enum_name(gw.ErrorClass, call.error_class) if call.error_class else ""),
        ("Model, as it says", call.provider_model),
        ("Response id", call.response_id),
        ("System, as it says", call.fingerprint),
        ("Request hash", call.request_hash),
    ]
    return [(name, value) for name, value in facts if value]


def _most_usd(answer: ev.ListAnswersResponse) -> float | None:
    """At most; None if nobody can tell."""
    call = answer.call
    if not call.HasField("unknown_nano_usd"):
        return None
    return (answer.cost_nano_usd + call.unknown_nano_usd) / 1e9


def _document(found: Answered, entry: Document, media: dict[str, list[Medium]]) -> Document:
    call = found.answer.call
    return {
        **entry,
        "run": found.answer.run_id,
        "answer_type": found.answer.answer_type,
        "call": {
            "provider_model": call.provider_model,
            "response_id": call.response_id,
            "fingerprint": call.fingerprint,
            "request_hash": call.request_hash,
            "parameters": plain(read_json(call.parameters_json)) if call.parameters_json else None,
            "finish_reason": f"FINISH_REASON_{enum_name(gw.FinishReason, call.finish_reason).upper()}",
            "waits": call.waits,
            "created_s": call.created_s,
        },
        "media_of": {of: [one.document() for one in some] for of, some in media.items()},
        "others": [
            {"variant": one.place.variant, "repeat": one.place.repeat, "shuffle": one.place.shuffle, "outcome": outcome_name(one.outcome)}
            for one in found.others
        ],
    }
