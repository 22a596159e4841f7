"""What a command imports before it does its work: those that only look something up must not load what asks models or measures answers.

tests/performance/bench_start_up.py says what it costs; here nothing is timed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from genlevel.cli import COMMANDS

SDKS = frozenset(("openai", "anthropic", "httpx2", "httpx"))
ASKING = SDKS | {"gateway.service", "aiohttp"}
SERVING = frozenset(("fastapi", "uvicorn", "starlette", "grpc"))
MEASURING = frozenset(("scipy", "numpy", "PIL", "av", "trimesh", "mido", "tree_sitter", "torch", "transformers", "onnxruntime"))
MIGRATING = frozenset(("alembic", "mako"))
STORED = frozenset(("sqlalchemy", "pydantic", "yaml", "google.protobuf", "rich", "asyncio", "uvloop", "evaluator", "scorer", "gateway"))


# Prints {command: those of the modules given as arguments that are loaded after its help, and were not before}.
HELP = """
import contextlib, io, json, sys
from genlevel.cli import COMMANDS, cli
found, before = {}, set()
def helped(command, words):
    global before
    with contextlib.redirect_stdout(io.StringIO()) as said:
        cli.main([*words, "--help"], standalone_mode=False)
    assert "Usage:" in said.getvalue(), words
    now = {module for module in sys.argv[1:] if module in sys.modules}
    found[" ".join(words)], before = sorted(now - before), now
    for name, each in getattr(command, "commands", {}).items():
        helped(each, [*words, name])
for name in COMMANDS:
    helped(cli.get_command(None, name), [name])
print(json.dumps(found))
"""


def imported(folder: Path, *arguments: str) -> frozenset[str]:
    """The modules that a command imports, and the packages around them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "genlevel", *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("GENLEVEL_")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    modules = re.findall(r"^import time:.*\| +([\w.]+)$", done.stderr, re.MULTILINE)
    assert "genlevel.cli" in modules
    return frozenset(modules)


def test_help_imports_no_more_than_the_command_line_needs(tmp_path):
    found = imported(tmp_path, "--help")
    assert found.isdisjoint(ASKING | SERVING | MEASURING | MIGRATING | STORED)


def test_help_of_no_command_imports_a_service(tmp_path):
    """All in one process, since what none may import is there after none."""
    needless = ASKING | SERVING | MEASURING | MIGRATING | {"sqlalchemy", "rich"}
    done = subprocess.run([sys.executable, "-c", HELP, *needless], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert set(COMMANDS) <= set(found)
    assert {command: modules for command, modules in found.items() if modules} == {}, "the first command whose help has loaded them"


def test_looking_at_runs_loads_nothing_that_asks_serves_or_measures(genlevel, stub_upstream, choice_suite):
    url, suite = stub_upstream().base_url, str(choice_suite(3))
    done = genlevel.run("eval", "--model", "m", "--base-url", url, "--suite", suite, "--json")
    run = json.loads(done.stdout)["run"]
    needless = ASKING | SERVING | MEASURING | MIGRATING | {"evaluator.service", "prometheus_client", "sqlalchemy.dialects.postgresql"}
    needless |= {"pydantic"}  # there is no file of settings to be checked

    listed = imported(genlevel.folder, "runs")
    assert listed.isdisjoint(needless | {"scorer.service"})
    for more in ((), ("--json",), ("--failures",)):
        shown = imported(genlevel.folder, "show", run, *more)
        assert shown.isdisjoint(needless | {"scorer.parsers.table", "scorer.metrics.text"}), (more, shown & needless)


def test_an_evaluation_of_text_loads_no_sdk_and_nothing_that_serves_measures_or_migrates(tmp_path, stub_upstream):
    url, tasks = stub_upstream().base_url, "General-Knowledge,Review-Sentiment"
    found = imported(tmp_path, "eval", "--model", "m", "--base-url", url, "--suite", "starter", "--tasks", tasks, "--limit", "2")
    assert {"evaluator.service", "gateway.service", "scorer.service"} <= found
    needless = SDKS | SERVING | MEASURING | MIGRATING | {"fsspec", "sqlalchemy.dialects.postgresql", "xml"}
    assert found & needless == set()


def test_whoever_asks_for_the_metrics_of_a_run_that_goes_on_gets_them(genlevel, stub_upstream):
    url = stub_upstream(latency=0.3).base_url
    started = genlevel.start(
        *("eval", "--model", "m", "--base-url", url, "--suite", "starter", "--tasks", "General-Knowledge", "--concurrency", "1")
    )
    assert started.stderr is not None
    (address,) = re.findall(r"metrics at (\S+)", started.stderr.readline())
    with urllib.request.urlopen(address, timeout=30) as page:
        assert "genlevel_evaluator_in_flight" in page.read().decode()
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=60)
    assert started.wait() == 130
