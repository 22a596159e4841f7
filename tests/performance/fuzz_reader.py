"""Reads hostile copies of General-Bench, labels, answers and archives: how long, how much memory, and what came out.

    python tests/performance/fuzz_reader.py [cases] [seed]

A case is a task folder (damaged JSON, wrong types, labels of every form, paths that climb, deep nesting), one label or answer, or a zip
archive (climbing names, links, bombs, damage). It may end in instances, in problems of one line, or in one error of one line; what is
read must stay in the folder. Exits with 1 where anything else happened, or where a case took longer than MOST_SECONDS.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import stat
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.forms import normal_form
from genlevel.benchmark.model import Modality
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import DatasetError
from scorer.parsers import parse_answer

CASES = 10_000
MOST_SECONDS = 10.0
SECRET = "not to be read"
_KEYS = (
    *("answer", "text", "label", "category", "bbox", "box", "boxes", "mask", "masks", "mask_file", "segmentation", "size", "counts", "rle"),
    *(
        "polygons",
        "points",
        "keypoints",
        "frame",
        "frames",
        "id",
        "track",
        "tube",
        "start_frame",
        "trajectory",
        "tube_start_frame",
        "t",
        "R",
    ),
    *("subject", "predicate", "object", "relations", "objects", "poses", "rotation", "translation", "center", "file", "score", "values"),
    *(
        "image_file",
        "video_file",
        "audio_file",
        "video_folder",
        "depth",
        "flow",
        "code",
        "sql",
        "output",
        "data",
        "0",
        "1",
        "17",
        "00003.jpg",
    ),
)
_TEXTS = (
    *(
        "a",
        "B",
        "A. x",
        "yes",
        "12",
        "1e999",
        "nan",
        "NaN",
        "-",
        "",
        " ",
        "a => b => c",
        "(a, b, c)",
        "[1, 2, 3, 4]",
        '{"a": [',
        "1,2,3,4\n5,6",
    ),
    *(
        "../../secret.txt",
        "../../../etc/passwd",
        "/etc/hostname",
        "C:\\x.png",
        "http://x/y.png",
        "a.png",
        "images/a.png",
        "rows.txt",
        "m.json",
    ),
    *("link.png", "a\x00.png", "\ud800", "�", "x" * 300 + ".png", '[{"file": "/etc/passwd"}]', "<<<x>>> <<<raw_text>>>", "😀" * 50),
    *("[" * 5000, "(" * 5000, "=>" * 3000, "1 " * 5000, "{" * 200 + "}" * 200, "```json\n[[1,2],[3,4]]\n```", "6TVQ10"),
)


def value(chance: random.Random, depth: int = 4) -> Any:
    """A JSON value that a hostile annotation or a model might write."""
    kind = chance.randrange(12 if depth else 6)
    match kind:
        case 0 | 1:
            return chance.choice(_TEXTS)
        case 2:
            return chance.choice((0, 1, -1, 2, 7, 2**63, -(2**70), 10**30, 0.5, -0.0, 1e308, -1e308))
        case 3:
            return chance.randrange(-5, 100)
        case 4:
            return None
        case 5:
            return chance.random() < 0.5
        case 6 | 7:
            return {chance.choice(_KEYS): value(chance, depth - 1) for _ in range(chance.randrange(5))}
        case 8:
            return [chance.randrange(-2, 40) for _ in range(chance.choice((2, 3, 4, 4, 5, 6, 7, 8, 12, 16, 51)))]
        case 9:
            row = [chance.randrange(0, 3) for _ in range(chance.choice((2, 3, 4, 7, 12)))]
            return [row] * chance.randrange(1, 6)
        case 10:
            return {
                "size": [chance.randrange(0, 9), chance.choice((3, 10**9))],
                "counts": chance.choice(([1, 2, 3], "6TVQ10", "\x7f", [-1])),
            }
        case _:
            return [value(chance, depth - 1) for _ in range(chance.randrange(5))]


def nested(chance: random.Random) -> Any:
    """Deep nesting, or a list that is long."""
    made: Any = [1, 2, 3, 4]
    if chance.random() < 0.5:
        for _ in range(chance.choice((50, 99, 101, 900))):
            made = [made] if chance.random() < 0.5 else {chance.choice(_KEYS): made}
        return made
    return [made] * chance.choice((1000, 20_000))


def annotation(chance: random.Random) -> bytes:
    """An annotation file, perhaps damaged."""
    items: list[Any] = []
    for number in range(chance.randrange(1, 6)):
        if chance.random() < 0.1:
            items.append(value(chance))
            continue
        given = {"question": "?", "prompt": chance.choice(("Which?", "<<<x>>>", "<<<raw_text>>>"))} | {
            chance.choice(_KEYS): value(chance, 2) for _ in range(chance.randrange(3))
        }
        output = nested(chance) if chance.random() < 0.02 else value(chance)
        item = {"id": chance.choice((number, str(number), "same", None)), "input": chance.choice((given, given, "a.png")), "output": output}
        if chance.random() < 0.1:
            item = {
                "original_video_id": "v",
                "video_path": "a.png",
                "caption": "x",
                "tube_start_frame": value(chance, 0),
                "trajectory": output,
            }
        items.append(item)
    envelope = {"task": value(chance, 0), "type": chance.choice(("OpenQA", "extraction", "MultipleChoiceQA", "classification", 5))}
    content = json.dumps({**envelope, "others": {"bbox_format": chance.choice(("", "xyxy", "odd"))}, "data": items}).encode(
        "utf-8", "replace"
    )
    match chance.randrange(8):
        case 0:
            return content[: chance.randrange(len(content) + 1)]
        case 1:
            at = chance.randrange(len(content))
            return content[:at] + chance.randbytes(chance.randrange(1, 9)) + content[at + chance.randrange(9) :]
        case _:
            return content


def task_folder(chance: random.Random, root: Path) -> Path:
    """A task's folder with files beside the annotation, and a secret beside the suite."""
    (root / "secret.txt").write_text(SECRET)
    task = chance.choice(general_bench().tasks)
    place = "nlp" if task.modality is Modality.LANGUAGE else f"{task.modality}/{task.paradigm}"
    folder = root / "suite" / place / task.name.strip().replace("/", "-")
    (folder / "images").mkdir(parents=True)
    (folder / "annotation.json").write_bytes(annotation(chance))
    (folder / "images" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "rows.txt").write_text(chance.choice(("1,2,3,4\n5,6,7,8", "x", "1 " * 12, "\x00")))
    (folder / "m.json").write_text(chance.choice(('{"a": "/etc/passwd"}', "[", '[{"file": "../../../secret.txt"}]', "[[1, 2, 3, 4]]")))
    (folder / "link.png").symlink_to(root / "secret.txt")
    return root / "suite"


