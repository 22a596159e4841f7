"""Which APIs answer in streams, and how each does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from gateway.bodies import Json
from gateway.providers import Dialect, Provider
from gateway.streams.assembler import Assembler, Framing
from gateway.streams.aws_frames import AwsFraming
from gateway.streams.bedrock import BedrockAssembler
from gateway.streams.chat import ChatAssembler
from gateway.streams.cohere import CohereAssembler, CohereOlderAssembler
from gateway.streams.gemini import GeminiAssembler
from gateway.streams.listed import EventsOrList
from gateway.streams.messages import MessagesAssembler
from gateway.streams.ndjson import JsonLines
from gateway.streams.ollama import OllamaAssembler
from gateway.streams.responses import ResponsesAssembler
from gateway.streams.sse import ServerSentEvents
from genlevel.runtime.settings import Api


class Streaming(NamedTuple):
    """How an API streams. fields: those of a request that ask for a stream; an API that is asked by its path alone has none.

    usage: those that ask for what was used, too.
    """

    framing: Callable[[], Framing]
    assembler: Callable[[], Assembler]
    fields: Mapping[str, object] = {"stream": True}
    usage: Mapping[str, object] = {}

    def ask(self, body: Json, row: Provider) -> None:
        """Has a body ask for a stream."""
        body.update(self.fields)
        if not row.tells_usage:
            body.update(self.usage)


# https://platform.openai.com/docs/api-reference/chat/create: without this, a stream does not say what it used
_CHAT = Streaming(ServerSentEvents, ChatAssembler, usage={"stream_options": {"include_usage": True}})
_GEMINI = Streaming(EventsOrList, GeminiAssembler, fields={})

STREAMS: dict[tuple[Dialect, Api], Streaming] = {
    (Dialect.OPENAI, Api.CHAT): _CHAT,
    (Dialect.OPENAI, Api.RESPONSES): Streaming(ServerSentEvents, ResponsesAssembler),
    (Dialect.ANTHROPIC, Api.MESSAGES): Streaming(ServerSentEvents, MessagesAssembler),
    (Dialect.COMPATIBLE, Api.CHAT): _CHAT,
    (Dialect.COMPATIBLE, Api.RESPONSES): Streaming(ServerSentEvents, ResponsesAssembler),
    (Dialect.GEMINI, Api.GENERATE): _GEMINI,
    (Dialect.VERTEX, Api.GENERATE): _GEMINI,
    (Dialect.ANTHROPIC_VERTEX, Api.MESSAGES): Streaming(ServerSentEvents, MessagesAssembler),
    (Dialect.BEDROCK, Api.CONVERSE): Streaming(AwsFraming, BedrockAssembler, fields={}),
    (Dialect.WRITER, Api.CHAT): _CHAT._replace(assembler=partial(ChatAssembler, ends_with_usage=True)),
    (Dialect.COHERE, Api.CHAT): Streaming(ServerSentEvents, CohereAssembler),
    (Dialect.COHERE, Api.GENERATE): Streaming(JsonLines, CohereOlderAssembler),
    (Dialect.OLLAMA, Api.CHAT): Streaming(JsonLines, OllamaAssembler),
    (Dialect.OLLAMA, Api.GENERATE): Streaming(JsonLines, OllamaAssembler),
}
"""APIs that are not here answer whole, also callers who asked for a stream."""
