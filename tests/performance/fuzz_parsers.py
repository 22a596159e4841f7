"""A fuzz of the answer parsers: 10,000 answers, hostile and merely careless, of every type; then time and memory by length.

    python tests/performance/fuzz_parsers.py [--cases 10000] [--seed 0]

Cases are right answers in the ways that models write them (bare, fenced, in prose, in Python's spelling, held to a schema), then broken:
cut off, with pieces doubled, dropped, moved or replaced by marks and odd characters, nested deeply, repeated, with impossible numbers; and
texts of nothing but such pieces. Prints for each type how many were read, the slowest, and the peak of memory allocated by one; then how
long texts of one repeated piece take at four lengths. Exit code 1: a parser raised, gave what is not plain JSON in normal form, took over
5 s or over 500 MiB for one answer, or longer texts took over three times as long as their length accounts for.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import runpy
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape
from genlevel.benchmark.forms import normal_form
from scorer.parsers import Box, Structured, Unparsable, parse_answer

OPTIONS = ("dry", "wet", "A man walks")
MOST_S = 5.0
MOST_MIB = 500.0
LENGTHS = (50_000, 100_000, 200_000, 400_000)

EXAMPLES = runpy.run_path(str(Path(__file__).parents[1] / "fixtures" / "right_answers.py"))
# What no schema lets through, but parsers may meet.
ODD: dict[str, list[object]] = {
    "boxes": [[{"label": "cat", "box": [1, 2, 3.5, 4], "score": 0.5}]],
    "masks": [[{"label": "dog", "mask": {"size": [4, 5], "counts": [3, 7, 10]}}, {"label": "", "mask": {"file": "/etc/passwd"}}]],
    "keypoints": [[{"label": "person", "points": [[1, 2, 2]] * 17, "score": 0.9, "box": [1, 2, 3, 4], "area": 12.0}]],
}
PIECES = [
    *"[]{}(),:;\"'`\\/-=>|.*_#<%\n\t 019eE+",
    *(
        "```",
        "```json\n",
        "```python\n",
        "Answer:",
        "**Answer:**",
        "\\boxed{",
        "<think>",
        "</think>",
        "[THINK]",
        "◁/think▷",
        "<answer>",
        "</answer>",
        "<|im_end|>",
        '{"answer": ',
        "null",
        "NaN",
        "1e999",
    ),
    *(
        "True",
        "None",
        "=>",
        " - ",
        "->",
        "→",
        "9" * 400,
        "-" * 50,
        '"label"',
        '"box"',
        '"mask"',
        '"counts"',
        '"size"',
        '"frame"',
        '"points"',
    ),
    *(
        "A",
        "B.",
        "(C)",
        "答案：",
        "I choose ",
        " or ",
        " is correct",
        "I cannot say",
        "the answer is ",
        "½",
        "10³",
        "−",
        "\\frac{1}{2}",
        " million",
        "Ｂ",
        "１２",
        "\x00",
        "\ud83d",
        "\U0001f600",
        "\u202e",
        "é",
        "[[1,2,3,4]]",
        "[1e308,1e308]",
        "99999999999999999999",
    ),
    *(
        '{"size":[99999,99999],"counts":[1]}',
        '{"size":[8000,8000],"counts":[64000000]}',
        '{"999999999":[1,2,3,4]}',
        '{"file":"/etc/passwd"}',
    ),
]
UNITS = (
    "[",
    "{",
    '["',
    "['",
    "[x",
    '["\\',
    "[1,",
    '{"a":',
    "[[1,2],",
    "],[",
    "}{",
    "1,",
    "1 ",
    "1/",
    "a ",
    "(a => ",
    "a -> ",
    "- a - ",
    "-=",
    "->",
)
UNITS += (
    "```",
    "```\n",
    "```a",
    "Answer: ",
    "answer",
    "<think>",
    "</think>",
    "\\boxed{",
    '"',
    "'",
    '\\"',
    "\\'",
    ",",
    "[1,2,3,4],",
    "\n",
    " ",
    "**",
    "A ",
    "B. wet\n",
)
UNITS += (
    "1½",
    "1,111",
    "= 1 ",
    "because 1 ",
    "(1 or ",
    "answer is 1 ",
    "A or ",
    "I choose A ",
    "A is correct ",
    "</s>",
    "<answer>",
    "no a is ",
)


def written(kind: str, generator: random.Random) -> str:
    """A right answer of the type, as a model may write it."""
    value = generator.choice([*EXAMPLES["right_answers"](kind), *ODD.get(kind, ())])
    text = value if isinstance(value, str) else json.dumps(value, indent=generator.choice([None, None, 1]))
    ways = [
        lambda: text,
        lambda: json.dumps({"answer": value}),
        lambda: f"Let me see [1].\n```json\n{text}\n```\nThat is it.",
        lambda: f"<think>{text} or not</think>\nAnswer: {text}",
        lambda: f"I found {text}, and that is all.",
        lambda: repr(value),
        lambda: f"```\n{text}",
    ]
    return generator.choice(ways)()


def broken(text: str, generator: random.Random) -> str:
    """The text after up to six mishaps."""
    for _mishap in range(generator.randrange(7)):
        start = generator.randrange(len(text) + 1)
        end = min(len(text), start + generator.choice([0, 1, 3, 20]))
        match generator.randrange(7):
            case 0:
                text = text[:start]
            case 1:
                text = text[:start] + generator.choice(PIECES) + text[end:]
            case 2:
                text = text[:start] + text[start:end] * generator.choice([2, 3, 200]) + text[end:]
            case 3:
                text = text[:start] + text[end:]
            case 4:
                text = text[start:] + text[:start]
            case 5:
                text = generator.choice("[{(") * generator.choice([1, 5, 3_000]) + text
            case 6:
                text = text[:start] + "".join(generator.choice(PIECES) for _piece in range(generator.randrange(30))) + text[end:]
    return text[:400_000]


def case(number: int, seed: int) -> tuple[str, str]:
    """(answer type, text) of one case; the same for the same numbers."""
    generator = random.Random(f"{seed}:{number}")
    kinds = [kind.value for kind in AnswerType]
    kind = generator.choice(kinds)
    if generator.random() < 0.2:
        return kind, "".join(generator.choice(PIECES) for _piece in range(generator.randrange(1, 400)))
    # Often in the words of another type: models mistake what is asked.
    return kind, broken(written(kind if generator.random() < 0.8 else generator.choice(kinds), generator), generator)


def check(kind: str, text: str) -> bool:
    """Whether an answer is read. Raises AssertionError, or what the parser raises, where it breaks its promise."""
    found = parse_answer(kind, text, OPTIONS)
    if isinstance(found, Unparsable):
        assert found.reason, "a reason is given"
        assert "\n" not in found.reason, "the reason is one line"
        assert len(found.reason) < 600, "the reason is short"
        return False
    shape = KINDS[AnswerType(kind)].shape
    match found:
        case Structured():
            written_out = json.dumps(found.value, allow_nan=False)
            assert "/etc/passwd" not in written_out or '{"file": "/etc/passwd"}' not in written_out, "no file is named"
            if kind != "structure":
                assert normal_form(kind, found.value) == found.value, "the normal form is its own"
        case str():
            assert shape in (Shape.LETTER, Shape.TEXT)
        case float():
            assert shape is Shape.NUMBER
            assert math.isfinite(found), "a number is finite"
        case tuple():
            assert all(isinstance(part, Box if shape is Shape.BOXES else str) for part in found)
    return True


def fuzz(cases: int, seed: int, *, say: bool = True) -> list[str]:
    """Runs the cases; returns what went wrong, a line each."""
    failures: list[str] = []
    counts: Counter[str] = Counter()
    read: Counter[str] = Counter()
    slowest: dict[str, float] = {}
    peak = 0
    started = time.perf_counter()
    tracemalloc.start()
    for number in range(cases):
        kind, text = case(number, seed)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        begun = time.process_time()
        try:
            read[kind] += check(kind, text)
        except Exception as error:
            failures.append(f"case {number} (seed {seed}, {kind}): {type(error).__name__}: {str(error)[:200]}")
        took = time.process_time() - begun
        used = tracemalloc.get_traced_memory()[1] - before
        peak = max(peak, used)
        counts[kind] += 1
        slowest[kind] = max(slowest.get(kind, 0.0), took)
        if took > MOST_S or used > MOST_MIB * 2**20:
            failures.append(f"case {number} (seed {seed}, {kind}): {took:.1f} s and {used / 2**20:.0f} MiB for {len(text)} characters")
    tracemalloc.stop()
    if say:
        print(f"{cases:,} cases, seed {seed}, in {time.perf_counter() - started:.0f} s (memory traced): {len(failures)} failures")
        for kind in sorted(counts):
            print(f"  {kind:11} {counts[kind]:5,} cases, {read[kind]:5,} read, slowest {1000 * slowest[kind]:7.1f} ms")
        print(f"  most memory allocated for one answer: {peak / 2**20:.1f} MiB")
    return failures


def lengths(*, say: bool = True) -> list[str]:
    """Times texts of one repeated piece; returns those that take longer than their length accounts for."""
    failures: list[str] = []
    worst: tuple[float, str] = (0.0, "")
    per_length = dict.fromkeys(LENGTHS, 0.0)
    for kind in (kind.value for kind in AnswerType):
        for unit in UNITS:
            times = []
            for length in LENGTHS:
                text = unit * (length // len(unit))
                begun = time.process_time()
                parse_answer(kind, text, OPTIONS)
                times.append(time.process_time() - begun)
                per_length[length] = max(per_length[length], times[-1])
            worst = max(worst, (times[-1], f"{kind} of {unit!r}"))
            # Eight times the length; short times are noise.
            if times[-1] > max(0.5, 3 * 8 * times[0]) or times[-1] > MOST_S:
                failures.append(f"{kind}: {unit!r} takes {', '.join(f'{took:.2f}' for took in times)} s at {LENGTHS} characters")
    if say:
        print(f"texts of one repeated piece ({len(UNITS)} pieces, {len(AnswerType)} types), the slowest at each length:")
        print("  " + ", ".join(f"{length:,}: {took:.2f} s" for length, took in per_length.items()) + f"; at the longest {worst[1]}")
    return failures


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failures = [*fuzz(options.cases, options.seed), *lengths()]
    for failure in failures[:50]:
        print(f"FAILED {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
