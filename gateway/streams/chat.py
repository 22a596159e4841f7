"""Streams of OpenAI's chat completions, in all the ways in which servers write them. Source: the openai package's types.chat
(ChatCompletionChunk) and recorded streams of each provider named below.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from gateway.adapters.base import AnswerError, check_error, error_of, tool_call
from gateway.bodies import Json
from gateway.media import decoded
from gateway.streams.assembler import CUT, Event, json_of, reasoning_piece, text_piece
from genlevel.v1 import content_pb2 as ct

DONE = b"[DONE]"
# Of each chunk alone: padding against guessing by length (OpenAI's obfuscation, Mistral's p).
_PADDING = frozenset({"object", "obfuscation", "p", "choices"})
# Perplexity repeats all that it has said as a message, HuggingFace the piece as text.
_CHOICE_OWN = frozenset({"delta", "message", "text", "index", "logprobs", "finish_reason"})


class ChatAssembler:
    """Chunks of a completion. It is whole once ``[DONE]`` has come. Perplexity sends none: without it, a completion is whole if the chunk
    that says why the last choice ended says what was used, too.

    ends_with_usage: a chunk of what was used, without a choice, is the end, as Writer has it.
    """

    def __init__(self, *, ends_with_usage: bool = False) -> None:
        self._ends_with_usage = ends_with_usage
        self._top: Json = {}
        self._choices: dict[int, _Choice] = {}
        self._done = False
        self._settled = False

    def feed(self, event: Event) -> Sequence[ct.Part]:
        """The first choice's pieces."""
        if self._done:
            return ()
        if event.data.strip() == DONE:
            self._done = True
            return self._first_calls()
        chunk = json_of(event)
        check_error(chunk, "choices")
        for name, value in chunk.items():
            if value is not None and value != "" and name not in _PADDING:
                self._top[name] = value
        pieces: list[ct.Part] = []
        found_choices = chunk.get("choices")
        choices = found_choices if isinstance(found_choices, list) else []
        for choice in choices:
            if not isinstance(choice, dict):
                raise ValueError("choices has an entry that is not an object")
            index = choice.get("index")
            number = index if isinstance(index, int) else 0
            known = self._choices.get(number)
            if known is None:
                known = self._choices[number] = _Choice()
            found = known.feed(choice)
            if number == min(self._choices):
                pieces += found
        groq = _object(chunk.get("x_groq"))
        if groq.get("error"):  # why a stream was stopped early
            raise AnswerError(error_of(200, {"error": groq["error"]}, {}))
        used = chunk.get("usage") or groq.get("usage")
        if used:
            self._top["usage"] = used
            last = bool(choices) or (self._ends_with_usage and bool(self._choices))
            self._settled = last and all(choice.finished for choice in self._choices.values())
        return pieces

    def body(self) -> Json:
        """A chat completion."""
        if not (self._done or self._settled):
            raise ValueError(CUT)
        return {"object": "chat.completion", **self._top, "choices": [self._choices[index].body(index) for index in sorted(self._choices)]}

    def _first_calls(self) -> Sequence[ct.Part]:
        return self._choices[min(self._choices)].calls() if self._choices else ()


