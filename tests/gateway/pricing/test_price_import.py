"""LiteLLM's list read as prices of ours: exact, nothing twice, and what cannot be read is left out by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pricing.price_import import is_litellms, left_out_told, litellm_prices
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.settings import LongContext, ModelPrice


def read(name: str = "gpt-x", provider: str = "openai", mode: str = "chat", **said: Any) -> dict[str, ModelPrice]:
    return dict(litellm_prices({name: {"litellm_provider": provider, "mode": mode, **said}}, "list.json").prices)


def amounts(into: float, out: float) -> dict[str, float]:
    return {"input_cost_per_token": into, "output_cost_per_token": out}


def decimals(**fields: str) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in fields.items()}


def test_amounts_for_a_token_become_exact_amounts_for_a_million() -> None:
    found = read(
        input_cost_per_token=7.5e-08,
        output_cost_per_token=3e-07,
        cache_read_input_token_cost=1.875e-08,
        cache_creation_input_token_cost=9.375e-08,
        cache_creation_input_token_cost_above_1hr=1.5e-07,
        input_cost_per_audio_token=7e-07,
        input_cost_per_token_above_200k_tokens=1.5e-07,
        output_cost_per_token_above_200k_tokens=4.5e-07,
        cache_read_input_token_cost_above_200k_tokens=3.75e-08,
        max_tokens=4,
        supports_vision=True,
    )
    expected = decimals(
        input="0.075", output="0.3", cache_read="0.01875", cache_write="0.09375", cache_write_hour="0.15", audio_input="0.7"
    )
    assert found == {
        "openai/gpt-x": ModelPrice(**expected, long_context=LongContext(above=200_000, input=Decimal(2), output=Decimal("1.5")))
    }


@pytest.mark.parametrize(
    ("name", "provider", "ours"),
    [
        ("gemini/gemini-x", "gemini", "gemini/gemini-x"),
        ("vertex_ai/gemini-x", "vertex_ai", "vertex/gemini-x"),
        ("gemini-x", "vertex_ai-language-models", "vertex/gemini-x"),
        ("groq/openai/gpt-oss", "groq", "groq/openai/gpt-oss"),
        ("us.anthropic.claude-x-v1:0", "bedrock_converse", "bedrock/us.anthropic.claude-x-v1:0"),
        ("together_ai/Qwen/Q", "together_ai", "together/Qwen/Q"),
        ("command-x", "cohere_chat", "cohere/command-x"),
    ],
)
def test_names_become_ours(name: str, provider: str, ours: str) -> None:
    assert list(read(name, provider, input_cost_per_token=1e-06, output_cost_per_token=1e-06)) == [ours]


@pytest.mark.parametrize(
    ("mode", "said", "price"),
    [
        ("audio_transcription", {"input_cost_per_second": 0.0001, "output_cost_per_second": 0.0001}, decimals(per_input_second="0.0001")),
        ("audio_speech", {"input_cost_per_character": 1.5e-05}, decimals(characters="15")),
        ("video_generation", {"output_cost_per_second": 0.4}, decimals(per_second="0.4")),
        ("image_generation", {"output_cost_per_image": 0.04}, decimals(per_image="0.04")),
        (
            "image_generation",
            {"input_cost_per_token": 5e-06, "input_cost_per_image_token": 8e-06, "output_cost_per_image_token": 3e-05},
            decimals(input="5", image_input="8", output="30"),
        ),
        (
            "image_generation",
            {**amounts(2e-06, 1.2e-05), "output_cost_per_image_token": 0.00012, "output_cost_per_image": 0.134},
            decimals(input="2", output="12", image_output="120"),
        ),
        (
            "chat",
            {**amounts(1e-06, 2e-06), "input_cost_per_audio_token": 1e-06, "cache_creation_input_token_cost": 0.0},
            decimals(input="1", output="2"),
        ),
    ],
)
def test_what_is_made_is_priced_once(mode: str, said: dict[str, float], price: dict[str, Decimal]) -> None:
    assert read(mode=mode, **said) == {"openai/gpt-x": ModelPrice(**price)}


@pytest.mark.parametrize(
    "said",
    [
        {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06, "tiered_pricing": [{}]},
        {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06, "output_cost_per_reasoning_token": 3e-06},
        {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06, "input_cost_per_second": 1e-06},
        {"input_cost_per_token": 1e-06},
        {"input_cost_per_pixel": 1e-06},
        {
            "input_cost_per_token": 1e-06,
            "output_cost_per_token": 2e-06,
            "cache_read_input_token_cost": 1e-07,
            "input_cost_per_token_above_200k_tokens": 2e-06,
            "cache_read_input_token_cost_above_200k_tokens": 3e-07,
        },
    ],
)
def test_a_price_of_another_form_is_left_out_by_name(said: dict[str, Any]) -> None:
    found = litellm_prices({"gpt-x": {"litellm_provider": "openai", "mode": "chat", **said}}, "list.json")
    assert not found.prices
    assert found.unread == ("gpt-x",)


def test_what_is_left_out_is_counted() -> None:
    free = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}
    document = {
        "sample_spec": {"litellm_provider": "one of them"},
        "a": {"litellm_provider": "nobody", "mode": "chat"},
        "b": {"litellm_provider": "openai", "mode": "embedding"},
        "low/1024-x-1024/c": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_image": 0.01},
        "d": {"litellm_provider": "openai", "mode": "chat", **free},
        "e": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_pixel": 1e-9},
    }
    told = list(left_out_told(litellm_prices(document, "list.json")))
    assert told == ["1 of other providers", "2 of other uses", "1 with no price", "1 whose prices have a form that is not known here (e)"]
    assert is_litellms(document)
    assert not is_litellms({"prices": {"openai/x": {"input": 1}}})
    assert not is_litellms([])


@pytest.mark.parametrize("amount", [-1e-06, "1e-06", True, float("inf"), float("nan")])
def test_an_amount_that_is_none_is_refused_with_file_entry_and_field(amount: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^list\.json: gpt-x: input_cost_per_token: must be a number of dollars, 0 or more, not "):
        read(input_cost_per_token=amount, output_cost_per_token=1e-06)
    with pytest.raises(ConfigurationError, match=r"^list\.json: gpt-x: input: .*less than or equal to 100000"):
        read(input_cost_per_token=1.0, output_cost_per_token=1e-06)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_floats_that_are_meant_as_decimals_come_out_as_these(into: int, out: int) -> None:
    found = read(input_cost_per_token=float(f"{into}e-9"), output_cost_per_token=float(f"{out}e-9"))["openai/gpt-x"]
    assert (found.input, found.output) == (Decimal(into) / 1000, Decimal(out) / 1000)
