"""Any server that speaks OpenAI's chat completions: llama.cpp, vLLM, Ollama, LM Studio, hosted ones."""

from __future__ import annotations

from gateway.adapters.base import Capabilities
from gateway.adapters.openai_chat import AUDIO_TYPES, OpenAIChat
from genlevel.v1 import content_pb2 as ct


class Compatible(OpenAIChat):
    """The same format under the older name of the output limit, which every such server knows."""

    capabilities = Capabilities(
        parameters={
            "temperature": "temperature",
            "max_output_tokens": "max_tokens",
            "top_p": "top_p",
            "seed": "seed",
            "stop": "stop",
        },
        image_details=frozenset({"low", "high", "auto"}),
        uris=frozenset({ct.MODALITY_IMAGE}),
        max_stop=0,
        response_schema=True,
        audio_types=AUDIO_TYPES,
        outputs=frozenset({ct.MODALITY_TEXT, ct.MODALITY_IMAGE, ct.MODALITY_AUDIO}),
    )
