"""A recorded request of Ollama's own APIs in the contract's terms; and made plain, to be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.adapters.ollama import OllamaChat
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.wire.asking import function, media, set_extra, set_parameters, text
from tests.gateway.wire.comparing import canonical

NAMES = OllamaChat.capabilities.parameters
ROLES = {"system": ct.ROLE_SYSTEM, "user": ct.ROLE_USER, "assistant": ct.ROLE_ASSISTANT}


def request_of(route: str, recorded: Mapping[str, Any]) -> gw.GenerateRequest:
    """The request, of the chat API or of that of a prompt."""
    body = plain(recorded)
    request = gw.GenerateRequest(route=route)
    if "prompt" in body:
        if "system" in body:
            request.messages.add(role=ct.ROLE_SYSTEM, parts=[text(body.pop("system"))])
        request.messages.append(_message({"role": "user", "content": body.pop("prompt"), "images": body.pop("images", ())}))
    else:
        request.messages.extend(_message(message) for message in body.pop("messages"))
    options = body.get("options", {})
    set_parameters(request, options, NAMES)
    request.tools.extend(function(tool["function"]) for tool in body.pop("tools", ()))
    if isinstance(body.get("format"), dict):
        request.parameters.response_schema_json = canonical(body.pop("format"))
    set_extra(request, body, ("model",))
    return request


def plain(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A body without what says nothing."""
    return {name: value for name, value in recorded.items() if name != "stream" and value not in (None, "", [], {}, False)}


def _message(message: Mapping[str, Any]) -> ct.Message:
    pictures = [ct.Part(media=media(f"data:image/png;base64,{one}")) for one in message.get("images", ())]
    return ct.Message(role=ROLES[message["role"]], parts=[text(message["content"]), *pictures])
