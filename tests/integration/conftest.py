"""A stub of a model's server, made-up suites, and the command as a user calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Stub:
    """A running stub. log: one line a call that arrived: its outcome, a tab, the question."""

    base_url: str
    log: Path

    def calls(self) -> list[tuple[str, str]]:
        return [tuple(line.split("\t", 1)) for line in self.log.read_text().splitlines()] if self.log.exists() else []  # type: ignore[misc]


@pytest.fixture
def stub_upstream(tmp_path: Path) -> Iterator[Callable[..., Stub]]:
    """Starts a stub server in its own process; keyword arguments become its options."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(**options: Any) -> Stub:
        number = len(processes)
        port_file, log = tmp_path / f"stub-{number}.port", tmp_path / f"stub-{number}.log"
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        script = Path(__file__).parent / "stub_upstream.py"
        processes.append(subprocess.Popen([sys.executable, str(script), f"--port-file={port_file}", f"--log={log}", *arguments]))
        deadline = time.monotonic() + 30
        while not port_file.exists():
            assert processes[-1].poll() is None, "the stub ended"
            assert time.monotonic() < deadline, "the stub did not start"
            time.sleep(0.02)
        return Stub(f"http://127.0.0.1:{port_file.read_text()}/v1", log)

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def choice_suite(tmp_path: Path) -> Callable[..., Path]:
    """Makes a suite folder of multiple-choice tasks, which General-Bench lists; every right answer is "A"."""

    def make(instances: int, tasks: tuple[str, ...] = ("Causal-Reasoning",), name: str = "bench") -> Path:
        root = tmp_path / name
        for task in tasks:
            folder = root / "nlp" / task
            folder.mkdir(parents=True)
            data = [
                {
                    "id": f"q{number:05d}",
                    "input": {"question": f"Question {number} of {task}?", "options": [f"right {number}", f"wrong {number}"]},
                    "output": {"answer": "A"},
                }
                for number in range(instances)
            ]
            envelope = {"task": task, "type": "MultipleChoiceQA", "modality": {"in": ["text"], "out": ["text"]}, "data": data}
            (folder / "annotation.json").write_text(json.dumps(envelope))
        return root

    return make


@dataclass(frozen=True)
class Command:
    """The genlevel command in its own process, in an empty folder, with no configuration."""

    folder: Path

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("GENLEVEL_", "OPENAI_", "ANTHROPIC_"))}
        return subprocess.Popen(
            [sys.executable, "-m", "genlevel", *arguments],
            cwd=self.folder,
            env={**clean, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, timeout_s: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **environment)
        try:
            stdout, stderr = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            raise AssertionError(f"timed out; stderr: {stderr[-3000:]}") from None
        assert "Traceback" not in stderr, stderr
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


@pytest.fixture
def genlevel(tmp_path: Path) -> Command:
    folder = tmp_path / "work"
    folder.mkdir()
    return Command(folder)
