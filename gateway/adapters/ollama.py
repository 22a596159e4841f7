"""Ollama's own API: chat, and the older one of a single prompt. Source: https://docs.ollama.com/api and the ollama package's types."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.base import (
    Answer,
    Capabilities,
    check_error,
    count,
    name_of,
    response_schema,
    tool_call,
    usage_of,
    vendor_part,
)
from gateway.adapters.blocks import NO_CHOICE, Ask, Called, Function, Image, Result, Thought, Turn, Vendor
from gateway.adapters.openai_chat import put_parameters
from gateway.bodies import Json
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

VENDOR = "ollama"
FINISH_REASONS = {"stop": gw.FINISH_REASON_STOP, "length": gw.FINISH_REASON_LENGTH}
_PARAMETERS = {
    "temperature": "temperature",
    "max_output_tokens": "num_predict",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "stop": "stop",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
_IMAGES = frozenset({"image/png", "image/jpeg", "image/webp"})
_READ = frozenset(
    {"model", "created_at", "message", "response", "thinking", "done", "done_reason", "prompt_eval_count", "eval_count", "logprobs"}
)


class OllamaChat:
    """POST /api/chat. Media go with the request."""

    api = Api.CHAT
    capabilities = Capabilities(
        parameters=_PARAMETERS,
        special=frozenset({"reasoning_effort", "logprobs"}),
        image_types=_IMAGES,
        max_stop=0,
        response_schema=True,
        tools=True,
        thoughts=True,
        vendors=frozenset({VENDOR}),
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "api/chat"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request; without ``stream`` the answer would be one. Raises CallFailed for what the API has no form for."""
        body: Json = {"model": model, "messages": [message for turn in ask.turns for message in _messages(turn)], "stream": False}
        if ask.choice != NO_CHOICE and ask.choice.mode != "auto":
            raise _fault("ollama cannot be told which tool to call, or how many; leave tool_choice out", "tool_choice")
        if ask.tools:
            body["tools"] = [_tool(tool) for tool in ask.tools]
        _put(body, ask.parameters, self.capabilities)
        return body

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """It makes text alone."""

    def headers(self, body: Json) -> None:
        """None beyond the client's own."""
        return

    def answer(self, body: Json) -> Answer:
        """The message of an answer that is not streamed."""
        check_error(body, "message")
        message = body.get("message")
        if not isinstance(message, dict):
            raise ValueError("message is no object")
        parts = _said(message.get("thinking"), message.get("content"))
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if not isinstance(function, dict):
                raise ValueError("tool_calls has an entry without a function")
            parts.append(tool_call(call.get("id"), function.get("name"), function.get("arguments")))
        return _answer(body, parts, called=bool(calls), usage=self.usage(body))

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """Tokens of the prompt are missing if all of it came from the cache of the server."""
        return usage_of(total_input=count(body, "prompt_eval_count", None), total_output=count(body, "eval_count", None))


