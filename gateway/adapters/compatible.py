"""Any server that speaks OpenAI's chat completions: llama.cpp, vLLM, LM Studio, hosted ones that are no row of their own."""

from __future__ import annotations

from dataclasses import replace

from gateway.adapters.base import Capabilities
from gateway.adapters.openai_chat import AUDIO_TYPES, OpenAIChat
from gateway.adapters.openai_responses import OpenAIResponses
from genlevel.v1 import content_pb2 as ct

VIDEO_TYPES = frozenset({"video/mp4", "video/webm", "video/quicktime", "video/mpeg"})


class Compatible(OpenAIChat):
    """The same format under the older name of the output limit, which every such server knows."""

    vendor = "compatible"
    capabilities = Capabilities(
        # Beyond OpenAI's, all of vLLM's, which most others copy: https://docs.vllm.ai/en/latest/serving/openai_compatible_server
        parameters={
            "temperature": "temperature",
            "max_output_tokens": "max_tokens",
            "top_p": "top_p",
            "seed": "seed",
            "stop": "stop",
            "presence_penalty": "presence_penalty",
            "frequency_penalty": "frequency_penalty",
            "top_k": "top_k",
            "reasoning_effort": "reasoning_effort",
        },
        special=frozenset({"logprobs"}),
        image_details=frozenset({"low", "high", "auto"}),
        uris=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_VIDEO}),
        max_stop=0,
        response_schema=True,
        audio_types=AUDIO_TYPES,
        video_types=VIDEO_TYPES,
        document_types=frozenset({"application/pdf"}),
        outputs=frozenset({ct.MODALITY_TEXT, ct.MODALITY_IMAGE, ct.MODALITY_AUDIO}),
        tools=True,
        result_media=frozenset({ct.MODALITY_IMAGE}),
        thoughts=True,
        answers_media=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_AUDIO}),
        vendors=frozenset({"openai", "compatible"}),
    )


class CompatibleResponses(OpenAIResponses):
    """The responses API of others, who do not store what is asked, or do not say so."""

    vendor = "compatible"
    capabilities = replace(OpenAIResponses.capabilities, vendors=frozenset({"openai", "compatible"}))
