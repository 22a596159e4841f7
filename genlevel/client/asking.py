"""What a program asks for, checked and as messages: which run it is, how fast it goes and how far."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypedDict

from genlevel.documents.decisions import AIMS
from genlevel.documents.words import NANO
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw

Dollars = Decimal | int | float | str
"""An amount in US dollars; as a decimal or a text it is exact."""

_MOST = 10**9
_MOST_TOKENS = 10**15
_WHOLE: Mapping[str, tuple[int, int]] = {
    "limit": (1, _MOST),
    "seed": (0, 2**63 - 1),
    "repeats": (1, 1000),
    "max_tokens": (1, _MOST),
    "reasoning_tokens": (0, _MOST),
    "concurrency": (1, 4096),
    "rpm": (1, _MOST),
    "tpm": (1, _MOST),
    "budget_tokens": (1, _MOST_TOKENS),
    "weight": (1, 100),
    "draws": (100, 100_000),
    "bootstrap": (0, 100_000),
    "reference_n": (0, _MOST),
    "ticks": (1, 10_000),
    "variant": (0, 2**32 - 1),
    "repeat": (0, 2**32 - 1),
    "shuffle": (0, 2**32 - 1),
    "position": (0, 2**32 - 1),
}
_REAL: Mapping[str, tuple[float, float]] = {"temperature": (0, 2), "top_p": (0, 1), "alpha": (0, 0.5), "epsilon": (1e-9, 0.5)}
_ONE_OF: Mapping[str, tuple[str, ...]] = {
    "against": ("published", "specialists"),
    "references": ("workbook", "appendix"),
    "order": ("task", "worst", "best", "cost", "slowest", "newest"),
    "of": ("question", "answer", "label"),
    "until_decided": tuple(AIMS),
}
_ELEMENTS: Mapping[str, tuple[str, ...]] = {"outcomes": ("answered", "refused", "unparsable", "failed", "unsupported")}
_TEXTS = frozenset(
    ("tasks", "reasoning_effort", "base_url", "api", "api_key_env", "judge", "model", "suite", "text", "name", "notes", "task", "instance")
)
_LISTS = frozenset(("droppable", "modalities", "tags", "untag", "beside", "status", "outcomes"))
_CHOICES = frozenset(("structured_output", "unpriced_ok", "batch", "interactive", "fresh", "with_uncertifiable"))


class Limits(TypedDict, total=False):
    """How fast a run goes and how far; what is not given is as configured, or as it was.

    Attributes:
        concurrency: calls in flight, 1 to 4096; found by the evaluator if it is not given.
        rpm: at most so many requests a minute.
        tpm: at most so many tokens a minute.
        budget_usd: no call is begun that could cost more US dollars than are left of this, earlier starts and the judge's calls included.
        budget_tokens: the same in tokens, in and out.
        weight: its part of the account beside other runs there, 1 to 100.
        interactive: its calls go first; other runs of the account keep a tenth.
    """

    concurrency: int
    rpm: int
    tpm: int
    budget_usd: Dollars
    budget_tokens: int
    weight: int
    interactive: bool


class Traffic(Limits, total=False):
    """``Limits``, and what else is no part of which run it is.

    Attributes:
        unpriced_ok: go on if the model's price is not known.
        judge: route of the model that rates answers if a task's metric needs a judge.
        batch: ask in batches, which providers answer within a day at about half the price.
    """

    unpriced_ok: bool
    judge: str
    batch: bool


class Until(TypedDict, total=False):
    """Of a run that is asked only until something is decided; no part of which run it is, and without it the same run asks the rest.

    Attributes:
        until_decided: ``wins`` (of each task, whether the full run would certify a win) or ``verdict`` (the highest level that it would).
        epsilon: the chance, at most, that anything is decided otherwise than the full run would; 0.01 if it is not given.
        alpha: the error of the certificate that is predicted, below 0.5; 0.05 if it is not given.
        with_uncertifiable: ask also all of the tasks of which nothing can be certified.
    """

    until_decided: str
    epsilon: float
    alpha: float
    with_uncertifiable: bool


class Asked(Traffic, Until, total=False):
    """``Traffic``, ``Until``, and what decides which run it is: the same again is the same run.

    Attributes:
        tasks: only tasks whose folder or name matches this glob; commas separate several.
        limit: instances per task, a seeded sample; all if it is not given.
        seed: of that sample, from 0.
        repeats: how often each instance is asked, 1 to 1000.
        temperature: 0 to 2; 0 if it is not given.
        max_tokens: output tokens per answer; by answer type if it is not given.
        reasoning_effort: how much the model is to think, in its provider's words.
        reasoning_tokens: the most tokens that it may think.
        top_p: 0 to 1.
        droppable: parameters to leave out if the model does not take them, such as ``seed``; others are refused.
        structured_output: False: ask for the answer's format in words alone.
        base_url: send the model's name, taken literally, to this OpenAI-compatible server; only of embedded services.
        api: which endpoint of base_url is asked: chat, images, speech, video, transcription.
        api_key_env: environment variable with the key for base_url.
        fresh: start over instead of continuing the same run.
    """

    tasks: str
    limit: int
    seed: int
    repeats: int
    temperature: float
    max_tokens: int
    reasoning_effort: str
    reasoning_tokens: int
    top_p: float
    droppable: Sequence[str]
    structured_output: bool
    base_url: str
    api: str
    api_key_env: str
    fresh: bool


def checked(kind: type[Limits], given: Mapping[str, object]) -> None:
    """Raises UsageError for what ``kind`` does not have, or a value that it cannot be; names it."""
    known = list(kind.__annotations__)
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise UsageError(f"{name} is not known here" + (f"; did you mean {near[0]}?" if near else f"; known are: {', '.join(known)}"))
        check(name, value)


def check_all(**given: object) -> None:
    """``check`` of several."""
    for name, value in given.items():
        check(name, value)


def check_list(name: str, value: object) -> None:
    """Raises UsageError if it is no list of texts, or of those that there are."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(map(_is_text, value)):
        hint = f", such as [{value!r}]" if isinstance(value, str) else f", not {_shown(value)}"
        raise UsageError(f"{name} must be a list of texts{hint}")
    known = _ELEMENTS.get(name, ())
    if known and (other := [one for one in value if one not in known]):
        raise UsageError(f"{name} must be of {', '.join(known)}, not {_shown(other[0])}")


