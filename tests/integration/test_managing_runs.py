"""Runs are named, tagged, found, and told apart on the command line."""

from __future__ import annotations

import json

import pytest

from genlevel.documents.times import since
from genlevel.runtime.errors import UsageError


def test_a_named_run_is_found_by_its_name_and_listed_with_what_tells_it_apart(genlevel, stub_upstream, choice_suite):
    asked = ("eval", "--model", "m", "--suite", str(choice_suite(2)), "--base-url", stub_upstream(answer="Answer: A").base_url)
    refused = genlevel.run(*asked, "--tag", "two words")
    assert (refused.returncode, "one word" in refused.stderr) == (2, True)
    assert not (genlevel.folder / "genlevel-data").exists(), "nothing was begun"
    done = genlevel.run(*asked, "--name", "first try", "--tag", "weekly", "--json", "--quiet")
    run = json.loads(done.stdout)["run"]
    assert done.stderr == ""
    opposites = genlevel.run("resume", run, "-qv")
    assert (opposites.returncode, "give one" in opposites.stderr) == (2, True)
    (genlevel.folder / "notes.txt").write_text("good\n")
    said = genlevel.run("describe", "first try", "--tag", "keep", "--notes-file", "notes.txt").stdout
    assert said == f"run {run} is called first try; m on bench\ntags: weekly keep\ngood\n"
    assert json.loads(genlevel.run("show", "first try", "--json").stdout)["run"] == run
    compared = genlevel.run("compare", "first try", run[:6], "--json")
    assert json.loads(compared.stdout)["a"]["run"] == run, compared.stderr
    assert json.loads(genlevel.run("certify", "first try", "--json").stdout)["run"] == run
    listed = genlevel.run("runs", "--tag", "keep", "--since", "1h").stdout
    assert all(word in listed for word in (run, "first try", "all", "finished"))
    assert genlevel.run("runs", "--text", "never").stdout.startswith("no run is as you ask for it")
    (document,) = json.loads(genlevel.run("runs", "--json").stdout)
    assert (document["name"], document["tags"], document["notes"], document["limit"], document["tasks"]) == (
        ("first try", ["weekly", "keep"], "good\n", None, 1)
    )


def test_since_is_a_length_of_time_or_a_day():
    assert since("2h", 7200.0, named="since") == 0
    assert since("1970-01-02", 0.0, named="since") == since("1970-01-02T01:00+01:00", 0.0, named="since") == 86400
    with pytest.raises(UsageError, match=r"^--since 'yesterday': write a length of time such as 7d"):
        since("yesterday", 0.0, named="--since")


def test_a_run_is_deleted_after_what_it_frees_was_said(genlevel, stub_upstream, choice_suite):
    asked = ("eval", "--model", "m", "--suite", str(choice_suite(2)), "--base-url", stub_upstream(answer="Answer: A").base_url, "--json")
    run = json.loads(genlevel.run(*asked).stdout)["run"]
    unasked = genlevel.run("delete", run)
    assert (unasked.returncode, "give --yes to delete" in unasked.stderr) == (2, True)
    done = genlevel.run("delete", run, run, "--yes")
    assert done.stdout == f"run {run}: 2 answers, about 18 bytes\ndeleted {run}\n", done.stderr
    assert not (genlevel.folder / "genlevel-data" / "runs" / run).exists()
    assert genlevel.run("runs").stdout == "no runs yet in genlevel-data\n"
    again = genlevel.run("delete", run, "--yes")
    assert (again.returncode, again.stderr) == (2, f"genlevel: run {run} was deleted before\n")
    assert json.loads(genlevel.run(*asked[:-1], "--dry-run", "--json").stdout)["plan"] == 2
