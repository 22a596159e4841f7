"""Which parameters each hosted provider is asked for: what its documentation does not have is refused by name."""

from __future__ import annotations

import pytest

from gateway.adapters import adapter_of
from gateway.providers import PROVIDERS
from genlevel.runtime.settings import Api

ALL = {"seed", "presence_penalty", "frequency_penalty", "top_k", "logprobs", "reasoning_effort", "reasoning_tokens"}
# provider: what of these it takes not, and whether it holds an answer to a schema. Sources: gateway.adapters.chat_dialects
TAKES_NOT: list[tuple[str, set[str], bool]] = [
    ("openai", {"top_k", "reasoning_tokens"}, True),
    ("openrouter", set(), True),
    ("mistral", {"top_k", "logprobs", "reasoning_tokens"}, True),
    ("groq", {"presence_penalty", "frequency_penalty", "top_k", "logprobs", "reasoning_tokens"}, True),
    ("together", {"reasoning_tokens"}, True),
    ("deepseek", {"seed", "top_k", "reasoning_tokens"}, False),
    ("xai", {"top_k", "reasoning_tokens"}, True),
    ("fireworks", {"reasoning_tokens"}, True),
    ("cerebras", {"presence_penalty", "frequency_penalty", "top_k", "reasoning_tokens"}, True),
    ("perplexity", ALL - {"reasoning_effort"}, True),
    ("zai", ALL - {"reasoning_effort"}, False),
    ("moonshot", ALL - {"presence_penalty", "frequency_penalty"}, True),
    ("ollama", {"top_k", "reasoning_tokens"}, True),
    ("vllm", {"reasoning_tokens"}, True),
    ("compatible", {"reasoning_tokens"}, True),
]


@pytest.mark.parametrize(("name", "not_taken", "schema"), TAKES_NOT)
def test_a_provider_is_asked_for_what_it_takes(name: str, not_taken: set[str], *, schema: bool) -> None:
    capabilities = adapter_of(PROVIDERS[name], Api.CHAT).capabilities
    assert {parameter for parameter in ALL if not capabilities.takes(parameter)} == not_taken
    assert capabilities.response_schema is schema
    assert all(capabilities.takes(parameter) for parameter in ("temperature", "max_output_tokens", "top_p", "stop"))
