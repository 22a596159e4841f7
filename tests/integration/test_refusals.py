"""What is refused or goes wrong before a run begins, or in all of it: a line that says what to do, and nothing left behind."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("key", ["sk-abcdef123456", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "MY KEY"])
def test_a_key_in_place_of_its_variable_is_not_shown(genlevel, key) -> None:
    for more in ((), ("--json",), ("--dry-run",)):
        done = genlevel.run(
            "eval", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--suite", "starter", "--api-key-env", key, *more
        )
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert "--api-key-env takes the name of an environment variable" in line
        assert key not in done.stderr + done.stdout


def test_a_long_id_is_cut(genlevel, stub_upstream, choice_suite) -> None:
    suite = str(choice_suite(1))
    assert genlevel.run("eval", "--model", "m", "--base-url", stub_upstream().base_url, "--suite", suite).returncode == 0
    long = "x" * 10_000
    for command in (
        ("show", long),
        ("resume", long),
        ("rescore", long),
        ("certify", long),
        ("compare", long, long),
        ("eval", "--model", long, "--suite", "starter"),
        ("eval", "--model", "openai/" + long, "--suite", long),
        ("eval", "--model", "embedded/generalist", "--suite", "starter", "--tasks", long),
        ("level", long),
    ):
        done = genlevel.run(*command)
        assert done.returncode == 2, command[0]
        (line,) = done.stderr.splitlines()
        assert len(line) < 800, (command[0], line[:300])