class OllamaGenerate(OllamaChat):
    """POST /api/generate: one prompt, with a system message before it."""

    api = Api.GENERATE
    capabilities = Capabilities(
        parameters=_PARAMETERS,
        special=frozenset({"reasoning_effort", "logprobs"}),
        image_types=_IMAGES,
        max_stop=0,
        response_schema=True,
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "api/generate"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request. Raises CallFailed for a conversation of more than one message."""
        body: Json = {"model": model, "prompt": "", "stream": False}
        systems = [turn for turn in ask.turns if turn.role == "system"]
        said = [(number, turn) for number, turn in enumerate(ask.turns) if turn.role != "system"]
        if len(said) != 1 or said[0][1].role != "user":
            path = f"messages[{said[1][0] if len(said) > 1 else 0}]"
            reason = f"{path}: ollama takes one user message in its generate API; use its chat API for conversations"
            raise CallFailed(ErrorClass.UNSUPPORTED, reason, part=path)
        if systems:
            body["system"] = "\n\n".join(str(block) for turn in systems for block in turn.blocks)
        body["prompt"], images = _content(said[0][1])
        if images:
            body["images"] = images
        _put(body, ask.parameters, self.capabilities)
        return body

    def answer(self, body: Json) -> Answer:
        """The text of an answer that is not streamed."""
        check_error(body, "response")
        if not isinstance(body.get("response"), str):
            raise ValueError("response is not a text")
        return _answer(body, _said(body.get("thinking"), body["response"]), called=False, usage=self.usage(body))


def _answer(body: Json, parts: list[ct.Part], *, called: bool, usage: tuple[gw.Usage, bool]) -> Answer:
    reason = body.get("done_reason")
    finish = FINISH_REASONS.get(reason, gw.FINISH_REASON_OTHER) if isinstance(reason, str) else gw.FINISH_REASON_OTHER
    if called and finish == gw.FINISH_REASON_STOP:
        finish = gw.FINISH_REASON_TOOL_CALLS
    if beside := {name: value for name, value in body.items() if name not in _READ and value}:
        parts.append(vendor_part(VENDOR, beside))
    return Answer(parts, finish, *usage, name_of(body.get("model")), "", logprobs=_logprobs(body.get("logprobs")))


def _said(thinking: object, content: object) -> list[ct.Part]:
    parts = [ct.Part(reasoning=ct.Reasoning(text=thinking))] if isinstance(thinking, str) and thinking else []
    if content is not None and not isinstance(content, str):
        raise ValueError("the message's content is not a text")
    return [*parts, ct.Part(text=content)] if content else parts


def _logprobs(items: object) -> list[gw.TokenLogprob]:
    found = []
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(item.get("token"), str):
            top = _logprobs(item.get("top_logprobs"))
            found.append(gw.TokenLogprob(token=item["token"], logprob=float(item.get("logprob") or 0.0), top=top))
    return found


def _put(body: Json, parameters: gw.GenerationParameters, capabilities: Capabilities) -> None:
    options: Json = {}
    put_parameters(options, parameters, capabilities)
    if options:
        body["options"] = options
    if parameters.reasoning_effort:
        body["think"] = False if parameters.reasoning_effort == "none" else parameters.reasoning_effort
    if parameters.HasField("logprobs"):
        body["logprobs"] = True
        if parameters.logprobs:
            body["top_logprobs"] = parameters.logprobs
    if (schema := response_schema(parameters)) is not None:
        body["format"] = schema


def _content(turn: Turn) -> tuple[str, list[str]]:
    """The texts of a message, as paragraphs, and its images."""
    texts = [block for block in turn.blocks if isinstance(block, str)]
    return "\n\n".join(texts), [block.base64 for block in turn.blocks if isinstance(block, Image)]


def _messages(turn: Turn) -> Sequence[Json]:
    """The messages of one turn: what each tool gave back is one of its own, and goes before what the user says beside it."""
    results: list[Json] = [
        {"role": "tool", "content": block.text, "tool_name": block.name, **({"tool_call_id": block.call_id} if block.call_id else {})}
        for block in turn.blocks
        if isinstance(block, Result)
    ]
    text, images = _content(turn)
    message: Json = {"role": turn.role, "content": text}
    if images:
        message["images"] = images
    if thoughts := [block.text for block in turn.blocks if isinstance(block, Thought)]:
        message["thinking"] = "\n\n".join(thoughts)
    if calls := [_called(block) for block in turn.blocks if isinstance(block, Called)]:
        message["tool_calls"] = calls
    return results if results and not text and not images else [*results, message]


def _called(call: Called) -> Json:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "function": function} if call.id else {"function": function}


def _tool(tool: Function | Vendor) -> Json:
    if isinstance(tool, Vendor):
        return tool.value
    function: Json = {"name": tool.name, "parameters": {"type": "object", "properties": {}} if tool.parameters is None else tool.parameters}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _fault(message: str, part: str) -> CallFailed:
    return CallFailed(ErrorClass.CALLER_FAULT, message, part=part)
