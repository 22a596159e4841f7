"""The bounds of what a request can take and cost: tokens in and out, pictures, seconds, and the money of the worst case.

Amounts are integer nano-dollars.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import NamedTuple

from genlevel.benchmark.model import Instance, MediaFile, Modality
from genlevel.runtime.errors import UsageError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw

NANO = Decimal(1_000_000_000)

# If a model's own bound is not known. The dearest published ones are near 5,000 tokens an image.
MOST_TOKENS_PER_IMAGE = 5_000
TYPICAL_TOKENS_PER_IMAGE = 1_000
# A second of sound is 10 to 50 tokens if that is published; as a file it has 1,000 bytes (8 kbit/s) to 32,000 (16-bit PCM at 16 kHz).
LEAST_BYTES_PER_SOUND_TOKEN = 20
TYPICAL_BYTES_PER_SOUND_TOKEN = 3_200
LEAST_BYTES_PER_SOUND_SECOND = 1_000
# A second of video is 300 tokens with its sound if that is published (Gemini: 258 a frame, one frame a second, and 32 of sound); as a file
# it has 3,000 bytes (24 kbit/s, a picture that hardly moves) and more. A folder of frames has at least one a second.
LEAST_BYTES_PER_VIDEO_SECOND = 3_000
LEAST_BYTES_PER_VIDEO_TOKEN = 10
TYPICAL_BYTES_PER_VIDEO_TOKEN = 400


class CallBounds(NamedTuple):
    """What one call takes. Input tokens: a fair estimate, and an upper bound; the rest: upper bounds.

    images, seconds: the pictures, and the length of video or audio, that the answer has. unknown: why no upper bound of its cost is
    known, and where to say it, in one line; "" if it is known. input_seconds: the length of sound that goes in. characters: of the text
    that does. hears, speaks: tokens of sound may go in, or come out.
    """

    estimated_input_tokens: int
    most_input_tokens: int
    most_output_tokens: int
    images: int = 0
    seconds: float = 0.0
    unknown: str = ""
    input_seconds: float = 0.0
    characters: int = 0
    hears: bool = False
    speaks: bool = False


def call_bounds(
    instance: Instance, text: str, model: gw.ModelInfo, *, output: ct.Modality, asked: gw.GenerationParameters, text_tokens: int
) -> CallBounds:
    """The bounds of asking one instance.

    Args:
        text: what is asked, in words.
        output: what the answer consists of.
        asked: the parameters that the run sets.
        text_tokens: the limit of an answer of text.
    """
    estimate, most = token_bounds(instance, text, model)
    sound = sum(_size(media.path) for media in instance.media if media.modality is Modality.AUDIO)
    bounds = CallBounds(
        estimate,
        most,
        text_tokens,
        input_seconds=sound / LEAST_BYTES_PER_SOUND_SECOND,
        characters=len(text),
        hears=any(media.modality in (Modality.AUDIO, Modality.VIDEO) for media in instance.media),
        speaks=output == ct.MODALITY_AUDIO,
    )
    if output == ct.MODALITY_TEXT:
        return bounds
    media = media_bounds(model, output, asked)
    return bounds._replace(most_output_tokens=media.tokens, images=media.images, seconds=media.seconds, unknown=media.unknown)


# -- tokens ------------------------------------------------------------------------------------------------------------


def estimated_tokens(text: str) -> int:
    """A fair guess of a text's tokens: a quarter of its UTF-8 bytes (English is near it, other scripts below)."""
    return len(text.encode()) // 4 + 1


def most_tokens(text: str) -> int:
    """An upper bound of a text's tokens: no byte-level tokenizer makes more tokens than bytes; 64 for the envelope."""
    return len(text.encode()) + 64