def archive(chance: random.Random, root: Path) -> Path:
    """A zip archive, perhaps hostile, in a suite."""
    (root / "secret.txt").write_text(SECRET)
    path = root / "suite" / "nlp" / "TriviaQA.zip"
    path.parent.mkdir(parents=True)
    names = (
        "annotation.json",
        "../evil.json",
        "/evil.json",
        "a/../../evil.json",
        "C:/evil.json",
        "..\\evil.json",
        "a",
        "a/b.json",
        "TriviaQA/x.json",
    )
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as made:
        warnings.simplefilter("ignore")
        for _ in range(chance.randrange(1, 5)):
            entry = zipfile.ZipInfo(chance.choice(names) if chance.random() < 0.5 else "annotation.json")
            entry.external_attr = chance.choice((0, 0, 0, stat.S_IFLNK | 0o777, stat.S_IFREG | 0o644)) << 16
            made.writestr(entry, bytes(2_000_000) if chance.random() < 0.05 else annotation(chance))
    content = bytearray(path.read_bytes())
    if chance.random() < 0.6:
        for _ in range(chance.randrange(1, 6)):
            content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content[: chance.randrange(len(content))] if chance.random() < 0.1 else content)
    return root / "suite"


def paths_in(label: Any) -> Iterator[str]:
    """The files that a label names."""
    if isinstance(label, dict):
        if isinstance(label.get("file"), str):
            yield label["file"]
        for part in label.values():
            yield from paths_in(part)
    elif isinstance(label, list):
        for part in label:
            yield from paths_in(part)


