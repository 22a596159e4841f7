"""What is refused or goes wrong before a run begins, or in all of it: a line that says what to do, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest

from genlevel.cli.traces import _take_away


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


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_a_run_without_an_answer_says_so_in_a_few_lines(genlevel, stub_upstream, choice_suite, status) -> None:
    """Below 25 instances, too, where nothing stops it before its end."""
    (genlevel.folder / "genlevel.yaml").write_text("runs: {attempts: 1}\n")
    command = ("eval", "--model", "m", "--base-url", stub_upstream(status=status).base_url, "--suite", str(choice_suite(3)))
    done = genlevel.run(*command)
    assert done.returncode == 2
    lines = done.stdout.strip().splitlines()
    assert len(lines) <= 4, lines
    assert lines[-1] == "No call succeeded: there is nothing to score."
    assert "0.00" not in done.stdout
    assert (done.stdout + done.stderr).count(f"({status} stub)") == 1, "the failure is named once"
    last = done.stderr.splitlines()[-1]
    run = last.split()[2]
    assert f"({status} stub)" in last
    assert f"`genlevel resume {run}` continues it" in last
    shown = genlevel.run("show", run).stdout.strip().splitlines()
    assert shown[-1] == lines[-1]
    assert f"({status}" in " ".join(shown)
    assert len(shown) <= 6


@pytest.mark.parametrize(
    "twice",
    [
        ("eval", "--model", "a/b", "--suite", "starter", "--model", "c/d"),
        ("eval", "--model=openai/x", "--suite", "starter", "--model=openai/x"),
        ("eval", "--model", "m", "--suite", "starter", "--seed", "1", "--seed", "2"),
        ("runs", "--out", "a", "--out", "b"),
        ("bench", "fetch", "--to", "a", "--to", "b"),
    ],
)
def test_an_option_of_one_value_that_is_given_twice_is_refused(genlevel, twice) -> None:
    done = genlevel.run(*twice)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "is given twice; it takes one value" in line
    assert list(genlevel.folder.iterdir()) == []


def test_options_that_exclude_each_other_are_refused_together(genlevel) -> None:
    done = genlevel.run("tune", "x", "--stop", "--pause")
    assert (done.returncode, done.stderr) == (
        2,
        "genlevel: --stop and --pause exclude each other; give one of them (see genlevel tune --help)\n",
    )


def test_options_of_many_values_and_flags_may_be_repeated(genlevel) -> None:
    done = genlevel.run("rescore", "x", "--ratings", "a.csv", "--ratings", "b.csv", "--json", "--json")
    assert "given twice" not in done.stderr


REFUSED = [
    ("--model", "openai/gpt-4.1-mini", "--suite", "starter"),
    ("--model", "nothing", "--suite", "starter"),
    ("--model", "m", "--base-url", "ftp://x", "--suite", "starter"),
    ("--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--suite", "nothing"),
    ("--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--suite", "starter", "--tasks", "nothing"),
    ("--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--suite", "starter", "--temperature", "9"),
    ("--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--api-key-env", "NOT_SET", "--suite", "starter"),
    ("--model", "openai/nothing-known", "--suite", "starter", "--budget-usd", "1"),
    ("--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--suite", "starter", "--judge", "nothing", "--dry-run", "--nonsense"),
]


@pytest.mark.parametrize("options", REFUSED)
@pytest.mark.parametrize("out", [(), ("--out", "a/b")])
def test_a_refused_eval_leaves_no_folder(genlevel, options, out) -> None:
    done = genlevel.run("eval", *options, *out)
    assert done.returncode == 2
    assert list(genlevel.folder.iterdir()) == [], done.stderr


def test_a_dry_run_leaves_no_folder(genlevel) -> None:
    done = genlevel.run("eval", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--suite", "starter", "--dry-run")
    assert done.returncode == 0
    assert list(genlevel.folder.iterdir()) == []


def test_a_folder_of_runs_stays_when_something_else_is_refused_in_it(genlevel, stub_upstream, choice_suite) -> None:
    suite = str(choice_suite(2))
    assert genlevel.run("eval", "--model", "m", "--base-url", stub_upstream().base_url, "--suite", suite).returncode == 0
    assert genlevel.run("eval", "--model", "nothing", "--suite", suite).returncode == 2
    assert len(json.loads(genlevel.run("runs", "--json").stdout)) == 1
    (genlevel.folder / "mine").mkdir()
    (genlevel.folder / "mine" / "note").write_text("x")
    assert genlevel.run("eval", "--model", "nothing", "--suite", suite, "--out", "mine").returncode == 2
    assert [path.name for path in (genlevel.folder / "mine").iterdir()] == ["note"]


@pytest.mark.parametrize("held", ["a row", "another process"])
def test_a_database_that_is_not_empty_or_in_use_is_not_taken_away(tmp_path, held) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "genlevel.db")) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE runs (id)")
        other.commit()
        if held == "a row":
            other.execute("INSERT INTO runs VALUES (1)")
            other.commit()
            other.close()
        _take_away(folder, [folder]) if held == "a row" else _refused(folder)
        assert (folder / "genlevel.db").exists()


def _refused(folder) -> None:
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        _take_away(folder, [folder])


def test_a_missing_v1_is_tried_and_said(genlevel, stub_upstream, choice_suite) -> None:
    stub, suite = stub_upstream(answer="A"), str(choice_suite(2))
    bare = stub.base_url.removesuffix("/v1")
    runs = []
    for address in (bare, f"{bare}/", stub.base_url):
        done = genlevel.run("eval", "--model", "m", "--base-url", address, "--suite", suite, "--json")
        assert done.returncode == 0, done.stderr
        notes = [line for line in done.stderr.splitlines() if "/v1" in line]
        said = f"note: no API answers at {address}, but one does at {stub.base_url}: it is asked there"
        assert notes == ([] if address == stub.base_url else [said])
        runs.append(json.loads(done.stdout)["run"])
    assert len(stub.calls()) == 6
    assert len(set(runs)) == 3, "the address as it was written is part of what a run is"
    planned = genlevel.run("eval", "--model", "m", "--base-url", bare, "--suite", suite, "--dry-run", "--json")
    assert json.loads(planned.stdout)["run"] == runs[0]
    assert genlevel.run("resume", runs[0]).returncode == 0


def test_an_address_at_which_nothing_answers_stays_as_it_was_written(genlevel, choice_suite) -> None:
    (genlevel.folder / "genlevel.yaml").write_text("runs: {attempts: 1}\n")
    done = genlevel.run("eval", "--model", "m", "--base-url", "http://127.0.0.1:9", "--suite", str(choice_suite(1)))
    assert done.returncode == 2
    assert "nothing answers at http://127.0.0.1:9 (" in done.stderr
