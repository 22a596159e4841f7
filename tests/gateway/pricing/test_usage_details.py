"""Parts of a usage that are billed apart, and bills that providers state, in the shapes of recorded answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pricing.prices import Price, cost_nano_usd
from gateway.pricing.usage_details import add_details, billed_nano_usd
from gateway.routes import Routes
from genlevel.runtime.settings import Account, ModelPrice, Route, Settings
from genlevel.v1 import gateway_pb2 as gw


def details_in(body: dict[str, Any], bill: str = "", **usage: int) -> gw.UsageDetails | None:
    read = gw.Usage(**usage)
    add_details(read, body, bill)
    return read.details if read.HasField("details") else None


def test_tokens_of_sound_are_told_by_openai() -> None:
    said = {"prompt_tokens_details": {"audio_tokens": 40}, "completion_tokens_details": {"audio_tokens": 9, "reasoning_tokens": 0}}
    found = details_in({"usage": said}, input_tokens=50, output_tokens=12)
    assert found == gw.UsageDetails(input_audio_tokens=40, output_audio_tokens=9)
    assert details_in({"usage": {"prompt_tokens_details": {"audio_tokens": 0}}}, input_tokens=5) == gw.UsageDetails()
    assert details_in({"usage": {"prompt_tokens": 5}}, input_tokens=5) is None, "it says nothing of sound"


def test_tokens_of_sound_and_pictures_are_told_by_gemini_with_those_of_its_cache() -> None:
    """As recorded: 321 of sound went in, 285 of them from the cache."""
    said = {
        "promptTokenCount": 3284,
        "cachedContentTokenCount": 2917,
        "cacheTokensDetails": [{"modality": "VIDEO", "tokenCount": 2570}, {"modality": "AUDIO", "tokenCount": 285}],
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 70}, {"modality": "AUDIO", "tokenCount": 321}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
    }
    found = details_in({"usageMetadata": said}, input_tokens=367, cache_read_tokens=2917, output_tokens=1300)
    assert found == gw.UsageDetails(input_audio_tokens=36, cache_read_audio_tokens=285, output_image_tokens=1290)


def test_an_hours_cache_is_told_by_anthropic() -> None:
    said = {"cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100}}
    assert details_in({"usage": said}, cache_write_tokens=248) == gw.UsageDetails(cache_write_hour_tokens=100)
    assert details_in({"usage": said}) is None


@pytest.mark.parametrize(
    ("said", "milliseconds"),
    [({"prompt_audio_seconds": 4}, 4000), ({"prompt_audio_seconds": None}, 0), ({"type": "duration", "seconds": 4.25}, 4250)],
)
def test_the_length_of_sound_that_went_in_is_told(said: dict[str, Any], milliseconds: int) -> None:
    assert details_in({"usage": said}) == gw.UsageDetails(input_milliseconds=milliseconds)


@pytest.mark.parametrize(
    ("said", "where", "nano_usd"),
    [
        ({"cost": 8.1e-05}, "cost", 81_000),
        ({"cost": 0}, "cost", 0),
        ({"cost": 1e-05, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.0002}}, "cost", 210_000),
        ({"cost": 1e-05, "is_byok": True}, "cost", None),
        ({"cost": {"total_cost": 0.00502}}, "cost.total_cost", 5_020_000),
        ({"cost_in_usd_ticks": 6306000}, "cost_in_usd_ticks", 630_600),
        ({"cost": "free"}, "cost", None),
        ({"cost": True}, "cost", None),
        ({"cost": float("nan")}, "cost", None),
        ({"cost": -1}, "cost", None),
        ({"cost": 1e9}, "cost", None),
        ({"cost": 0.1}, "cost.total_cost", None),
        ({}, "cost", None),
    ],
)
def test_what_a_provider_says_that_it_bills_is_read_or_it_is_no_bill(said: dict[str, Any], where: str, nano_usd: int | None) -> None:
    assert billed_nano_usd(said, where) == nano_usd


VALUES = st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats() | st.text(max_size=5)
ODD = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["audio_tokens", "modality"]), inner)
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "prompt_tokens_details",
                "promptTokensDetails",
                "cacheTokensDetails",
                "candidatesTokensDetails",
                "seconds",
                "cost",
                "cache_creation",
            ]
        ),
        ODD,
    )
)
def test_whatever_comes_no_part_is_more_than_its_bucket(said: dict[str, Any]) -> None:
    usage = gw.Usage(input_tokens=10, cache_read_tokens=7, cache_write_tokens=3, output_tokens=5)
    add_details(usage, {"usage": said}, "cost")
    found = usage.details
    assert found.input_audio_tokens + found.input_image_tokens <= 10
    assert found.output_audio_tokens + found.output_image_tokens <= 5
    assert found.cache_read_audio_tokens <= 7
    assert found.cache_write_hour_tokens <= 3
    assert found.billed_nano_usd >= 0


def test_a_cost_is_known_only_if_the_parts_that_have_a_price_of_their_own_are_told() -> None:
    price = Price.of(ModelPrice.model_validate({"input": "0.3", "output": "2.5", "audio_input": "1"}))
    told, silent = gw.Usage(input_tokens=9, details=gw.UsageDetails()), gw.Usage(input_tokens=9)
    assert price.is_known(told, tokens=True)
    assert not price.is_known(silent, tokens=True)
    assert Price.of(ModelPrice(input=Decimal(1), output=Decimal(1))).is_known(silent, tokens=True)
    assert cost_nano_usd(told, price) == 9 * 300


def test_only_the_provider_itself_is_believed_what_it_billed() -> None:
    accounts = {
        "own": Account(provider="openrouter"),
        "proxy": Account(provider="openrouter", base_url="https://proxy.example/v1", api_key_env="K"),
    }
    routes = Routes(Settings(accounts=accounts, routes={name: Route(account=name, model="m") for name in accounts}))
    assert [routes.resolve(name).bill for name in (*accounts, "xai/grok-4.3", "openai/gpt-4o")] == ["cost", "", "cost_in_usd_ticks", ""]