class _Choice:
    """One choice of a completion, as far as it has come."""

    def __init__(self) -> None:
        self.finished = False
        self._began = False
        self._own: Json = {}
        self._message: Json = {"role": "assistant", "content": None}
        self._texts: dict[str, list[str]] = {}
        self._content = _Content()
        self._calls: list[_Call] = []
        self._function: _Call | None = None
        self._passed_on = 0
        self._function_passed_on = False
        self._audio: dict[str, list[str]] = {}
        self._logprobs: dict[str, list[object]] = {}

    def feed(self, choice: Json) -> list[ct.Part]:
        for name, value in choice.items():
            if value is not None and name not in _CHOICE_OWN:
                self._own[name] = value
        logprobs = choice.get("logprobs")
        for name, value in logprobs.items() if isinstance(logprobs, dict) else ():
            if isinstance(value, list):
                self._logprobs.setdefault(name, []).extend(value)
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            delta = {} if self._began else _object(choice.get("message"))  # some servers send the answer as one event, others repeat it
        self._began = self._began or bool(delta)
        if delta.get("reasoning_content") and "reasoning" in delta:  # two names for one text
            delta = {name: value for name, value in delta.items() if name != "reasoning"}
        pieces = [piece for name, value in delta.items() if value is not None for piece in self._add(name, value)]
        if choice.get("finish_reason"):
            self._own["finish_reason"], self.finished = choice["finish_reason"], True
            pieces += self.calls()
        return pieces

    def _add(self, name: str, value: object) -> Iterable[ct.Part]:
        """Adds one field of a delta. Returns what of it can be passed on."""
        match name:
            case "content":
                return self._content.add(value)
            case "reasoning_content" | "reasoning" | "refusal" if isinstance(value, str):
                self._texts.setdefault(name, []).append(value)
                return [reasoning_piece(value)] if value and name != "refusal" else ()
            case "tool_calls" if isinstance(value, list):
                for call in value:
                    self._call(call)
                return self.calls(but_last=True)
            case "function_call" if isinstance(value, dict):
                self._function = self._function or _Call({})
                self._function.add({"function": value})
            case "audio" if isinstance(value, dict):
                return self._sound(value)
            case "reasoning_details" if isinstance(value, list):
                _join_details(_list(self._message, name), value)
            case _ if isinstance(value, list):  # annotations, images, tools that the provider ran
                _join(_list(self._message, name), value)
            case _:
                self._message[name] = value
        return ()

    def _call(self, call: object) -> None:
        """A call's first piece, or more of it. Calls are told apart by index; some servers send none, or the same for all."""
        if not isinstance(call, dict):
            raise ValueError("tool_calls has an entry that is not an object")
        index, call_id = call.get("index"), call.get("id")
        same = [entry for entry in self._calls if entry.index == index] if index is not None else self._calls[-1:]
        if not same or (call_id and same[-1].id and call_id != same[-1].id):
            self._calls.append(_Call(call))
        else:
            same[-1].add(call)

    def calls(self, *, but_last: bool = False) -> list[ct.Part]:
        """The calls that are whole and were not passed on."""
        entries = self._calls[self._passed_on : len(self._calls) - but_last]
        self._passed_on += len(entries)
        if self._function is not None and not (but_last or self._function_passed_on):
            entries, self._function_passed_on = [*entries, self._function], True
        return [tool_call(entry.id, entry.name, entry.arguments) for entry in entries]

    def _sound(self, audio: Json) -> Sequence[ct.Part]:
        for name in ("data", "transcript"):
            if isinstance(piece := audio.get(name), str):
                self._audio.setdefault(name, []).append(piece)
        said = audio.get("transcript")
        self._message["audio"] = {
            **_object(self._message.get("audio")),
            **{name: value for name, value in audio.items() if value is not None},
        }
        return [text_piece(said)] if said and isinstance(said, str) else ()

    def body(self, index: int) -> Json:
        message = self._message
        message["content"] = self._content.value()
        message.update({name: "".join(pieces) for name, pieces in self._texts.items()})
        if self._calls:
            message["tool_calls"] = [call.body() for call in self._calls]
        if self._function is not None:
            message["function_call"] = {"name": self._function.name, "arguments": self._function.arguments}
        if self._audio:
            sound = _object(message.get("audio"))
            if "data" in self._audio:  # each piece is padded for itself
                sound["data"] = base64.b64encode(b"".join(map(decoded, self._audio["data"]))).decode()
            sound["transcript"] = "".join(self._audio.get("transcript", ()))
            message["audio"] = sound
        choice: Json = {"index": index, "finish_reason": None, **self._own, "message": message}
        if self._logprobs:
            choice["logprobs"] = dict(self._logprobs)
        return choice


