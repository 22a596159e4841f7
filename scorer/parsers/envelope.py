"""The object around an answer that is held to a JSON schema: providers take schemas of objects only. Models also write it unasked.

An object that is no JSON still says what its answer is: LaTeX in it has lone backslashes, its text has quotes and line breaks of its own,
or it breaks off after the answer.
"""

from __future__ import annotations

import json
import re
from itertools import islice

from scorer.parsers.documents import documents
from scorer.parsers.values import Unparsable

KEY = "answer"
# Keys as they are written, less all but letters, in the order in which they count: what is final, what is stated, what may be an answer.
_RANKS = (
    ("finalanswer", "final"),
    (
        KEY,
        "correctanswer",
        "theanswer",
        "youranswer",
        "myanswer",
        "ans",
        "réponse",
        "respuesta",
        "antwort",
        "resposta",
        "ответ",
        "答案",
        "答え",
    ),
    ("choice", "correctchoice", "option", "correctoption", "selectedoption", "selectedchoice", "selected", "selection", "letter"),
    ("label", "category", "class", "prediction", "predictedlabel", "predictedclass", "classification"),
    ("result", "response", "output", "solution", "value", "number", "count", "total", "text"),
)
_RANK = {key: rank for rank, keys in enumerate(_RANKS) for key in keys}
_SURE = 1
"""Up to this rank a key says what the answer is wherever it stands; the others count in the only object of a text."""
# What stands beside an answer: an object of these and one other entry has its answer there, whatever the entry is called.
_BESIDE = re.compile(
    r"reason|explan|rationale|thought|think|analysis|confiden|score|probab|justif|evidence|note|comment|step|error|unit|question"
)
_DEEPEST = 8
_OR = re.compile(r"\W*(?:or|alternatively|another)\b", re.IGNORECASE)
_FENCES = 4
"""Fences around two blocks."""
_FEWEST_WORDS = 8

_SURE_KEY = "|".join(rf"(?:{key})" for key in (r"final[_ -]?answer", r"(?:the|your|my|correct)[_ -]?answer", KEY))
_WRITTEN_KEY = re.compile(rf"""[{{,\n]\s*["'“”]?(?:{_SURE_KEY})["'“”]?\s*[:：]\s*""", re.IGNORECASE)
# A text's own quotes end it only if what follows them is JSON's.
_ENDS_HERE = r"""\s*(?:\}|,\s*["'“][^"'“”\n]{1,60}["'”]\s*:|,?\s*\Z|,?\s*```)"""
_WRITTEN_TEXT = {mark: re.compile(rf"{mark}(?={_ENDS_HERE})") for mark in ('"', "'", "”")}
_BARE_VALUE = re.compile(r"[^\s,{}\[\]\"'`][^,{}\[\]\n\"`]{0,200}(?=\s*[,}\n])")
_MOST_KEYS = 64
_DECODER = json.JSONDecoder()
# Backslashes that JSON takes for a line break, a tab and the like, or for nothing: \frac, \times, \neq, \sqrt.
_LATEX = re.compile(
    r"\\\\|\\(?=[bf][A-Za-z])|\\(?=(?:neq?|nu|not(?:in)?|nabla|nmid|text[a-z]*|times|theta|tan|to|tau|tfrac|top|triangle|rho|right[a-z]*|rangle|rceil"
    r"|rfloor|rm|underline|upsilon|union)(?![A-Za-z]))|\\(?![\"\\/bfnrtu])"
)


def unwrapped(text: str, lists: bool = False) -> str | Unparsable:
    """What stands under "answer" or another usual key in an object, alone, in a code fence or in prose; any other text as it is.

    Of objects that differ in it none is the answer, but for the last block of a text that worked on after another one.
    lists: an answer may be a list; otherwise a list of one is its only entry.

    >>> unwrapped('{"answer": "B"}'), unwrapped('{"result": {"label": "cat", "confidence": 0.9}}')
    ('B', 'cat')
    >>> unwrapped('Here it is: {"answer": ["a", "b"], "explanation": "both fit"}')
    '["a", "b"]'
    >>> unwrapped('{"explanation": "He said "no".", "answer": "5", "steps": [')
    '5'
    """
    if "{" not in text:
        return text
    sure, loose = documents(_LATEX.sub(lambda found: found[0] if found[0] == "\\\\" else "\\\\", text) if "\\" in text else text)
    alone = sure if len(sure) == 1 else loose if len(loose) == 1 and not sure and _stands_alone(text) else []
    for rank in range(len(_RANKS)):
        values = (*sure, *loose) if rank <= _SURE else alone
        found = [_text(answer, lists) for value in values for answer in _under(value, rank, lists)]
        if sure and len(set(found)) > 1 and _is_worked_on(text) and (last := [_text(one, lists) for one in _under(sure[0], rank, lists)]):
            found = last
        if found:
            return found[0] if all(answer == found[0] for answer in found) else Unparsable("it has several objects with different answers")
    if not sure and not loose:
        return _as_written(text)
    return next((_text(entry, lists) for value in alone if not lists and (entry := _only_entry(value)) is not None), text)