def token_bounds(instance: Instance, text: str, model: gw.ModelInfo) -> tuple[int, int]:
    """(estimate, upper bound) of the input tokens of a call."""
    if not instance.media:
        return estimated_tokens(text), most_tokens(text)
    images = sum(model.video_frames if media.modality is Modality.VIDEO else media.modality is Modality.IMAGE for media in instance.media)
    sound = sum(_size(media.path) for media in instance.media if media.modality is Modality.AUDIO)
    whole = 0 if model.video_frames else sum(_video_size(media) for media in instance.media if media.modality is Modality.VIDEO)
    per_image = model.max_tokens_per_image
    estimate = estimated_tokens(text) + images * min(per_image or TYPICAL_TOKENS_PER_IMAGE, TYPICAL_TOKENS_PER_IMAGE)
    estimate += sound // TYPICAL_BYTES_PER_SOUND_TOKEN + whole // TYPICAL_BYTES_PER_VIDEO_TOKEN
    most = images * (per_image or MOST_TOKENS_PER_IMAGE) + sound // LEAST_BYTES_PER_SOUND_TOKEN
    # No call takes more than the model's context, however long the video may be.
    most += min(whole // LEAST_BYTES_PER_VIDEO_TOKEN, model.context_tokens or whole)
    return estimate, most_tokens(text) + most


def _video_size(media: MediaFile) -> int:
    if not media.path.is_dir():
        return _size(media.path)
    return LEAST_BYTES_PER_VIDEO_SECOND * (len(media.frames) or sum(1 for _ in media.path.iterdir()))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


# -- media -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MediaBounds:
    """What one answer of media takes at most. unknown: what is not known of it, and where to say it; "" if nothing is missing."""

    tokens: int = 0
    images: int = 0
    seconds: float = 0.0
    unknown: str = ""


def media_bounds(model: gw.ModelInfo, output: ct.Modality, asked: gw.GenerationParameters) -> MediaBounds:
    """The bounds of one answer: one picture, or one video or sound of the length that the model's route allows.

    asked: the run's parameters; a model that also talks is bounded by their limit, and what it makes has to be priced by the piece, or by
    tokens of which a bound is known.
    """
    price = model.price
    unknown = ""
    if ct.MODALITY_TEXT in model.output_modalities and _costs(price.output):
        per_image = model.max_output_tokens_per_image if output == ct.MODALITY_IMAGE and price.image_output else 0
        by_tokens = per_image or (output == ct.MODALITY_AUDIO and price.audio_output)
        if not (by_tokens or (price.per_image if output == ct.MODALITY_IMAGE else price.per_second)):
            unknown = f"the cost of media that {model.route} makes beside text is not known; price them per_image or per_second"
        elif not asked.max_output_tokens:
            unknown = f"the text that {model.route} gives beside its media has no limit; set --max-tokens"
        return MediaBounds(asked.max_output_tokens + per_image, int(output == ct.MODALITY_IMAGE), model.max_output_seconds, unknown)
    if output == ct.MODALITY_IMAGE:
        if _costs(price.output) and not model.max_output_tokens_per_image:
            unknown = "the largest number of tokens of a picture is not known; set the route's media.max_tokens_per_image"
        return MediaBounds(tokens=model.max_output_tokens_per_image, images=1, unknown=unknown)
    if (_costs(price.per_second) or _costs(price.output)) and not model.max_output_seconds:
        unknown = "the longest that an answer can be is not known; set the route's media.max_seconds"
    elif _costs(price.output):
        unknown = "the tokens that a second of video or audio takes are not known; price it per_second"
    return MediaBounds(seconds=model.max_output_seconds, unknown=unknown)


def _costs(price: str) -> bool:
    return bool(price) and Decimal(price) > 0


# -- money -------------------------------------------------------------------------------------------------------------


def worst_case_nano_usd(
    price: gw.Price,
    input_tokens: int,
    output_tokens: int,
    *,
    images: int = 0,
    seconds: float = 0.0,
    input_seconds: float = 0.0,
    characters: int = 0,
    hears: bool = False,
    speaks: bool = False,
) -> int:
    """The most that a call of at most so much can cost: every token at the dearest price that it can have.

    The arguments are those of CallBounds. A cache that keeps for an hour is not counted: no run asks for it.
    """
    into = [price.input, price.cache_read, price.cache_write, price.image_input, price.audio_input if hears else ""]
    out = [price.output, price.image_output if images else "", price.audio_output if speaks else ""]
    inputs, outputs = _dearest(into) * input_tokens, _dearest(out) * output_tokens
    pieces = Decimal(price.per_image or 0) * images + Decimal(price.per_second or 0) * Decimal(seconds) + Decimal(price.per_call or 0)
    pieces += Decimal(price.per_input_second or 0) * Decimal(input_seconds)
    pieces += Decimal(price.characters or 0) * characters / Decimal(1_000_000)
    if price.long_context_above_tokens and input_tokens > price.long_context_above_tokens:
        inputs *= Decimal(price.long_context_input_factor)
        outputs *= Decimal(price.long_context_output_factor)
    return int((((inputs + outputs) / Decimal(1_000_000) + pieces) * NANO).to_integral_value(rounding=ROUND_CEILING))


def _dearest(prices: Iterable[str]) -> Decimal:
    return max(Decimal(price or 0) for price in prices)


def most_nano_usd(price: gw.Price, bounds: CallBounds) -> int:
    """The most that one call with these bounds can cost."""
    return worst_case_nano_usd(
        price,
        bounds.most_input_tokens,
        bounds.most_output_tokens,
        images=bounds.images,
        seconds=bounds.seconds,
        input_seconds=bounds.input_seconds,
        characters=bounds.characters,
        hears=bounds.hears,
        speaks=bounds.speaks,
    )


def estimated_nano_usd(price: gw.Price, bounds: CallBounds) -> int:
    """What one call costs if its input is as long as estimated and its answer as long as it may be."""
    return most_nano_usd(price, bounds._replace(most_input_tokens=bounds.estimated_input_tokens))


def dollars(nano_usd: int, *, up: bool = False, down: bool = False) -> str:
    """An amount in dollars, as short as it may be; up: never less than it is; down: never more."""
    amount = Decimal(nano_usd) / NANO
    digits = 2 if amount >= 1 else 4 - amount.adjusted() - 1 if amount else 2
    rounded = amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_CEILING if up else ROUND_FLOOR if down else None)
    whole, _, fraction = f"{rounded:,f}".partition(".")
    return f"${whole}.{fraction.rstrip('0').ljust(2, '0')}"


