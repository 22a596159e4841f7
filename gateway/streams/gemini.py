"""Streams of Gemini's streamGenerateContent. Source: google.genai.types and recorded streams of AI Studio and Vertex AI."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.base import check_error
from gateway.adapters.gemini_answers import part_of
from gateway.bodies import Json
from gateway.streams.assembler import CUT, Event, json_of
from genlevel.v1 import content_pb2 as ct

_CONTINUED = frozenset({"text", "thought"})
_LISTS = frozenset({"citationMetadata", "logprobsResult"})
"""What each chunk tells of its own text alone; all else it tells of the answer so far."""


class GeminiAssembler:
    """Chunks of an answer, each of which has the form of a whole one. It is whole once every candidate has said why it ended, or the prompt
    was blocked; Gemini sends no other sign.
    """

    def __init__(self) -> None:
        self._top: Json = {}
        self._candidates: dict[int, Json] = {}

    def feed(self, event: Event) -> Sequence[ct.Part]:
        """The first candidate's pieces."""
        chunk = json_of(event)
        check_error(chunk, "candidates")
        for name, value in chunk.items():
            if value is not None and name != "candidates":
                old = self._top.get(name)
                self._top[name] = old | value if isinstance(old, dict) and isinstance(value, dict) else value
        pieces: list[ct.Part] = []
        found = chunk.get("candidates")
        for candidate in found if isinstance(found, list) else ():
            if not isinstance(candidate, dict):
                raise ValueError("candidates has an entry that is not an object")
            index = candidate.get("index")
            number = index if isinstance(index, int) else 0
            added = self._add(self._candidates.setdefault(number, {}), candidate)
            if number == min(self._candidates):
                pieces += [piece for entry in added if (piece := part_of(entry)) is not None]
        return pieces

    def body(self) -> Json:
        """A GenerateContentResponse."""
        feedback = self._top.get("promptFeedback")
        blocked = isinstance(feedback, dict) and bool(feedback.get("blockReason"))
        if not all(candidate.get("finishReason") for candidate in self._candidates.values()) or not (self._candidates or blocked):
            raise ValueError(CUT)
        return {"candidates": [self._candidates[number] for number in sorted(self._candidates)], **self._top}

    def _add(self, whole: Json, candidate: Json) -> Sequence[object]:
        """Adds a chunk's candidate to what has come of it. Returns its parts."""
        for name, value in candidate.items():
            if value is None:
                continue
            old = whole.get(name)
            if not isinstance(old, dict) or not isinstance(value, dict):
                whole[name] = value if name != "content" else _content(value)
            elif name == "content":
                _continue(old, value)
            else:
                whole[name] = old | (_joined(old, value) if name in _LISTS else value)
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        return parts if isinstance(parts, list) else ()


def _content(content: object) -> object:
    """A content of its own, to which others can be added."""
    if not isinstance(content, dict):
        return content
    begun: Json = {}
    _continue(begun, content)
    return begun


def _continue(content: Json, more: Json) -> None:
    """A text continues a text, and a thought a thought, unless one of them is signed: a signature belongs to its own part.

    https://ai.google.dev/gemini-api/docs/thought-signatures
    """
    content.update({name: value for name, value in more.items() if name != "parts" and value is not None})
    parts = more.get("parts")
    if not isinstance(parts, list):
        return
    there = content.setdefault("parts", [])
    assert isinstance(there, list)
    for entry in parts:
        last: Json = there[-1] if there else {}
        before, text = _plain_text(last), _plain_text(entry)
        if before is not None and text is not None and last.get("thought") == entry.get("thought"):
            there[-1] = {**last, "text": before + text}
        else:
            there.append(entry)


def _plain_text(entry: object) -> str | None:
    """The text of a part that has nothing else; None if it is another part."""
    text = entry.get("text") if isinstance(entry, dict) and entry.keys() <= _CONTINUED else None
    return text if isinstance(text, str) else None


def _joined(old: Json, new: Json) -> Json:
    """The newer fields, their lists behind those of the older."""
    return {
        name: before + value if isinstance(value, list) and isinstance(before := old.get(name), list) else value
        for name, value in new.items()
    }
