"""Examples of docstrings as they are run: those of both clients, whose lines may await."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import inspect
import io
from collections.abc import Iterator


def public(*kinds: type) -> Iterator[tuple[str, str]]:
    """(name, docstring) of these classes and all of their public methods."""
    for kind in kinds:
        yield kind.__name__, kind.__doc__ or ""
        for name, member in inspect.getmembers(kind):
            if not name.startswith("_") and (callable(member) or isinstance(member, property)):
                yield f"{kind.__name__}.{name}", inspect.getdoc(member) or ""


def run(text: str, names: dict[str, object], runner: asyncio.Runner) -> int:
    """Runs the examples of a docstring, one after the other. Returns how many there are. Raises AssertionError if one is not true."""
    examples = doctest.DocTestParser().get_examples(text)
    for example in examples:
        code = compile(example.source, "example", "single", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            done = eval(code, names)
            if inspect.iscoroutine(done):
                runner.run(done)
        assert doctest.OutputChecker().check_output(example.want, said.getvalue(), 0), (example.source, said.getvalue())
    return len(examples)
