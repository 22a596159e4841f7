"""What an item asks, in the data set's own words: its prompt with the placeholders filled, and the text that goes with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from genlevel.benchmark.choices import embedded_options, listed_options
from genlevel.benchmark.labels import text_of

_PLACEHOLDER = re.compile(r"<<<\s*([^<>\n]{1,80}?)\s*>>>")
# Stands in a question that is nothing but a text with a gap.
_BLANK = re.compile(r"<mask>|\[mask\]", re.IGNORECASE)
_NO_PROMPT = "specifically-defined prompt"

_QUESTIONS = ("question", "query", "instruction")
_DIALOGS = ("dialog", "dialogue", "conversation", "history")
# Shown without their name, in this order; every other field is shown as "name: value".
_CONTEXTS = ("context", "text", "passage", "article", "document", "document_list", "documents", "table", "raw_text", "content")
_DETAILS = {"language": "language", "goal": "goal", "in": "source_language", "out": "target_language"}
_OPTIONS = ("options", "choices", "candidates")

_SQL = "sql"
# What a task without a prompt of its own asks, by a word of its type, skill or name; {..} are details.
_USUAL_ASKS: tuple[tuple[str, str], ...] = (
    ("summar", "Summarize the text."),
    ("translat", "Translate the text{from_to}."),
    ("dialog", "Continue the dialogue with its next turn."),
    ("code repair", "Repair the code."),
    ("code explanation", "Explain what the code does."),
    ("code defect", "Does the code have a defect?"),
    ("code generation", "Write the code."),
    (_SQL, "Write the SQL query."),
    ("story generation", "Write the story."),
    ("table to text", "Say in words what the table says."),
    ("time series", "Continue the series."),
    ("grammar", "Correct the grammar of the text."),
    ("paraphras", "Paraphrase the text."),
    ("proof", "Prove the statement."),
    ("caption", "Describe what is shown."),
    ("ocr", "Read the text that is shown."),
)


class ItemProblem(Exception):
    """One item cannot be asked; says why."""


class Asking(NamedTuple):
    """prompt, context, options and dialog of an instance; details as of Instance. own: the item itself has a prompt or question."""

    prompt: str
    own: bool
    context: str
    options: tuple[str, ...]
    dialog: tuple[str, ...]
    details: dict[str, str]


class TaskAsking:
    """What a task asks if its items do not.

    prompt: the annotation's own for all items, if any; about: type, skill and name of the task, for items that carry no prompt at all.
    """

    def __init__(self, prompt: str, about: str) -> None:
        self._prompt = prompt.strip() if prompt and _NO_PROMPT not in prompt else None
        self._about = about
        self.is_sql = _SQL in about.casefold()

    def prompt(self, details: dict[str, str]) -> str:
        """The prompt of an item that has none, but these details."""
        return self._prompt if self._prompt is not None else _usual_ask(self._about, details)


def asking(item: dict[str, object], media_fields: Iterable[str], task: TaskAsking) -> Asking:
    """What an annotation's item asks.

    media_fields: fields of its input that name files.
    Raises ItemProblem for a placeholder without a value or a field of a wrong type.
    """
    fields = _input_fields(item)
    used = set(media_fields)
    prompt = _prompt(fields, used)
    question = _take(fields, _QUESTIONS, used)
    options: tuple[str, ...] = ()
    for name in _OPTIONS:
        if name in fields and not options:
            used.add(name)
            options = listed_options(fields[name])
    if not options:
        question, options = embedded_options(question)
        if not options:
            prompt, options = embedded_options(prompt)
    dialog = _dialog(item, fields, used)
    details: dict[str, str] = {}
    context = ""
    if not used.issuperset(fields):
        details = _details(fields, used)
        context = "\n\n".join(_context(fields, used))
    if not prompt and ("<" in question or "[" in question) and (blank := _BLANK.search(question)):
        question = f"{question}\nWhat belongs in the place of {blank[0]}?"
    asked = f"{prompt}\n{question}" if prompt and question else prompt or question
    own = bool(asked)
    if not own:
        asked = task.prompt(details)
    elif task.is_sql and _SQL not in asked.casefold():
        asked += f"\n{_usual_ask(_SQL, details)}"  # the question is what the query is to answer
    return Asking(asked, own, context, options, dialog, details)


def _input_fields(item: dict[str, object]) -> dict[str, object]:
    given = item.get("input")
    match given:
        case dict():
            return given
        case None:
            return {}
        case str():
            return {"question": given}
        case _:
            raise ItemProblem(f"input is {_named(given)}; an object or a text is expected")


def _prompt(fields: dict[str, object], used: set[str]) -> str:
    used.add("prompt")
    written = fields.get("prompt")
    if written is None:
        return ""
    if not isinstance(written, str):
        raise ItemProblem(f"input.prompt is {_named(written)}; a text is expected")
    if _NO_PROMPT in written:
        return ""
    if "<<<" not in written:
        return written.strip()

    def filled(match: re.Match[str]) -> str:
        name = match[1]
        if name not in fields or fields[name] is None:
            raise ItemProblem(f"the prompt's placeholder <<<{name}>>> has no value: input has no {name!r}")
        used.add(name)
        return rendered(fields[name])

    return _PLACEHOLDER.sub(filled, written).strip()


def _take(fields: dict[str, object], names: tuple[str, ...], used: set[str]) -> str:
    """The first of these fields that is there and not used yet, as text."""
    for name in names:
        if (value := fields.get(name)) is not None and name not in used:
            used.add(name)
            return rendered(value).strip()
    return ""


def _dialog(item: dict[str, object], fields: dict[str, object], used: set[str]) -> tuple[str, ...]:
    for source in (item, fields):
        if source.keys().isdisjoint(_DIALOGS):
            continue
        for name in _DIALOGS:
            turns = source.get(name)
            if turns is None or (source is fields and name in used):
                continue
            if source is fields:
                used.add(name)
            if isinstance(turns, str):
                return tuple(line for line in turns.splitlines() if line.strip())
            if not isinstance(turns, list):
                raise ItemProblem(f"{name} is {_named(turns)}; a list of turns is expected")
            return tuple(_turn(turn) for turn in turns)
    return ()


def _turn(turn: object) -> str:
    if isinstance(turn, dict):
        said = next((turn[key] for key in ("text", "content", "utterance", "value") if key in turn), None)
        speaker = next((turn[key] for key in ("speaker", "role", "from") if key in turn), None)
        if said is not None:
            return f"{text_of(speaker)}: {text_of(said)}" if speaker is not None else text_of(said)
    return text_of(turn)


def _details(fields: dict[str, object], used: set[str]) -> dict[str, str]:
    details = {}
    translation = "in" in fields and "out" in fields
    for name, detail in _DETAILS.items():
        said = fields.get(name)
        if isinstance(said, str) and name not in used and (translation or name not in ("in", "out")):
            used.add(name)
            details[detail] = said.strip()
    return details


def _context(fields: dict[str, object], used: set[str]) -> Iterator[str]:
    for name in (*_CONTEXTS, "input"):
        if name in fields and name not in used:
            used.add(name)
            if text := rendered(fields[name]).strip():
                yield text
    for name, value in fields.items():
        if name not in used and name != "id" and (text := rendered(value).strip()):
            yield f"{name}: {text}"


def _usual_ask(about: str, details: dict[str, str]) -> str:
    folded = about.casefold().replace("_", " ").replace("-", " ")
    for word, ask in _USUAL_ASKS:
        if word in folded:
            source, target = details.get("source_language"), details.get("target_language")
            return ask.format(from_to=f" from {source} to {target}") if source and target else ask.format(from_to="")
    return about.splitlines()[0] if about else ""


def rendered(value: object) -> str:
    """A field as text: tables as lines of cells, lists one entry a line, everything else as it is written."""
    match value:
        case str():
            return value
        case dict() if isinstance(value.get("rows"), list):
            head = next((value[key] for key in ("header", "headers", "columns") if isinstance(value.get(key), list)), None)
            return rendered(([head] if head else []) + value["rows"])
        case dict():
            return "\n".join(f"{key}: {text_of(part)}" for key, part in value.items())
        case list():
            return "\n".join(" | ".join(text_of(cell) for cell in part) if isinstance(part, list) else text_of(part) for part in value)
        case _:
            return text_of(value)


def _named(value: object) -> str:
    return {"int": "a number", "float": "a number", "bool": "true or false", "list": "a list", "dict": "an object", "str": "a text"}.get(
        type(value).__name__, "null"
    )
