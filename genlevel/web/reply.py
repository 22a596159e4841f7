"""What a form that was posted is answered with, beside its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reply:
    """form: its name. errors: a line for each field that cannot be taken; "" stands for the form. typed: as written. notes: to be known."""

    form: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
