"""OpenAI's responses/compact: a long conversation becomes a shorter one, to go on with."""

from __future__ import annotations

from gateway.adapters.base import Answer, Capabilities, check_error, entries, name_of, vendor_part
from gateway.adapters.blocks import Ask
from gateway.adapters.openai_responses import OpenAIResponses
from gateway.adapters.responses_requests import items_of
from gateway.bodies import Json
from genlevel.runtime.settings import Api
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw


class OpenAICompact(OpenAIResponses):
    """POST /responses/compact. Source: the openai package's types.responses (CompactedResponse).

    The answer is nothing that the model says, but items for the input of the next request: vendor parts all of them.
    """

    api = Api.COMPACT
    capabilities = Capabilities(
        parameters={},
        image_details=OpenAIResponses.capabilities.image_details,
        uris=OpenAIResponses.capabilities.uris,
        document_types=OpenAIResponses.capabilities.document_types,
        max_stop=0,
        tools=True,
        result_media=OpenAIResponses.capabilities.result_media,
        thoughts=True,
        answers_media=frozenset({ct.MODALITY_IMAGE}),
        vendors=OpenAIResponses.capabilities.vendors,
        may_be_empty=True,  # with previous_response_id, whose conversation it is
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "responses/compact"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request."""
        return {"model": model, "input": items_of(ask.turns)}

    def answer(self, body: Json) -> Answer:
        """The items of the shorter conversation."""
        check_error(body, "output")
        parts = [vendor_part(self.vendor, item) for item in entries(body, "output")]
        usage, has_usage = self.usage(body)
        return Answer(parts, gw.FINISH_REASON_STOP, usage, has_usage, name_of(body.get("model")), name_of(body.get("id")))
