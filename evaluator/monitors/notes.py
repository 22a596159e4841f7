"""What is kept of a monitor beside its detectors: since when each check looks, and what its provider is known to call its models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace

import orjson


@dataclass(frozen=True, slots=True)
class Notes:
    """began: by a check's name the tick after which it began anew; a check that is not named began with the baseline.

    models, fingerprints: names that answers of the baseline and of ticks had. metrics: id of each watched task's metric, by its key.
    tick_cost: of the last tick that was complete, at most, in nano-dollars; 0 = not known.
    """

    began: Mapping[str, int] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)
    tick_cost: int = 0

    @classmethod
    def of(cls, text: str) -> Notes:
        """As it is stored."""
        stored = orjson.loads(text)
        return cls(**{**stored, **{kind: tuple(stored.get(kind, ())) for kind in ("models", "fingerprints")}})

    def text(self) -> str:
        """For the store."""
        return orjson.dumps(asdict(self)).decode()

    def anew(self, checks: Iterable[str], tick: int) -> Notes:
        """These checks begin anew after a tick."""
        return replace(self, began={**self.began, **dict.fromkeys(checks, tick)})

    def with_names(self, models: Iterable[str], fingerprints: Iterable[str]) -> Notes:
        """With further names."""
        return replace(self, models=_joined(self.models, models), fingerprints=_joined(self.fingerprints, fingerprints))


_MOST_NAMES = 200


def _joined(known: tuple[str, ...], further: Iterable[str]) -> tuple[str, ...]:
    return (*known, *sorted(set(further) - set(known)))[-_MOST_NAMES:]
