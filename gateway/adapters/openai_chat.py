"""OpenAI chat completions, and the same wire format as other servers speak it."""

from __future__ import annotations

from gateway.adapters import chat_answers
from gateway.adapters.base import Answer, Capabilities, response_schema
from gateway.adapters.blocks import NO_CHOICE, Ask
from gateway.adapters.chat_requests import Form, messages_of, put_tools
from gateway.bodies import Json
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

SCHEMA_NAME = "answer"
"""Both of OpenAI's APIs want a schema to have a name."""


AUDIO_TYPES = frozenset({"audio/wav", "audio/x-wav", "audio/mpeg"})
AUDIO_FORMAT = "wav"
VOICE = "alloy"


class OpenAIChat:
    """POST /chat/completions. Source: the openai package's types.chat.

    vendor: whose its vendor parts are. form: what it writes in a way of its own.
    """

    api = Api.CHAT
    vendor = "openai"
    form = Form()
    capabilities = Capabilities(
        parameters={
            "temperature": "temperature",
            "max_output_tokens": "max_completion_tokens",
            "top_p": "top_p",
            "seed": "seed",
            "stop": "stop",
            "presence_penalty": "presence_penalty",
            "frequency_penalty": "frequency_penalty",
            "reasoning_effort": "reasoning_effort",
        },
        special=frozenset({"logprobs"}),
        image_details=frozenset({"low", "high", "auto", "original"}),
        uris=frozenset({ct.MODALITY_IMAGE}),
        response_schema=True,
        # openai.types.chat.chat_completion_content_part_input_audio_param
        audio_types=AUDIO_TYPES,
        # openai.types.chat.chat_completion_content_part_param (File)
        document_types=frozenset({"application/pdf"}),
        outputs=frozenset({ct.MODALITY_TEXT, ct.MODALITY_AUDIO}),
        tools=True,
        result_media=frozenset({ct.MODALITY_IMAGE}),
        thoughts=True,
        answers_media=frozenset({ct.MODALITY_AUDIO}),
        vendors=frozenset({"openai", "compatible"}),
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "chat/completions"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request; a message of one text alone is sent as a string."""
        parameters = ask.parameters
        body: Json = {"model": model, "messages": messages_of(ask.turns, self.form)}
        put_parameters(body, parameters, self.capabilities)
        if self.capabilities.special:
            self.put_special(body, parameters)
        if (schema := response_schema(parameters)) is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": SCHEMA_NAME, "strict": True, "schema": schema}}
        if ask.tools or ask.choice is not NO_CHOICE:
            put_tools(body, ask)
        return body

    def put_special(self, body: Json, parameters: gw.GenerationParameters) -> None:
        """Writes the parameters that have a form of their own here: log probabilities."""
        if parameters.HasField("logprobs"):
            body["logprobs"] = True
            if parameters.logprobs:
                body["top_logprobs"] = parameters.logprobs

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """Speech comes with its transcript; pictures, which some other servers make, with a text."""
        names: dict[int, str] = {ct.MODALITY_IMAGE: "image", ct.MODALITY_AUDIO: "audio"}
        body["modalities"] = ["text", *(names[modality] for modality in sorted(outputs) if modality in names)]
        if ct.MODALITY_AUDIO in outputs:
            body["audio"] = {"voice": media.voice or VOICE, "format": media.format or AUDIO_FORMAT}
        body.update(media.extra)

    def headers(self, body: Json) -> None:
        """None beyond the client's own."""
        return

    def answer(self, body: Json) -> Answer:
        """The first choice of a completion."""
        return chat_answers.read(body, self.vendor, self.usage)

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """Totals, with the cached ones among the prompt's and those of reasoning among the completion's."""
        return chat_answers.usage_in(body)


def put_parameters(body: Json, parameters: gw.GenerationParameters, capabilities: Capabilities) -> None:
    """Writes the parameters that are set into the body, under the provider's names."""
    for field, value in parameters.ListFields():
        if (theirs := capabilities.parameters.get(field.name)) is not None:
            body[theirs] = list(value) if field.name == "stop" else value