def refused(error: Exception) -> str:
    """An error that says why in one line. Raises AssertionError for any other."""
    assert len(str(error).splitlines()) == 1, repr(error)
    return "refused"


def read_all(suite_folder: Path, root: Path) -> str:
    """Reads a suite to its end; says how it ended. Raises AssertionError for anything but what may happen."""
    allowed = (str(suite_folder.resolve()) + os.sep, os.path.realpath(os.environ["GENLEVEL_CACHE"]) + os.sep)
    try:
        suite = load_suite(suite_folder)
    except DatasetError as error:
        return refused(error)
    assert all(len(problem.splitlines()) == 1 for problem in suite.problems), suite.problems
    ended = "read"
    for task in suite.tasks:
        for instance in task.instances():
            assert len(instance.problem.splitlines()) < 2, instance.problem
            ended = "problems" if instance.problem else ended
            # A label that has come this far is plain JSON, and names no file outside.
            written = json.dumps(instance.label, allow_nan=False)
            assert SECRET not in written
            for path in paths_in(instance.label) if task.modality is not Modality.LANGUAGE else ():
                assert os.path.realpath(path).startswith(allowed), path
            for media in instance.media:
                assert os.path.realpath(media.path).startswith(allowed), media.path
    return ended


def run_case(number: int, seed: int, scratch: Path) -> str:
    """One case, the same for the same number and seed; says how it ended."""
    chance = random.Random(f"{seed}:{number}")
    kind = number % 10
    if kind < 4:
        return f"folder {read_all(task_folder(chance, scratch), scratch)}"
    if kind == 4:
        ended = read_all(archive(chance, scratch), scratch)
        assert not list(scratch.rglob("evil.json")), "an archive wrote outside its folder"
        return f"archive {ended}"
    asked = chance.choice(list(AnswerType))
    made = nested(chance) if chance.random() < 0.05 else value(chance)
    if kind < 8:
        try:
            found = normal_form(asked, made, modality=chance.choice(("", "image", "video", "3d")))
        except ValueError as error:
            return f"label {refused(error)}"
        if asked not in (AnswerType.MEDIA, AnswerType.STRUCTURE):
            json.dumps(found, allow_nan=False)
        return "label read"
    text = json.dumps(made)
    written = chance.choice(
        (text, text[: chance.randrange(len(text) + 1)], f"Sure: {text}", f"```json\n{text}\n```", str(chance.choice(_TEXTS)))
    )
    answer = parse_answer(asked, written, ("x", "y"))
    return f"answer {'unparsable' if type(answer).__name__ == 'Unparsable' else 'read'}"


def main(cases: int, seed: int) -> int:
    """Runs the cases and prints the figures; 1 where one failed."""
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    slowest = (0.0, 0)
    general_bench()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as held:
        os.environ["GENLEVEL_CACHE"] = held
        run_case(0, seed, Path(held))  # what is imported and made once is no case's memory
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as held:
        for number in range(cases):
            scratch = Path(held) / "case"
            scratch.mkdir()
            os.environ["GENLEVEL_CACHE"] = str(scratch / "cache")
            started = time.perf_counter()
            try:
                outcomes[run_case(number, seed, scratch)] += 1
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                outcomes["failed"] += 1
                failures.append(f"case {number}: {type(error).__name__}: {str(error)[:300]}")
            took = time.perf_counter() - started
            slowest = max(slowest, (took, number))
            if took > MOST_SECONDS:
                failures.append(f"case {number}: took {took:.1f} s")
            shutil.rmtree(scratch)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{cases:,} cases in {time.perf_counter() - began:.0f} s: {dict(sorted(outcomes.items()))}")
    print(f"peak memory {after / 1024:.0f} MB, {before / 1024:.0f} MB before the first case; slowest {slowest[0]:.2f} s, case {slowest[1]}")
    for failure in failures[:20]:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*(given + [CASES, 1][len(given) :])))
