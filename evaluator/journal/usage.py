"""What calls used, in disjoint buckets. The buckets are listed here alone, in the order and by the names of the contract's Usage."""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import add, attrgetter, sub


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, pictures, and milliseconds of video or sound. No token is in two buckets."""

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
        return sum(_tokens(self))

    def __add__(self, other: Usage) -> Usage:
        return Usage(*map(add, _values(self), _values(other)))

    def __sub__(self, other: Usage) -> Usage:
        return Usage(*map(sub, _values(self), _values(other)))


BUCKETS = tuple(bucket.name for bucket in fields(Usage))
TOKEN_BUCKETS = tuple(name for name in BUCKETS if name.endswith("_tokens"))

_values = attrgetter(*BUCKETS)
_tokens = attrgetter(*TOKEN_BUCKETS)
