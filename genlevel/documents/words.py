"""Numbers, amounts and times in words, and texts of models made harmless."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genlevel.runtime.shown import cut

NANO = 1_000_000_000
"""Nano-dollars in a dollar."""
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What could rewrite the screen, turn the direction of a text around, or be no character at all."""


def number(value: float | None, digits: int = 2) -> str:
    """A value; a dash for None. A value that so few digits would show as 0 gets three significant ones."""
    if value is None:
        return "-"
    value += 0.0  # 0 without a sign
    return f"{value:.3g}" if 0 < abs(value) < 10 ** (1 - digits) else f"{value:.{digits}f}"


def signed(value: float) -> str:
    """A difference, with its sign."""
    return f"{'+' if value >= 0 else ''}{number(value)}"


def span(ends: Sequence[float] | None) -> str:
    """An interval; a dash for None."""
    return "-" if ends is None else f"{number(ends[0])} to {number(ends[1])}"


def p_value(value: float | None) -> str:
    """A p-value with two significant digits; a dash for None."""
    return "-" if value is None else f"{value:.2g}"


def short(count: int) -> str:
    """1234567 as 1.2M."""
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:.1f}{letter}"
    return str(count)


def money(nano_usd: int) -> str:
    """Dollars, with as many digits as matter."""
    dollars = nano_usd / NANO
    return f"${dollars:,.2f}" if dollars >= 1 or not dollars else f"${dollars:.4g}"


def cost_told(usd: float | None, most_usd: float | None, unknown_calls: int) -> str:
    """What calls cost, in words: exactly, or within which bounds.

    usd: what is known of it; None: no price, or nothing is known. most_usd: None: nobody can tell. unknown_calls: calls of unknown cost.
    """
    if usd is None and most_usd is None:
        return "cost unknown (no price, or the provider did not say what was used)" if unknown_calls else "cost unknown (no price)"
    known = f"${usd or 0:.4f}"
    if not unknown_calls or most_usd == (usd or 0):  # such as calls of a model that is free
        return known
    most = "unknown" if most_usd is None else f"${most_usd:.4f}"
    calls = "1 call is" if unknown_calls == 1 else f"{unknown_calls:,} calls is"
    return f"at least {known}, at most {most} (the cost of {calls} unknown)"


def cost_short(usd: float | None, most_usd: float | None, unknown_calls: int) -> str:
    """The same in short, in US dollars: an amount, two bounds, or what is not known; a dash for what has no price."""
    if usd is None and most_usd is None:
        return "unknown" if unknown_calls else "-"
    exact = f"{usd or 0:.4f}"
    if not unknown_calls or most_usd == (usd or 0):  # such as calls of a model that is free
        return exact
    return f"{exact} to {most_usd:.4f}" if most_usd is not None else f"at least {exact}"


def duration(seconds: float) -> str:
    """90 as 1 min 30 s."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: int) -> str:
    """So many bytes, in their largest unit.

    >>> size(900), size(1536), size(5 << 30)
    ('900 bytes', '1.5 KiB', '5.0 GiB')
    """
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count >= 1 << shift:
            return f"{count / (1 << shift):,.1f} {unit}"
    return f"{count:,} byte{'' if count == 1 else 's'}"


def passed(seconds: float) -> str:
    """How long ago something was, in its largest unit.

    >>> passed(59), passed(7200), passed(86400 * 3.5)
    ('59 s', '2 h', '3 d')
    """
    whole = max(0, int(seconds))
    size, unit = next((size, unit) for size, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")) if whole >= size or size == 1)
    return f"{whole // size} {unit}"


def harmless(text: str) -> str:
    """A text of a model or a dataset for a terminal: control characters, which could rewrite the screen, as \\x1b and the like."""
    return _CONTROLS.sub(_escaped, text.replace("\r\n", "\n"))


def one_line(text: str, longest: int = 200) -> str:
    """A text of a model or a dataset as one line of at most so many characters, its white space as single blanks."""
    return cut(harmless(" ".join(text[: 4 * longest].split())), longest)


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def asked_told(total: int, repeats: int) -> str:
    """How many instances are asked, and how often if more than once. total: the answers asked for."""
    return f"{total // repeats:,} instances, {repeats} times each" if repeats > 1 else f"{total:,} instances"
