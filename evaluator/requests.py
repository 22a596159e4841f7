"""Turns an instance into a gateway request, with its media and the bounds of what it can cost."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from evaluator.prompts import PromptTemplate, estimated_tokens, most_tokens, prompt_text
from genlevel.benchmark.model import Instance, Modality
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import DatasetError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

MODALITIES: dict[Modality, ct.Modality] = {
    Modality.LANGUAGE: ct.MODALITY_TEXT,
    Modality.IMAGE: ct.MODALITY_IMAGE,
    Modality.VIDEO: ct.MODALITY_VIDEO,
    Modality.AUDIO: ct.MODALITY_AUDIO,
    Modality.THREE_D: ct.MODALITY_THREE_D,
}

# Where a model's own bound is not known. The dearest published ones are near 5,000 tokens an image.
MOST_TOKENS_PER_IMAGE = 5_000
TYPICAL_TOKENS_PER_IMAGE = 1_000


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """A request ready to be sent. Tokens: a fair estimate, and upper bounds of input and output."""

    request: gw.GenerateRequest
    estimated_input_tokens: int
    most_input_tokens: int
    most_output_tokens: int
    request_hash: str


def generation_parameters(template: PromptTemplate, asked: gw.GenerationParameters, model: gw.ModelInfo) -> gw.GenerationParameters:
    """The parameters of a call: temperature 0 and the answer type's limit, unless the run sets others.

    A model's allowance for reasoning comes on top of the answer type's limit; a limit that the user set stands as it is.
    """
    parameters = gw.GenerationParameters(temperature=0.0, max_output_tokens=template.max_output_tokens + model.extra_output_tokens)
    parameters.MergeFrom(asked)
    return parameters


def token_bounds(instance: Instance, text: str, model: gw.ModelInfo) -> tuple[int, int]:
    """(estimate, upper bound) of the input tokens of a call."""
    images = sum(1 for media in instance.media if media.modality is Modality.IMAGE)
    per_image = model.max_tokens_per_image
    estimate = estimated_tokens(text) + images * min(per_image or TYPICAL_TOKENS_PER_IMAGE, TYPICAL_TOKENS_PER_IMAGE)
    return estimate, most_tokens(text) + images * (per_image or MOST_TOKENS_PER_IMAGE)


def prepare(
    instance: Instance,
    template: PromptTemplate,
    asked: gw.GenerationParameters,
    model: gw.ModelInfo,
    *,
    blobs: BlobStore,
    inline_limit: int,
) -> PreparedCall:
    """Builds the call for an instance: media in the order of the dataset, then the text. Reads the media files.

    Raises:
        DatasetError: a media file cannot be read.
    """
    text = prompt_text(instance, template)
    request = gw.GenerateRequest(route=model.route, parameters=generation_parameters(template, asked, model))
    message = request.messages.add(role=ct.ROLE_USER)
    digest = hashlib.sha256(text.encode())
    for media in instance.media:
        try:
            content = media.path.read_bytes()
        except OSError as error:
            raise DatasetError(f"{media.path}: cannot be read ({error.strerror}); instance {instance.id!r} needs it") from None
        digest.update(hashlib.sha256(content).digest())
        part = ct.Media(modality=MODALITIES[media.modality], mime_type=media.mime_type)
        if len(content) > inline_limit:
            part.blob.CopyFrom(blobs.put(content, media.mime_type))
        else:
            part.inline = content
        message.parts.add(media=part)
    message.parts.add(text=text)
    digest.update(request.parameters.SerializeToString(deterministic=True))
    estimate, most = token_bounds(instance, text, model)
    return PreparedCall(request, estimate, most, request.parameters.max_output_tokens, digest.hexdigest())


def answer_text(response: gw.GenerateResponse) -> str:
    """The visible text of an answer, without reasoning."""
    return "".join(part.text for part in response.parts if part.WhichOneof("part") == "text")
