"""An option that takes one value and is given twice, or beside one that it excludes, is a mistake: one would win, and nobody would know."""

from __future__ import annotations

from typing import Any

import click


def refuse_repeated(command: click.Command) -> click.Command:
    """The command, which from now on takes an option with one value at most once, and one alone of those that set the same thing.

    Its subcommands likewise.
    """
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            refuse_repeated(inner)
    make_parser = command.make_parser

    def strict(ctx: click.Context) -> Any:
        parser = make_parser(ctx)
        parse = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            found = parse(args)
            seen: set[click.Parameter] = set()
            setters: dict[str | None, click.Parameter] = {}
            for param in found[2]:
                if (other := setters.setdefault(param.name, param)) is not param:
                    raise click.UsageError(f"{other.opts[0]} and {param.opts[0]} exclude each other; give one of them", ctx)
                if param in seen and isinstance(param, click.Option) and not (param.multiple or param.is_flag or param.count):
                    raise click.UsageError(f"{param.opts[0]} is given twice; it takes one value", ctx)
                seen.add(param)
            return found

        parser.parse_args = parse_args  # type: ignore[method-assign]
        return parser

    command.make_parser = strict  # type: ignore[method-assign]
    return command
