"""Templates: Jinja2 that escapes everything, with the house's words for numbers, amounts, times and texts of models.

A text that a model, a dataset or a person wrote goes through ``text``: what could turn its direction around or is no character at all is
shown as \\u202e and the like. Nothing of theirs is ever marked as safe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from genlevel.documents import words
from genlevel.views.answers.texts import calm
from genlevel.views.styles import shared_style
from genlevel.views.table import Cell, Column


def make_environment(*packages: str) -> Environment:
    """An environment over the templates of these packages, then those that all share (genlevel.views)."""
    loaders = [PackageLoader(package, "templates") for package in (*packages, "genlevel.views")]
    made = Environment(
        loader=ChoiceLoader(loaders), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )
    made.filters.update(
        text=text,
        line=line,
        number=_dashed(words.number),
        signed=words.signed,
        span=_dashed(words.span),
        p_value=_dashed(words.p_value),
        short=words.short,
        size=words.size,
        money=words.money,
        duration=words.duration,
        day=day,
        moment=moment,
        clock=clock,
        minute=minute,
        cell=cell,
        capital=capital,
        coded=coded,
        asked_told=words.asked_told,
        cost=cost,
        picture=picture,
    )
    made.globals["shared_style"] = lambda: Markup(shared_style())
    shared = vars(made.get_template("parts.html").module)  # part of a page that is drawn alone knows them, too
    made.globals.update({name: macro for name, macro in shared.items() if not name.startswith("_")})
    return made


def text(value: str) -> str:
    """A text that somebody else wrote, whole."""
    return words.harmless(calm(value))


def line(value: str, longest: int = 200) -> str:
    """A text that somebody else wrote as one line of at most so many characters."""
    return words.one_line(calm(value[: 4 * longest]), longest)


def _dashed(say: Callable[..., str]) -> Callable[..., str]:
    """Words for a value, and for None the dash that tables of pages have."""
    return lambda value, *further: "–" if value is None else say(value, *further)


def picture(svg: str) -> Markup:
    """A picture of genlevel.views.figures, which escape what they are given."""
    return Markup(svg)


def cell(value: Cell, column: Column) -> str:
    """What a page shows of a cell."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return words.number(value, 2 if column.digits is None else column.digits)
        case _:
            return words.harmless(value)


def capital(line: str) -> str:
    """A line that begins a sentence."""
    return line[:1].upper() + line[1:].removesuffix(".")


def coded(line: str) -> Markup:
    """A line of ours in which commands stand between backticks."""
    parts = [Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(line.split("`"))]
    return Markup("").join(parts)


def cost(usage: Mapping[str, Any]) -> str:
    """The "usage" of a result in words: exactly, or within which bounds."""
    return words.cost_told(usage["usd"], usage["most_usd"], usage["unknown_calls"])


def moment(seconds: float) -> str:
    """Unix seconds as 2026-11-29 08:15 UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def clock(seconds: float) -> str:
    """Unix seconds as 08:15:30 UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S UTC")


def minute(time: str | None) -> str:
    """A time of a document, to the minute, in UTC; a dash for None.

    >>> minute("2026-11-29T08:15:30.5Z")
    '2026-11-29 08:15'
    """
    return "–" if time is None else time[:16].replace("T", " ")


def day(seconds: float) -> str:
    """Unix seconds as 2026-11-29."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: a, b and c."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
