"""Turns an instance into a gateway request, with its media and the bounds of what it can cost."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from evaluator.planning.outputs import MODALITIES
from evaluator.planning.prompts import PromptTemplate, estimated_tokens, most_tokens, prompt_text
from evaluator.planning.schemas import response_schema
from genlevel.benchmark import mime
from genlevel.benchmark.frames import content_of, frames_in
from genlevel.benchmark.model import Instance, MediaFile, Modality
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import DatasetError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

# Where a model's own bound is not known. The dearest published ones are near 5,000 tokens an image.
MOST_TOKENS_PER_IMAGE = 5_000
TYPICAL_TOKENS_PER_IMAGE = 1_000
# A second of sound is 10 to 50 tokens where that is published; as a file it has 1,000 bytes (8 kbit/s) to 32,000 (16-bit PCM at 16 kHz).
LEAST_BYTES_PER_SOUND_TOKEN = 20
TYPICAL_BYTES_PER_SOUND_TOKEN = 3_200
_PICTURES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"))


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """A request ready to be sent. Tokens: a fair estimate, and upper bounds of input and output.

    images, seconds: the pictures, and the length of video or audio, that the answer has at most. unbounded: why no upper bound of its
    cost is known, in one line; "" where it is.
    """

    request: gw.GenerateRequest
    estimated_input_tokens: int
    most_input_tokens: int
    most_output_tokens: int
    request_hash: str
    images: int = 0
    seconds: float = 0.0
    unbounded: str = ""


def generation_parameters(
    template: PromptTemplate, asked: gw.GenerationParameters, model: gw.ModelInfo, output: ct.Modality = ct.MODALITY_TEXT
) -> gw.GenerationParameters:
    """The parameters of a call: temperature 0 and the answer type's limit, unless the run sets others.

    A model's allowance for reasoning comes on top of the answer type's limit; a limit that the user set stands as it is.
    Where media are asked for, nothing is set but what the user asks: generators take no temperature, and a picture has its own length.
    """
    if output != ct.MODALITY_TEXT:
        return asked
    parameters = gw.GenerationParameters(temperature=0.0, max_output_tokens=template.max_output_tokens + model.extra_output_tokens)
    parameters.MergeFrom(asked)
    return parameters


def token_bounds(instance: Instance, text: str, model: gw.ModelInfo) -> tuple[int, int]:
    """(estimate, upper bound) of the input tokens of a call."""
    images = sum(model.video_frames if media.modality is Modality.VIDEO else media.modality is Modality.IMAGE for media in instance.media)
    sound = sum(_size(media.path) for media in instance.media if media.modality is Modality.AUDIO)
    per_image = model.max_tokens_per_image
    estimate = estimated_tokens(text) + images * min(per_image or TYPICAL_TOKENS_PER_IMAGE, TYPICAL_TOKENS_PER_IMAGE)
    estimate += sound // TYPICAL_BYTES_PER_SOUND_TOKEN
    return estimate, most_tokens(text) + images * (per_image or MOST_TOKENS_PER_IMAGE) + sound // LEAST_BYTES_PER_SOUND_TOKEN


def given_media(instance: Instance, model: gw.ModelInfo) -> list[MediaFile]:
    """The media files that go with an instance; of a video that is a folder of frames as many of them as the model takes of a video."""
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


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def prepare(
    instance: Instance,
    template: PromptTemplate,
    asked: gw.GenerationParameters,
    model: gw.ModelInfo,
    *,
    blobs: BlobStore,
    inline_limit: int,
    output: ct.Modality = ct.MODALITY_TEXT,
) -> PreparedCall:
    """Builds the call for an instance: media in the order of the dataset, then the text. Reads the media files.

    The answer is held to its type's JSON schema where the model can be.

    Raises:
        DatasetError: a media file cannot be read, or is not the picture that its name says.
    """
    text = prompt_text(instance, template)
    request = gw.GenerateRequest(route=model.route, parameters=generation_parameters(template, asked, model, output))
    if output != ct.MODALITY_TEXT:
        request.output_modalities.append(output)
    elif model.structured_output and not request.parameters.response_schema_json:
        request.parameters.response_schema_json = response_schema(instance)
    message = request.messages.add(role=ct.ROLE_USER)
    digest = hashlib.sha256(text.encode())
    for media in given_media(instance, model):
        try:
            content, mime_type = content_of(media)
        except DatasetError as error:
            raise DatasetError(f"{error}; instance {instance.id!r} needs it") from None
        if mime_type == mime.UNKNOWN and media.path.suffix.lower() in _PICTURES:
            said = media.path.suffix.lstrip(".").upper()
            raise DatasetError(f"{media.path}: is no {said} picture, whatever its name says; instance {instance.id!r} needs it")
        digest.update(hashlib.sha256(content).digest())
        part = ct.Media(modality=MODALITIES[media.modality], mime_type=mime_type)
        if len(content) > inline_limit:
            part.blob.CopyFrom(blobs.put(content, mime_type))
        else:
            part.inline = content
        message.parts.add(media=part)
    if output == ct.MODALITY_AUDIO:  # a reader aloud takes what is to be read and how apart
        for block in filter(None, (instance.context.strip(), instance.prompt.strip())):
            message.parts.add(text=block)
    else:
        message.parts.add(text=text)
    digest.update(request.parameters.SerializeToString(deterministic=True))
    estimate, most = token_bounds(instance, text, model)
    if output == ct.MODALITY_TEXT:
        return PreparedCall(request, estimate, most, request.parameters.max_output_tokens, digest.hexdigest())
    digest.update(bytes([output]))
    bounds = media_bounds(model, output, asked)
    return PreparedCall(request, estimate, most, bounds.tokens, digest.hexdigest(), bounds.images, bounds.seconds, bounds.unknown)


@dataclass(frozen=True, slots=True)
class MediaBounds:
    """What one answer of media takes at most. unknown: what is not known of it, and where to say it; "" where nothing is missing."""

    tokens: int = 0
    images: int = 0
    seconds: float = 0.0
    unknown: str = ""


def media_bounds(model: gw.ModelInfo, output: ct.Modality, asked: gw.GenerationParameters) -> MediaBounds:
    """The bounds of one answer: one picture, or one video or sound of the length that the model's route allows.

    asked: the run's parameters; a model that also talks is bounded by their limit, and what it makes has to be priced by the piece.
    """
    price = model.price
    unknown = ""
    if ct.MODALITY_TEXT in model.output_modalities and _costs(price.output):
        if not (price.per_image if output == ct.MODALITY_IMAGE else price.per_second):
            unknown = f"what the media cost that {model.route} makes beside text is not known; price them per_image or per_second"
        elif not asked.max_output_tokens:
            unknown = f"how much {model.route} says beside what it makes is not bounded; set --max-tokens"
        return MediaBounds(asked.max_output_tokens, output == ct.MODALITY_IMAGE, model.max_output_seconds, unknown)
    if output == ct.MODALITY_IMAGE:
        if _costs(price.output) and not model.max_output_tokens_per_image:
            unknown = "how many tokens a picture takes at most is not known; set the route's media.max_tokens_per_image"
        return MediaBounds(tokens=model.max_output_tokens_per_image, images=1, unknown=unknown)
    if (_costs(price.per_second) or _costs(price.output)) and not model.max_output_seconds:
        unknown = "how long an answer is at most is not known; set the route's media.max_seconds"
    elif _costs(price.output):
        unknown = "how many tokens a second of video or audio takes is not known; price it per_second"
    return MediaBounds(seconds=model.max_output_seconds, unknown=unknown)


def _costs(price: str) -> bool:
    return bool(price) and Decimal(price) > 0


def answer_text(response: gw.GenerateResponse) -> str:
    """The visible text of an answer, without reasoning."""
    return "".join(part.text for part in response.parts if part.WhichOneof("part") == "text")