def _is_worked_on(text: str) -> bool:
    """Whether a text ends with a fenced block, before which it goes on after another one: it has come to something else on the way."""
    *_, between, last, behind = ["", "", "", *text.split("```")]
    return (
        bool(last.strip())
        and not behind.strip()
        and text.count("```") >= _FENCES
        and len(between.split()) >= _FEWEST_WORDS
        and not _OR.match(between)
    )


def _stands_alone(text: str) -> bool:
    return text.lstrip().startswith("{") and text.rstrip().endswith("}")


def _under(value: object, rank: int, lists: bool, depth: int = 0) -> list[object]:
    """What stands under keys of a rank, in the object or in those that it consists of. If a list is asked for, only a sure key has less."""
    if isinstance(value, list):
        return (
            [answer for entry in value if isinstance(entry, dict) for answer in _under(entry, rank, lists, depth + 1)]
            if rank <= _SURE
            else []
        )
    if not isinstance(value, dict) or depth > _DEEPEST:
        return []
    found: list[object] = []
    for key, answer in value.items():
        known = _RANK.get("".join(filter(str.isalpha, key)).casefold())
        fits = rank <= _SURE or (isinstance(answer, list) if lists else not isinstance(answer, list) or len(answer) == 1)
        if known == rank and fits:
            found.append(_innermost(answer, lists, depth + 1))
        elif known is not None and rank <= _SURE:
            found += _under(answer, rank, lists, depth + 1) if isinstance(answer, dict) else []
    return found


def _innermost(answer: object, lists: bool, depth: int) -> object:
    """Of an object under a key what it says that its answer is, if it says so."""
    if isinstance(answer, dict) and depth <= _DEEPEST:
        for rank in range(len(_RANKS)):
            inside = _under(answer, rank, lists, depth)
            if inside:
                return inside[0] if all(one == inside[0] for one in inside) else answer
    return answer


def _only_entry(value: object) -> object:
    """The one entry of an object that is not said about another; None unless it is a single text or number."""
    if not isinstance(value, dict):
        return None
    entries = [entry for key, entry in value.items() if _BESIDE.search(key.casefold()) is None]
    return entries[0] if len(entries) == 1 and isinstance(entries[0], str | int | float) else None


def _as_written(text: str) -> str | Unparsable:
    """What follows an answer's key in an object that cannot be read as JSON; the text as it is if there is no such key."""
    found: list[str] = []
    for key in islice(_WRITTEN_KEY.finditer(text), _MOST_KEYS):
        mark = text[key.end() : key.end() + 1]
        if mark in ("[", "{"):
            found += _decoded(text, key.end())
            continue
        ends = _WRITTEN_TEXT.get({"“": "”"}.get(mark, mark))
        if ends is None:
            bare = _BARE_VALUE.match(text, key.end())
            found += [bare[0].strip()] if bare is not None else []
            continue
        end = ends.search(text, key.end() + 1)
        if end is None:
            return Unparsable("its JSON breaks off in the answer")
        found.append(_unescaped(text[key.end() + 1 : end.start()]))
    if not found:
        return text
    return found[0] if all(answer == found[0] for answer in found) else Unparsable("it has several objects with different answers")


def _decoded(text: str, start: int) -> list[str]:
    """The list or object that begins here, as JSON, if it is one."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return []
    return [text[start:end]] if value else []


def _unescaped(text: str) -> str:
    """A text of JSON's with what JSON escapes in it, as far as it does: \\" and \\n, but not \\frac."""
    return re.sub(r'\\(?:(["\\/])|(n)(?![A-Za-z]))', lambda found: found[1] or "\n", text).strip()


def _text(answer: object, lists: bool) -> str:
    if isinstance(answer, list) and len(answer) == 1 and not lists and isinstance(answer[0], str | int | float):
        answer = answer[0]
    try:
        return answer if isinstance(answer, str) else "" if answer is None else json.dumps(answer, ensure_ascii=False)
    except RecursionError:
        return ""
