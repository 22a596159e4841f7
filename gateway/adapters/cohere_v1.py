"""Version 1 of Cohere's chat API, which older models and private deployments answer: one message, and those before it apart.

Source: the cohere package's types (NonStreamedChatResponse) and https://docs.cohere.com/v1/reference/chat
"""

from __future__ import annotations

from gateway.adapters.base import Answer, Capabilities, add_fields, check_error, name_of, tool_call, vendor_part
from gateway.adapters.blocks import Ask, Turn
from gateway.adapters.cohere import FINISH_REASONS, CohereChat, raise_failure
from gateway.adapters.cohere_request import VENDOR
from gateway.adapters.openai_chat import put_parameters
from gateway.bodies import Json
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

_ROLES = {"user": "USER", "assistant": "CHATBOT", "system": "SYSTEM"}
_READ = frozenset({"text", "generation_id", "response_id", "finish_reason", "meta", "chat_history", "citations", "tool_calls"})


class CohereOlderChat(CohereChat):
    """POST /v1/chat, with texts alone."""

    api = Api.GENERATE
    capabilities = Capabilities(parameters=CohereChat.capabilities.parameters, image_types=frozenset(), max_stop=5)

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "v1/chat"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request. Raises CallFailed (UNSUPPORTED) if the last message is not the user's."""
        start = next((number for number, turn in enumerate(ask.turns) if turn.role != "system"), len(ask.turns))
        *earlier, last = [*ask.turns[start:]] or [Turn("system", ())]
        if last.role != "user":
            path = f"messages[{max(0, len(ask.turns) - 1)}]"
            raise CallFailed(ErrorClass.UNSUPPORTED, f"{path}: cohere wants a user message last in its generate API", part=path)
        body: Json = {"model": model, "message": _text(last)}
        if start:
            body["preamble"] = "\n\n".join(_text(turn) for turn in ask.turns[:start])
        if earlier:
            body["chat_history"] = [{"role": _ROLES[turn.role], "message": _text(turn)} for turn in earlier]
        put_parameters(body, ask.parameters, self.capabilities)
        return body

    def answer(self, body: Json) -> Answer:
        """The text of an answer; what it repeats of the conversation is left out."""
        check_error(body, "text")
        finish = body.get("finish_reason")
        if isinstance(finish, str):
            raise_failure(finish, body.get("text"))
        text = body.get("text")
        if not isinstance(text, str):
            raise ValueError("text is not a text")
        part = ct.Part(text=text)
        cited = body.get("citations")
        parts = [add_fields(part, {"citations": cited}) if cited else part] if text else []
        calls = body.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            parts.append(tool_call("", call["name"], call.get("parameters")))
        if beside := {name: value for name, value in body.items() if name not in _READ and value}:
            parts.append(vendor_part(VENDOR, beside))
        usage, has_usage = self.usage(body)
        reason = FINISH_REASONS.get(finish, gw.FINISH_REASON_OTHER) if isinstance(finish, str) else gw.FINISH_REASON_OTHER
        return Answer(parts, reason, usage, has_usage, "", name_of(body.get("response_id")))

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """As in version 2, in another place."""
        return super().usage({"usage": body.get("meta")})


def _text(turn: Turn) -> str:
    return "\n\n".join(str(block) for block in turn.blocks)
