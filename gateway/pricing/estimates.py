"""What a call may have used whose provider does not say: a guess from lengths, which nobody bills by."""

from __future__ import annotations

from collections.abc import Iterable

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

BYTES_A_TOKEN = 4
"""Of UTF-8: English is near it, other scripts are below."""


def estimated(messages: Iterable[ct.Message], answer: Iterable[ct.Part]) -> gw.Usage:
    """Tokens of texts alone: what media took is not guessed.

    >>> said = [ct.Message(parts=[ct.Part(text="Capital of France?")])]
    >>> usage = estimated(said, [ct.Part(reasoning=ct.Reasoning(text="Well")), ct.Part(text="Paris")])
    >>> (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens)
    (5, 2, 1)
    """
    parts = list(answer)
    written = [part.tool_call.name + part.tool_call.arguments_json or part.text for part in parts]
    return gw.Usage(
        input_tokens=_tokens(part.text or part.tool_result.text for message in messages for part in message.parts),
        output_tokens=_tokens(written),
        reasoning_tokens=_tokens(part.reasoning.text for part in parts),
    )


def fill_in(usage: gw.Usage, messages: Iterable[ct.Message], answer: Iterable[ct.Part]) -> bool:
    """Estimates what a provider did not say of what went in, and of what came out; what it said stays. Returns whether anything lacked."""
    guess = estimated(messages, answer)
    lacks_input = not usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    lacks_output = not usage.output_tokens + usage.reasoning_tokens
    if lacks_input:
        usage.input_tokens = guess.input_tokens
    if lacks_output:
        usage.output_tokens, usage.reasoning_tokens = guess.output_tokens, guess.reasoning_tokens
    return lacks_input or lacks_output


def _tokens(texts: Iterable[str]) -> int:
    return -(-sum(len(text.encode()) for text in texts) // BYTES_A_TOKEN)
