"""OpenAI's responses API, which others speak too. It has neither a seed nor stop sequences."""

from __future__ import annotations

from urllib.parse import quote

from gateway.adapters.base import (
    Answer,
    AnswerError,
    Capabilities,
    Pending,
    ProviderError,
    Refused,
    check_error,
    count,
    name_of,
    response_schema,
    usage_of,
    vendor_part,
)
from gateway.adapters.blocks import NO_CHOICE, Ask
from gateway.adapters.openai_chat import SCHEMA_NAME, put_parameters
from gateway.adapters.responses_answers import is_pending, left_of, logprobs_of, parts_of
from gateway.adapters.responses_requests import items_of, put_tools
from gateway.bodies import Json
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

# https://platform.openai.com/docs/guides/file-inputs
DOCUMENT_TYPES = frozenset(
    {
        "application/pdf",
        "text/plain",
        "text/markdown",
        "text/csv",
        "text/html",
        "text/xml",
        "application/json",
        "application/rtf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)
PENDING_STATES = frozenset({"queued", "in_progress"})


class OpenAIResponses:
    """POST /responses. Source: the openai package's types.responses."""

    api = Api.RESPONSES
    vendor = "openai"
    capabilities = Capabilities(
        parameters={"temperature": "temperature", "max_output_tokens": "max_output_tokens", "top_p": "top_p"},
        special=frozenset({"reasoning_effort", "logprobs"}),
        image_details=frozenset({"low", "high", "auto", "original"}),
        uris=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_DOCUMENT}),
        document_types=DOCUMENT_TYPES,
        max_stop=0,
        response_schema=True,
        outputs=frozenset({ct.MODALITY_TEXT, ct.MODALITY_IMAGE}),
        tools=True,
        result_media=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_DOCUMENT}),
        thoughts=True,
        answers_media=frozenset({ct.MODALITY_IMAGE}),
        vendors=frozenset({"openai"}),
        # Nobody's conversations are kept unless a request says so.
        defaults={"store": False},
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "responses"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request."""
        parameters = ask.parameters
        body: Json = {"model": model, "input": items_of(ask.turns)}
        put_parameters(body, parameters, self.capabilities)
        if parameters.reasoning_effort:
            body["reasoning"] = {"effort": parameters.reasoning_effort}
        if parameters.HasField("logprobs"):
            self.put_logprobs(body, parameters.logprobs)
        if (schema := response_schema(parameters)) is not None:
            body["text"] = {"format": {"type": "json_schema", "name": SCHEMA_NAME, "strict": True, "schema": schema}}
        if ask.tools or ask.choice is not NO_CHOICE:
            put_tools(body, ask)
        return body

    def put_logprobs(self, body: Json, alternatives: int) -> None:
        """Asks for log probabilities, with so many alternatives at each place."""
        body["include"], body["top_logprobs"] = ["message.output_text.logprobs"], alternatives

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """A picture is made by the image generation tool, whose fields the route may set."""
        fields = {"size": media.size, "quality": media.quality, "output_format": media.format, **media.extra}
        tool = {"type": "image_generation", **{name: value for name, value in fields.items() if value != ""}}
        tools = body.get("tools")
        body["tools"] = [*tools, tool] if isinstance(tools, list) else [tool]
        body.setdefault("tool_choice", {"type": "image_generation"})

    def headers(self, body: Json) -> None:
        """None beyond the client's own. What is answered in the background is kept until it is fetched."""
        if body.get("background") is True:
            body["store"] = True

    def answer(self, body: Json) -> Answer:
        """The output items of a response that is complete or stopped at its limit."""
        check_error(body, "output")
        status, details = body.get("status"), body.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        if status == "incomplete" and reason == "content_filter":
            raise Refused("the answer was withheld by the provider's content filter")
        if status == "cancelled":
            raise AnswerError(ProviderError(200, "job_cancelled", "", "the response was cancelled"))
        if status in PENDING_STATES and (response_id := name_of(body.get("id"))):
            raise Pending(f"responses/{quote(response_id, safe='')}")
        if status not in ("completed", "complete", "incomplete"):
            raise ValueError(f"its status is {name_of(status) or 'not said'}")
        output = body.get("output")
        if not isinstance(output, list):
            raise ValueError("it has no output")
        parts = parts_of(output, self.vendor)
        finish = gw.FINISH_REASON_STOP
        if status == "incomplete":
            finish = gw.FINISH_REASON_LENGTH if reason == "max_output_tokens" else gw.FINISH_REASON_OTHER
        elif any(part.HasField("tool_call") for part in parts) or is_pending(output):
            finish = gw.FINISH_REASON_TOOL_CALLS
        if left := left_of(body):
            parts.append(vendor_part(self.vendor, left))
        usage, has_usage = self.usage(body)
        metadata = body.get("metadata")  # xAI says it there, OpenAI nowhere
        fingerprint = name_of(metadata.get("system_fingerprint")) if isinstance(metadata, dict) else ""
        model, response_id = name_of(body.get("model")), name_of(body.get("id"))
        return Answer(parts, finish, usage, has_usage, model, response_id, fingerprint, logprobs_of(output))

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """Totals, with the cached ones among the input's and those of reasoning among the output's."""
        usage = body.get("usage")
        if not isinstance(usage, dict):
            return gw.Usage(), False
        inputs, outputs = usage.get("input_tokens_details"), usage.get("output_tokens_details")
        return usage_of(
            total_input=count(usage, "input_tokens", None),
            cache_read=count(inputs, "cached_tokens"),
            cache_write=count(inputs, "cache_write_tokens"),
            total_output=count(usage, "output_tokens", None),
            reasoning=count(outputs, "reasoning_tokens"),
        )
