"""The options of a run that asks only until something is decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, TypeVar

import click

from genlevel.documents.decisions import AIMS, ALPHA, EPSILON
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev

Command = TypeVar("Command", bound=Callable[..., object])


class UntilOptions(TypedDict):
    """What ``until_options`` give a command."""

    until_decided: str | None
    epsilon: float | None
    alpha: float | None
    with_uncertifiable: bool


_UNTIL_OPTIONS = (
    click.option(
        "--until-decided",
        type=click.Choice(list(AIMS)),
        help="Ask only until it is decided what the full run would certify: which tasks are won, or which level is attained. The same "
        "command without it asks the rest.",
    ),
    click.option(
        "--epsilon",
        type=click.FloatRange(1e-9, 0.5, max_open=True),
        metavar="P",
        help=f"Of --until-decided: the chance, at most, that anything is decided otherwise than the full run would (default: {EPSILON:g}).",
    ),
    click.option(
        "--alpha",
        type=click.FloatRange(0, 0.5, min_open=True, max_open=True),
        metavar="P",
        help=f"Of --until-decided: the error of the certificate that is predicted (default: {ALPHA:g}).",
    ),
    click.option(
        "--with-uncertifiable", is_flag=True, help="With --until-decided: ask also all of the tasks of which nothing can be certified."
    ),
)


def until_options(command: Command) -> Command:
    """What a run is asked for, and with which errors. ``until_of`` takes them."""
    for option in reversed(_UNTIL_OPTIONS):
        command = option(command)
    return command


def until_of(options: UntilOptions, *, batch: bool | None) -> ev.UntilDecided | None:
    """What ``until_options`` were given, as a message; None: all is asked. Raises UsageError for options that do not go together."""
    aim = options["until_decided"]
    if aim is None:
        for name in ("epsilon", "alpha", "with_uncertifiable"):
            if options[name]:
                raise UsageError(f"--{name.replace('_', '-')} goes with --until-decided wins or --until-decided verdict")
        return None
    if batch:
        raise UsageError("--until-decided and --batch do not go together: each answer decides what is asked next, and a batch takes hours")
    return ev.UntilDecided(
        aim=AIMS[aim], epsilon=options["epsilon"] or 0.0, alpha=options["alpha"] or 0.0, with_uncertifiable=options["with_uncertifiable"]
    )
