"""Streams of Bedrock's Converse API. Source: ConverseStreamOutput in botocore's model of bedrock-runtime."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from gateway.adapters.base import AnswerError
from gateway.adapters.bedrock import parts_of
from gateway.adapters.bedrock_errors import stream_error
from gateway.bodies import Json, read_json
from gateway.media import decoded
from gateway.streams.assembler import CUT, Event, json_of, reasoning_piece, text_piece
from gateway.streams.aws_frames import FAILED
from genlevel.v1 import content_pb2 as ct


class BedrockAssembler:
    """Blocks by number. The answer is whole once ``metadata`` has come, which says what was used and is the last event."""

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        self._stop: Json = {}
        self._metadata: Json | None = None

    def feed(self, event: Event) -> Sequence[ct.Part]:
        """Raises AnswerError for an exception in the stream."""
        if self._metadata is not None:
            return ()
        if event.name.startswith(FAILED):
            raise AnswerError(stream_error(event.name.removeprefix(FAILED), read_json(event.data)))
        said = json_of(event)
        said.pop("p", None)  # padding against guessing by length
        index = said.get("contentBlockIndex")
        number = index if isinstance(index, int) else 0
        match event.name:
            case "contentBlockStart":
                self._block(number).start(said.get("start"))
            case "contentBlockDelta":
                return self._block(number).add(said.get("delta"))
            case "contentBlockStop":
                return self._block(number).whole_parts()
            case "messageStop":
                self._stop = said
            case "metadata":
                self._metadata = said
        return ()

    def body(self) -> Json:
        """A ConverseResponse."""
        if self._metadata is None:
            raise ValueError(CUT)
        content = [body for number in sorted(self._blocks) if (body := self._blocks[number].body())]
        return {"output": {"message": {"role": "assistant", "content": content}}, **self._stop, **self._metadata}

    def _block(self, number: int) -> _Block:
        return self._blocks.setdefault(number, _Block())


class _Block:
    """One block, as far as it has come. Which kind it is, its start says, or its first delta."""

    def __init__(self) -> None:
        self._kind = ""
        self._start: Json = {}
        self._texts: list[str] = []
        self._signature: list[str] = []
        self._data: list[bytes] = []
        self._entries: list[object] = []

    def start(self, start: object) -> None:
        if isinstance(start, dict):
            for kind, value in start.items():
                self._kind, self._start = kind, value if isinstance(value, dict) else {}

    def add(self, delta: object) -> Sequence[ct.Part]:
        """Adds what has come. Returns what of it can be passed on. Raises ValueError for what is no delta."""
        if not isinstance(delta, dict):
            raise ValueError("a delta of the stream is not an object")
        pieces = list[ct.Part]()
        for kind, value in delta.items():
            match kind, value:
                case "text", str():
                    self._kind = self._kind or "text"
                    self._texts.append(value)
                    pieces.append(text_piece(value))
                case "citation", _:
                    self._kind = "citationsContent"
                    self._entries.append(value)
                case "toolUse", {"input": str(written)}:
                    self._texts.append(written)
                case "toolResult", list():
                    self._entries += value
                case "reasoningContent", dict():
                    self._kind = kind
                    pieces += self._think(value)
                case "image", {"source": {"bytes": str(data)}}:
                    self._data.append(decoded(data))
                case _:
                    raise ValueError(f"the stream has a delta of another kind ({kind})")
        return pieces

    def _think(self, thought: Json) -> Sequence[ct.Part]:
        if isinstance(hidden := thought.get("redactedContent"), str):
            self._data.append(decoded(hidden))
        if isinstance(signature := thought.get("signature"), str):
            self._signature.append(signature)
        text = thought.get("text")
        if not isinstance(text, str) or not text:
            return ()
        self._texts.append(text)
        return [reasoning_piece(text)]

    def whole_parts(self) -> Sequence[ct.Part]:
        """What is passed on once it is whole: all but texts and reasoning, which were."""
        body = self.body()
        return parts_of(body) if body and self._kind not in ("text", "citationsContent", "reasoningContent") else ()

    def body(self) -> Json:
        """The block as it would have come whole; empty if nothing of it has come."""
        text, data = "".join(self._texts), base64.b64encode(b"".join(self._data)).decode()
        match self._kind:
            case "text":
                return {"text": text}
            case "citationsContent":
                return {"citationsContent": {"content": [{"text": text}], "citations": self._entries}}
            case "reasoningContent" if self._data and not text:
                return {"reasoningContent": {"redactedContent": data}}
            case "reasoningContent":
                signed: Json = {"signature": "".join(self._signature)} if self._signature else {}
                return {"reasoningContent": {"reasoningText": {"text": text, **signed}}}
            case "toolUse":
                arguments = read_json(text.encode()) if text.strip() else {}
                return {"toolUse": {**self._start, "input": arguments if isinstance(arguments, dict) else text}}
            case "toolResult":
                return {"toolResult": {**self._start, "content": self._entries}}
            case "image":
                return {"image": {**self._start, "source": {"bytes": data}}}
            case "":
                return {}
            case _:
                return {self._kind: self._start}