class _Content:
    """A message's content: one text, or blocks (Mistral's), of which those of one type continue one another."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._blocks: list[Json] = []

    def add(self, value: object) -> list[ct.Part]:
        if isinstance(value, str):
            if not value:
                return []
            if not self._blocks:
                self._texts.append(value)
                return [text_piece(value)]
            value = {"type": "text", "text": value}
        if self._texts:
            self._blocks, self._texts = [{"type": "text", "text": "".join(self._texts)}], []
        pieces = []
        for entry in value if isinstance(value, list) else [value]:
            block = {"type": "text", "text": entry} if isinstance(entry, str) else entry
            if not isinstance(block, dict):
                raise ValueError("the message's content has a block that is neither text nor an object")
            _join_block(self._blocks, block)
            pieces += _block_pieces(block)
        return pieces

    def value(self) -> object:
        return self._blocks or ("".join(self._texts) if self._texts else None)


class _Call:
    """A tool call as far as it has come."""

    def __init__(self, call: Json) -> None:
        self.index = call.get("index")
        self.name = ""
        self._own: Json = {}
        self._pieces: list[str] = []
        self._whole: object = None
        self.add(call)

    @property
    def id(self) -> object:
        return self._own.get("id")

    @property
    def arguments(self) -> object:
        """The text of the arguments, or what a server sent in its place."""
        return "".join(self._pieces) if self._whole is None else self._whole

    def add(self, call: Json) -> None:
        self._own.update({name: value for name, value in call.items() if name != "function" and value not in (None, "")})
        function = _object(call.get("function"))
        name, arguments = function.get("name"), function.get("arguments")
        if isinstance(name, str) and name != self.name:  # some servers repeat it
            self.name += name
        if isinstance(arguments, str):
            self._pieces.append(arguments)
        elif arguments is not None:
            self._whole = arguments

    def body(self) -> Json:
        own = {name: value for name, value in self._own.items() if name != "index"}
        return {"type": "function", **own, "function": {"name": self.name, "arguments": self.arguments}}


def _join(into: list[Json], more: Sequence[object]) -> None:
    """Adds entries; one whose index is there already takes its place (Groq sends a tool again with what came of it)."""
    for entry in more:
        if not isinstance(entry, dict):
            raise ValueError("a delta has a list with an entry that is not an object")
        index = entry.get("index")
        same = [old for old in into if index is not None and old.get("index") == index]
        if same:
            same[-1].update(entry)
        else:
            into.append(dict(entry))


def _join_details(into: list[Json], more: Sequence[object]) -> None:
    """OpenRouter's details of reasoning: texts of one type and index continue one another until they are signed.
    https://openrouter.ai/docs/use-cases/reasoning-tokens
    """
    for entry in more:
        if not isinstance(entry, dict):
            raise ValueError("reasoning_details has an entry that is not an object")
        last = into[-1] if into else {}
        text = next((name for name in ("text", "summary") if isinstance(entry.get(name), str)), "")
        same = entry.get("type") == last.get("type") and entry.get("index") == last.get("index") and "data" not in entry
        if not into or not same or (last.get("signature") and entry.get(text)):
            into.append(dict(entry))
            continue
        before = last.get(text)
        last.update({name: value for name, value in entry.items() if value is not None and value != ""})
        if text:
            last[text] = (before if isinstance(before, str) else "") + str(entry[text])


def _join_block(blocks: list[Json], block: Json) -> None:
    """Adds a block of content: a text continues a text, thinking continues thinking."""
    last, kind = (blocks[-1] if blocks else {}), block.get("type")
    field = {"text": "text", "thinking": "thinking"}.get(str(kind), "")
    old, new = last.get(field), block.get(field)
    if not field or last.get("type") != kind or type(old) is not type(new) or not isinstance(new, (str, list)):
        blocks.append({**block, field: list(new)} if isinstance(new, list) else dict(block))
        return
    rest = {name: value for name, value in block.items() if name != field and value is not None}
    if isinstance(new, str):
        last[field] = str(old) + new
    elif isinstance(old, list):
        for inner in new:
            if isinstance(inner, dict):
                _join_block(old, inner)
            else:
                old.append(inner)
    last.update(rest)


def _block_pieces(block: Json) -> list[ct.Part]:
    text = block.get("text")
    if isinstance(text, str):
        return [text_piece(text)] if text else []
    thought = block.get("thinking")
    if isinstance(thought, str):
        return [reasoning_piece(thought)] if thought else []
    inner = thought if isinstance(thought, list) else ()
    texts = [one.get("text") for one in inner if isinstance(one, dict)]
    return [reasoning_piece(text) for text in texts if text and isinstance(text, str)]


def _list(container: Json, name: str) -> list[Json]:
    found = container.get(name)
    if not isinstance(found, list):
        found = container[name] = list[Json]()
    return found


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