def money_notes(model: gw.ModelInfo, traffic: ev.TrafficSettings) -> list[str]:
    """What a person has to know of a model's cost before it is called, a line each.

    Raises UsageError if the model has no price and that was not accepted. A cap cannot be kept without one: a provider that surely
    charges is refused, as is a server that takes a key (it may be a proxy before a paid one) unless an unknown cost was accepted.
    """
    if model.HasField("price"):
        return []
    capped = traffic.HasField("budget_nano_usd")
    near = f", the nearest that have one are {', '.join(model.nearest_priced)}" if model.nearest_priced else ""
    price = f"add one under prices: in genlevel.yaml ({model.provider}/{model.model}{near})"
    if capped and (model.charges or (model.keyed and not traffic.unpriced_ok)):
        way = "" if model.charges else ", or accept an unknown cost with --unpriced-ok, which takes the cap off"
        raise UsageError(f"--budget-usd cannot be kept for {model.route}: it has no price; {price}{way}")
    if model.charges and not traffic.unpriced_ok:
        raise UsageError(f"{model.route} has no price, and its provider charges; {price}, or accept an unknown cost with --unpriced-ok")
    return (
        [f"{model.route} has no price, so --budget-usd cannot cap its cost (--budget-tokens caps its tokens); {price} if it costs anything"]
        if capped
        else []
    )
