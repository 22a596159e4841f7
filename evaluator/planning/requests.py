"""Turns an instance into a gateway request, with its media and the bounds of what it takes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from evaluator.planning.outputs import MODALITIES
from evaluator.planning.prices import CallBounds, call_bounds
from evaluator.planning.prompts import PromptTemplate, prompt_text, sent_size
from evaluator.planning.schemas import response_schema
from genlevel.benchmark import mime
from genlevel.benchmark.frames import content_of, frames_in
from genlevel.benchmark.model import Instance, MediaFile, Modality
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import DatasetError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

_PICTURES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"))
_INLINE_BYTES = 6 << 20  # of all media of a request, unless one may be larger: a gateway takes 8 MiB (limits.request_bytes)


class PreparedCall(NamedTuple):
    """A request ready to be sent. request_hash: of all that was asked, media included."""

    request: gw.GenerateRequest
    request_hash: str
    bounds: CallBounds


def put_parameters(
    parameters: gw.GenerationParameters,
    template: PromptTemplate,
    asked: gw.GenerationParameters,
    model: gw.ModelInfo,
    output: ct.Modality = ct.MODALITY_TEXT,
) -> None:
    """Sets the parameters of a call: temperature 0 and the answer type's limit, unless the run sets others.

    A model's allowance for reasoning, or the one that the user set, comes on top of the answer type's limit; a limit that the user set
    stands as it is.
    If media are asked for, nothing is set but what the user asks: generators take no temperature, and a picture has its own length.
    """
    if output == ct.MODALITY_TEXT:
        parameters.temperature = 0.0
        parameters.max_output_tokens = template.max_output_tokens + max(model.extra_output_tokens, asked.reasoning_tokens)
    parameters.MergeFrom(asked)


def given_media(instance: Instance, model: gw.ModelInfo) -> list[MediaFile]:
    """The media files that go with an instance; of a video that is a folder of frames, as many frames as the model takes."""
    given: list[MediaFile] = []
    for media in instance.media:
        if media.modality is Modality.VIDEO and model.video_frames and (media.frames or media.path.is_dir()):
            frames, count = media.frames or frames_in(media.path), model.video_frames
            places = sorted({int((number + 0.5) * len(frames) / count) for number in range(count)})
            given += [MediaFile(Modality.IMAGE, frames[place], _mime_type(frames[place])) for place in places]
        else:
            given.append(media)
    return given


def _mime_type(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return mime.mime_type(file.read(mime.HEAD_BYTES))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None


def prepare(
    instance: Instance,
    template: PromptTemplate,
    asked: gw.GenerationParameters,
    model: gw.ModelInfo,
    *,
    blobs: BlobStore,
    inline_limit: int,
    output: ct.Modality = ct.MODALITY_TEXT,
    seed: int | None = None,
    droppable: Sequence[str] = (),
) -> PreparedCall:
    """Builds the call for an instance: media in the order of the dataset, then the text. Reads the media files.

    The answer is held to its type's JSON schema if the model can be. seed: of this call; None: as the run's parameters say.
    droppable: names of parameters that may be left out.

    Raises:
        DatasetError: a media file cannot be read, or is not the picture that its name says.
    """
    text = prompt_text(instance, template, sent_size(instance, template, model.video_frames))
    request = gw.GenerateRequest(route=model.route, droppable=droppable)
    parameters = request.parameters
    put_parameters(parameters, template, asked, model, output)
    if seed is not None:
        parameters.seed = seed
    if output != ct.MODALITY_TEXT:
        request.output_modalities.append(output)
    elif model.structured_output and not parameters.response_schema_json:
        parameters.response_schema_json = response_schema(instance, confidence=template.confidence)
    message = request.messages.add(role=ct.ROLE_USER)
    digest = hashlib.sha256(text.encode())
    inline = 0
    for media in given_media(instance, model):
        try:
            content, mime_type = content_of(media)
        except DatasetError as error:
            raise DatasetError(f"{error}; instance {instance.id!r} needs it") from None
        if mime_type == mime.UNKNOWN and media.path.suffix.lower() in _PICTURES:
            said = media.path.suffix.lstrip(".").upper()
            raise DatasetError(f"{media.path}: is not a {said} picture, though its name says so; instance {instance.id!r} needs it")
        digest.update(hashlib.sha256(content).digest())
        part = ct.Media(modality=MODALITIES[media.modality], mime_type=mime_type)
        if len(content) > inline_limit or inline + len(content) > max(inline_limit, _INLINE_BYTES):
            part.blob.CopyFrom(blobs.put(content, mime_type))
        else:
            part.inline = content
            inline += len(content)
        message.parts.add(media=part)
    if output == ct.MODALITY_AUDIO:  # text to speech takes what is to be read and how, apart
        for block in filter(None, (instance.context.strip(), instance.prompt.strip())):
            message.parts.add(text=block)
    else:
        message.parts.add(text=text)
    digest.update(parameters.SerializeToString(deterministic=True))
    if output != ct.MODALITY_TEXT:
        digest.update(bytes([output]))
    bounds = call_bounds(instance, text, model, output=output, asked=asked, text_tokens=parameters.max_output_tokens)
    return PreparedCall(request, digest.hexdigest(), bounds)
