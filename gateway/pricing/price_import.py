"""LiteLLM's list of models (model_prices_and_context_window.json) as prices of ours: what is of use here, and what is left out and why.

Its amounts are dollars for one token, character, second or piece, as floats that are meant as decimals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic import ValidationError

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.settings import ModelPrice

# Its provider -> ours, and what its names begin with that ours do not.
_PROVIDERS = {
    "openai": ("openai", ""),
    "anthropic": ("anthropic", ""),
    "gemini": ("gemini", "gemini/"),
    "vertex_ai": ("vertex", "vertex_ai/"),
    "vertex_ai-language-models": ("vertex", "vertex_ai/"),
    "vertex_ai-anthropic_models": ("anthropic-vertex", "vertex_ai/"),
    "bedrock_converse": ("bedrock", ""),
    "cerebras": ("cerebras", "cerebras/"),
    "cohere_chat": ("cohere", ""),
    "deepgram": ("deepgram", "deepgram/"),
    "deepseek": ("deepseek", "deepseek/"),
    "fireworks_ai": ("fireworks", "fireworks_ai/"),
    "groq": ("groq", "groq/"),
    "mistral": ("mistral", "mistral/"),
    "moonshot": ("moonshot", "moonshot/"),
    "openrouter": ("openrouter", "openrouter/"),
    "perplexity": ("perplexity", "perplexity/"),
    "together_ai": ("together", "together_ai/"),
    "xai": ("xai", "xai/"),
    "zai": ("zai", "zai/"),
}
_MODES = {"chat", "responses", "image_generation", "audio_speech", "audio_transcription", "video_generation"}
_PER_MILLION = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_hour",
    "input_cost_per_image_token": "image_input",
    "input_cost_per_audio_token": "audio_input",
    "cache_read_input_audio_token_cost": "cache_read_audio",
    "output_cost_per_image_token": "image_output",
    "output_cost_per_audio_token": "audio_output",
    "input_cost_per_character": "characters",
}
_PIECES = {
    "image_generation": {"output_cost_per_image": "per_image", "input_cost_per_image": "per_image"},
    "video_generation": {"output_cost_per_second": "per_second", "output_cost_per_video_per_second": "per_second"},
    "audio_transcription": {"input_cost_per_second": "per_input_second"},
}
# What costs no other price than these has none of its own.
_USUAL = {
    "image_input": "input",
    "audio_input": "input",
    "cache_read_audio": "cache_read",
    "image_output": "output",
    "audio_output": "output",
}
_EVERYWHERE = {"input_cost_per_request": "per_call"}
_LONG = (128, 200, 256, 272, 512)
"""Thousands of input tokens above which its prices may be others."""


@dataclass(frozen=True, slots=True)
class Imported:
    """prices: by provider/model. left_out: how many entries, by why. unread: the models whose form is not known here."""

    prices: Mapping[str, ModelPrice]
    left_out: Mapping[str, int] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


def is_litellms(document: object) -> bool:
    """Whether a JSON document is such a list."""
    return isinstance(document, dict) and any(isinstance(entry, dict) and "litellm_provider" in entry for entry in document.values())


def litellm_prices(document: Mapping[str, object], file: str) -> Imported:
    """The prices of a list. Raises ConfigurationError, one line that names file, entry and field, for an amount that is none."""
    prices: dict[str, ModelPrice] = {}
    left_out: Counter[str] = Counter()
    unread: list[str] = []
    for name, entry in document.items():
        if name == "sample_spec" or not isinstance(entry, dict):
            continue
        ours = _PROVIDERS.get(str(entry.get("litellm_provider")))
        if ours is None:
            left_out["other providers"] += 1
        elif entry.get("mode") not in _MODES or not _is_model(name, ours):
            left_out["other uses"] += 1
        elif (price := _price(name, entry, file)) is not None:
            prices.setdefault(f"{ours[0]}/{name.removeprefix(ours[1])}", price)
        elif any("cost" in key and amount for key, amount in entry.items()):
            unread.append(name)
        else:
            left_out["no price"] += 1
    return Imported(prices, left_out, tuple(unread))


def _is_model(name: str, ours: tuple[str, str]) -> bool:
    """Whether a name is a model's, and not a size, a quality or a region of one, such as low/1024-x-1024/gpt-image-1."""
    return name.startswith(ours[1]) if ours[0] in ("groq", "openrouter", "together", "fireworks") else "/" not in name.removeprefix(ours[1])


