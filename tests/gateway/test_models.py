"""The shipped tables of hosted models: whole, and as their providers state them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import gateway.models
from gateway.adapters import outputs_of
from gateway.models import UNKNOWN, ModelFacts, facts, known_models, providers_known
from gateway.pricing.prices import DatedPrice, Price, cost_nano_usd
from gateway.providers import PROVIDERS
from gateway.routes import MODALITIES
from genlevel.runtime.settings import Api
from genlevel.runtime.yaml_lines import YamlText
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

ALL = {f"{provider}/{name}": made for provider in providers_known() for name, made in known_models(provider).items()}


@pytest.mark.parametrize("provider", providers_known())
def test_a_table_is_a_providers_and_its_models_can_be_asked(provider: str) -> None:
    row = PROVIDERS[provider]
    assert row.implied
    assert known_models(provider)
    for name, made in known_models(provider).items():
        api = made.api or row.usual_api
        assert api in row.apis, name
        assert set(made.modalities) <= set(MODALITIES), name
        assert {MODALITIES[one] for one in made.makes} <= outputs_of(row, api) - {ct.MODALITY_UNSPECIFIED}, name
        assert bool(made.extra_output_tokens) == made.reasoning, name
        if ("text" in made.makes or not made.makes) and api is not Api.TRANSCRIPTION:
            assert made.context_tokens >= made.max_output_tokens, name
            assert made.context_tokens > 0, name


@pytest.mark.parametrize("provider", providers_known())
def test_nothing_in_a_table_is_written_twice(provider: str) -> None:
    file = Path(gateway.models.__file__).with_name("known_models") / f"{provider}.yaml"
    assert YamlText(file.read_text("utf-8"), file.name).data


def prices_of(made: ModelFacts) -> list[Price]:
    assert made.price is not None
    return [made.price.first, *([made.price.later] if made.price.later else [])]


@pytest.mark.parametrize("name", [name for name, made in ALL.items() if made.price])
def test_a_price_has_a_source_and_a_day_and_is_none_that_nobody_asks(name: str) -> None:
    made = ALL[name]
    assert made.price is not None
    assert "https://" in made.price.source
    assert date.fromisoformat(made.price.as_of) <= datetime.now(UTC).date()
    for price in prices_of(made):
        assert max(price.input, price.output, price.audio_output or 0, price.image_output or 0) <= 200, "US$ a million tokens"
        assert 0 < price.cache_read <= price.input or price.input == 0
        assert price.cache_write >= price.cache_read
        assert price.cache_write_hour is None or price.cache_write_hour == 2 * price.input, "as Anthropic asks"
        assert price.long_input >= 1
        assert price.long_output >= 1
        tokens = price.input and price.output
        pieces = price.per_image or price.per_second or price.per_input_second or price.characters
        assert tokens or pieces, "nothing is free"


def test_names_of_one_model_have_its_price() -> None:
    assert facts("openai", "gpt-4o-2024-08-06") is facts("openai", "gpt-4o")
    assert facts("openai", "gpt-4o-2024-05-13").price != facts("openai", "gpt-4o").price
    assert facts("openai", "gpt-4o-2031-01-01") is UNKNOWN
    assert facts("nobody", "gpt-4o") is UNKNOWN


def test_a_table_may_have_the_models_of_another_at_a_source_of_its_own() -> None:
    here, there = facts("vertex", "gemini-2.5-pro"), facts("gemini", "gemini-2.5-pro")
    assert here.price is not None
    assert there.price is not None
    assert here.price.first == there.price.first
    assert here.price.source != there.price.source
    assert here.context_tokens == there.context_tokens


def test_a_price_that_changes_is_the_one_of_the_day() -> None:
    before, after = (Price(Decimal(one), Decimal(one), Decimal(one), Decimal(one)) for one in (1, 2))
    dated = DatedPrice(before, changes_on=date(2027, 1, 1), later=after)
    assert dated.on(date(2026, 12, 31)) is before
    assert dated.on(date(2027, 1, 1)) is after
    assert DatedPrice(before).on(date(2027, 1, 1)) is before
    assert DatedPrice(before, changes_on=date(2000, 1, 1), later=after).now is after


# Counted by hand from each provider's page.
@pytest.mark.parametrize(
    ("name", "usage", "nano_usd"),
    [
        ("openai/gpt-4o", gw.Usage(input_tokens=800, cache_read_tokens=200, output_tokens=50), 800 * 2500 + 200 * 1250 + 50 * 10000),
        ("openai/gpt-5.6-sol", gw.Usage(input_tokens=272_001, output_tokens=10), 272_001 * 8000 + 10 * 30000),
        ("openai/gpt-5.6-sol", gw.Usage(input_tokens=272_000, output_tokens=10), 272_000 * 4000 + 10 * 20000),
        ("openai/tts-1", gw.Usage(details=gw.UsageDetails(input_characters=1000)), 15_000_000),
        (
            "anthropic/claude-opus-5-5",
            gw.Usage(
                input_tokens=10,
                cache_read_tokens=1000,
                cache_write_tokens=500,
                output_tokens=20,
                details=gw.UsageDetails(cache_write_hour_tokens=100),
            ),
            10 * 4000 + 1000 * 200 + 400 * 5000 + 100 * 8000 + 20 * 20000,
        ),
        ("anthropic/claude-haiku-5-5", gw.Usage(input_tokens=100_001, output_tokens=4), 100_001 * 500 + 4 * 2500),
        (
            "gemini/gemini-2.5-flash",  # 37 of text, 25 of sound, 4 of sound from the cache; thinking is output
            gw.Usage(
                input_tokens=62,
                cache_read_tokens=10,
                output_tokens=14,
                reasoning_tokens=6,
                details=gw.UsageDetails(input_audio_tokens=25, cache_read_audio_tokens=4),
            ),
            37 * 300 + 25 * 1000 + 6 * 30 + 4 * 100 + 20 * 2500,
        ),
        ("vertex/gemini-2.5-pro", gw.Usage(input_tokens=200_001, output_tokens=1), 200_001 * 2500 + 15_000),
        (
            "gemini/gemini-3-pro-image",
            gw.Usage(input_tokens=10, output_tokens=1130, details=gw.UsageDetails(output_image_tokens=1120)),
            10 * 2000 + 10 * 12_000 + 1120 * 120_000,
        ),
        ("xai/grok-4.3", gw.Usage(input_tokens=200_000, output_tokens=4), 200_000 * 2500 + 4 * 5000),
        ("xai/grok-4.3", gw.Usage(input_tokens=199_999, output_tokens=4), 199_999 * 1250 + 4 * 2500),
    ],
)
def test_calls_cost_what_the_provider_says(name: str, usage: gw.Usage, nano_usd: int) -> None:
    priced = ALL[name].price
    assert priced is not None
    assert cost_nano_usd(usage, priced.now) == nano_usd