def check(name: str, value: object) -> None:
    """Raises UsageError if an argument of this name cannot have the value."""
    if name in _WHOLE:
        low, high = _WHOLE[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise UsageError(f"{name} must be a whole number from {low:,} to {high:,}, not {_shown(value)}")
    elif name in _REAL:
        least, most = _REAL[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise UsageError(f"{name} must be a number from {least:g} to {most:g}, not {_shown(value)}")
    elif name in _ONE_OF and value not in _ONE_OF[name]:
        raise UsageError(f"{name} must be one of {', '.join(_ONE_OF[name])}, not {_shown(value)}")
    elif name in _CHOICES and not isinstance(value, bool):
        raise UsageError(f"{name} must be True or False, not {_shown(value)}")
    elif name in _TEXTS and not _is_text(value):
        raise UsageError(f"{name} must be text, not {_shown(value)}")
    elif name in _LISTS:
        check_list(name, value)
    elif name == "budget_usd":
        nano_dollars(value)


def specification_of(model: str, suite: str | Path, asked: Asked) -> ev.RunSpecification:
    """Which run is meant. Raises UsageError."""
    checked(Asked, asked)
    repeats, api = asked.get("repeats", 1), asked.get("api", "")
    return ev.RunSpecification(
        model=text_of("model", model),
        suite=text_of("suite", str(suite)),
        tasks=asked.get("tasks", ""),
        limit=asked.get("limit", 0),
        seed=asked.get("seed", 0),
        repeats=repeats if repeats > 1 else 0,
        base_url=asked.get("base_url", ""),
        api_key_env=asked.get("api_key_env", ""),
        api="" if api == "chat" else api,
        no_structured_output=not asked.get("structured_output", True),
        parameters=gw.GenerationParameters(
            temperature=asked.get("temperature"),
            max_output_tokens=asked.get("max_tokens"),
            reasoning_effort=asked.get("reasoning_effort", ""),
            reasoning_tokens=asked.get("reasoning_tokens"),
            top_p=asked.get("top_p"),
        ),
        droppable=asked.get("droppable", ()),
    )


def traffic_of(traffic: Traffic) -> ev.TrafficSettings:
    """How fast and how far, with what else is no part of a run; what is not given is not set. The values are checked before."""
    message = limits_of(traffic)
    message.unpriced_ok, message.judge = traffic.get("unpriced_ok", False), traffic.get("judge", "")
    if "batch" in traffic:
        message.batch = traffic["batch"]
    return message


def asked_traffic_of(asked: Asked) -> ev.TrafficSettings:
    """``traffic_of``, and until what is decided it asks. Raises UsageError for what does not go together. The values are checked before."""
    message = traffic_of(asked)
    if "until_decided" not in asked:
        if given := [name for name in ("epsilon", "alpha", "with_uncertifiable") if name in asked]:
            raise UsageError(f"{given[0]} goes with until_decided")
        return message
    if asked.get("batch"):
        raise UsageError("until_decided and batch do not go together: each answer decides what is asked next, and a batch takes hours")
    until = ev.UntilDecided(
        aim=AIMS[asked["until_decided"]],
        epsilon=asked.get("epsilon", 0.0),
        alpha=asked.get("alpha", 0.0),
        with_uncertifiable=asked.get("with_uncertifiable", False),
    )
    message.until_decided.CopyFrom(until)
    return message


def limits_of(limits: Limits) -> ev.TrafficSettings:
    """How fast and how far; what is not given is not set. The values are checked before."""
    return ev.TrafficSettings(
        concurrency=limits.get("concurrency", 0),
        requests_per_minute=limits.get("rpm", 0),
        tokens_per_minute=limits.get("tpm", 0),
        budget_nano_usd=nano_dollars(limits["budget_usd"]) if "budget_usd" in limits else None,
        budget_tokens=limits.get("budget_tokens"),
        weight=limits.get("weight", 0),
        interactive=limits.get("interactive"),
    )


def nano_dollars(amount: object) -> int:
    """An amount as whole nano-dollars. Raises UsageError for what is none.

    >>> nano_dollars("$0.25"), nano_dollars(1.5)
    (250000000, 1500000000)
    """
    try:
        exact = Decimal(str(amount).lstrip("$")) if not isinstance(amount, bool) else Decimal("nan")
    except InvalidOperation:
        exact = Decimal("nan")
    if not exact.is_finite() or not 0 <= exact <= _MOST:
        raise UsageError(f"budget_usd must be an amount in US dollars, not {_shown(amount)}")
    return int(exact * NANO)


def text_of(name: str, value: object) -> str:
    """A text that must be there. Raises UsageError that names the argument."""
    if not isinstance(value, str) or not _is_text(value) or not value.strip():
        raise UsageError(f"{name} must be text that says something, not {_shown(value)}")
    return value


def _is_text(value: object) -> bool:
    """Whether it is text that a message takes: half of a character, as odd names of files have, is none."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: object) -> str:
    said = repr(value)
    return said if len(said) <= 80 else f"{said[:77]}..."
