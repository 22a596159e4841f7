"""Checks the sizes of the code: files and functions that can be read at once, and types that say something.

    python deploy/check/house.py

Tests and generated code are left out.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("genlevel", "gateway", "evaluator", "scorer", "deploy", "scripts")
GENERATED = ROOT / "genlevel" / "v1"
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
MOST_LINES_WITH_ANY = 450
_ANY = re.compile(r"\bAny\b")


def main() -> int:
    """Returns the process's exit code: 0 if all sizes are kept."""
    problems: list[str] = []
    with_any = 0
    for file in files():
        text = file.read_text("utf-8")
        lines = text.splitlines()
        shown = file.relative_to(ROOT)
        with_any += sum(1 for line in lines if _ANY.search(line))
        if len(lines) > MOST_LINES_OF_A_FILE:
            problems.append(f"{shown}: {len(lines)} lines; split it by concept ({MOST_LINES_OF_A_FILE} at most)")
        problems += [
            f"{shown}:{line}: {name} has {length} lines; take a step out of it ({MOST_LINES_OF_A_FUNCTION} at most)"
            for name, line, length in functions(text)
            if length > MOST_LINES_OF_A_FUNCTION
        ]
    if with_any > MOST_LINES_WITH_ANY:
        problems.append(f"{with_any} lines have the type Any; say what it is, or object ({MOST_LINES_WITH_ANY} at most)")
    print("\n".join(problems) or f"sizes are kept; {with_any} lines have the type Any")
    return 1 if problems else 0


def files() -> list[Path]:
    """The Python files that people write, tests aside."""
    found = (file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py")))
    return [file for file in found if GENERATED not in file.parents]


def functions(text: str) -> Iterator[tuple[str, int, int]]:
    """(name, first line, number of lines) of every function, decorators aside."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


if __name__ == "__main__":
    sys.exit(main())
