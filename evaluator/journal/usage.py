"""What calls used, in disjoint buckets. The buckets are listed here alone, in the order and by the names of the contract's Usage."""

from __future__ import annotations

from operator import add, sub
from typing import NamedTuple


class Usage(NamedTuple):
    """Tokens, pictures, and milliseconds of video or sound. No token is in two buckets. Adds bucket by bucket."""

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    output_images: int = 0
    output_milliseconds: int = 0

    @property
    def tokens(self) -> int:
        """All tokens, in and out."""
        return sum(self[:_TOKENS])

    def __add__(self, other: Usage) -> Usage:  # type: ignore[override]
        return Usage(*map(add, self, other))

    def __sub__(self, other: Usage) -> Usage:
        return Usage(*map(sub, self, other))


BUCKETS = Usage._fields
TOKEN_BUCKETS = tuple(name for name in BUCKETS if name.endswith("_tokens"))
NO_USAGE = Usage()

_TOKENS = len(TOKEN_BUCKETS)