def _price(name: str, entry: Mapping[str, object], file: str) -> ModelPrice | None:
    """The price of an entry; None if it is of a form that is not known here."""
    mode = str(entry["mode"])
    said: dict[str, object] = {}
    for theirs, field_ in _PER_MILLION.items():
        if (amount := _amount(entry, theirs, name, file)) is not None:
            said[field_] = (amount * 1_000_000).normalize()
    for theirs, field_ in (_PIECES.get(mode, {}) | _EVERYWHERE).items():
        if (amount := _amount(entry, theirs, name, file)) is not None:
            said.setdefault(field_, amount)
    if mode == "image_generation" and "output" not in said and "image_output" in said:
        said["output"] = said.pop("image_output")  # of a model that makes nothing else
    if "image_output" in said or said.get("output"):
        said.pop("per_image", None)  # the same money, said twice
    for field_, usual in _USUAL.items():
        if field_ in said and said[field_] == said.get(usual):
            del said[field_]
    if not said.get("cache_write") and said.get("input"):
        said.pop("cache_write", None)  # caches that fill themselves: their writes are input
    if not any(said.values()):
        return None  # nothing is free because a list says nothing of it
    if _is_of_another_form(entry, said) or not _add_long_context(entry, said, name, file):
        return None
    try:
        return ModelPrice.model_validate(said)
    except ValidationError as error:
        if not said or error.errors()[0]["type"] == "value_error":
            return None  # half a price
        raise _wrong(file, name, ".".join(map(str, error.errors()[0]["loc"])), error.errors()[0]["msg"]) from None


def _is_of_another_form(entry: Mapping[str, object], said: Mapping[str, object]) -> bool:
    reasoning = entry.get("output_cost_per_reasoning_token")
    apart = reasoning is not None and reasoning != entry.get("output_cost_per_token")
    by_length = entry.get("mode") == "chat" and bool(entry.get("input_cost_per_second"))
    return apart or by_length or bool(entry.get("tiered_pricing")) or (said.get("input") is None) != (said.get("output") is None)


def _add_long_context(entry: Mapping[str, object], said: dict[str, object], name: str, file: str) -> bool:
    """Adds the factors of long requests; False if they are not the same for all input."""
    for thousands in _LONG:
        more = f"_above_{thousands}k_tokens"
        factors = {theirs: _factor(entry, theirs, more, name, file) for theirs in list(_PER_MILLION)[:4]}
        known = {theirs: factor for theirs, factor in factors.items() if factor is not None}
        if not known:
            continue
        out = known.pop("output_cost_per_token", Decimal(1))
        if len(set(known.values())) > 1:
            return False
        into = next(iter(known.values()), Decimal(1))
        said["long_context"] = {"above": thousands * 1000, "input": into, "output": out}
    return True


def _factor(entry: Mapping[str, object], theirs: str, more: str, name: str, file: str) -> Decimal | None:
    usual, longer = _amount(entry, theirs, name, file), _amount(entry, theirs + more, name, file)
    return (longer / usual).quantize(Decimal("0.0001")).normalize() if usual and longer is not None else None


def _amount(entry: Mapping[str, object], key: str, name: str, file: str) -> Decimal | None:
    value = entry.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise _wrong(file, name, key, f"must be a number of dollars, 0 or more, not {value!r}"[:200])
    return Decimal(repr(value))


def _wrong(file: str, name: str, key: str, said: str) -> ConfigurationError:
    return ConfigurationError(f"{file}: {name}: {key}: {said}")


def left_out_told(imported: Imported) -> Iterable[str]:
    """What was left out, in words."""
    yield from (f"{count:,} of {why}" if why.startswith("other") else f"{count:,} with {why}" for why, count in imported.left_out.items())
    if imported.unread:
        names = ", ".join(imported.unread[:3]) + (", ..." if len(imported.unread) > 3 else "")
        yield f"{len(imported.unread):,} whose prices have a form that is not known here ({names})"
