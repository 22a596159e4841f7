"""`genlevel synergy` of a run, a workbook and a published model."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import openpyxl


def test_a_run_is_mapped_with_what_was_not_asked(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream()
    suite = str(choice_suite(4))
    run = json.loads(genlevel.run("eval", "--model", "small", "--base-url", stub.base_url, "--suite", suite, "--json").stdout)
    done = genlevel.run("synergy", run["run"], "--json", "--svg", "map.svg", "--html", "map.html")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    marks = [task["mark"] for panel in document["panels"] for skill in panel["skills"] for task in skill["tasks"]]
    assert len(marks) == 699
    assert marks.count("not asked") == 698
    assert document["wins"] == sum(bool(task["win"]) for task in run["tasks"])
    assert ET.parse(genlevel.folder / "map.svg").getroot().tag.endswith("svg")
    assert (genlevel.folder / "map.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_workbook_is_mapped_by_its_column(genlevel):
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "NLP"
    page.append(["No", "Task Name", "Task Short Name", "Metrics", "mine"])
    page.append([1, "Commonsense Reasoning", "Common Reason", "ACC", 90])
    page.append([2, "Causal Reasoning", "Causal Reason", "ACC", 10])
    book.save(genlevel.folder / "result.xlsx")
    document = json.loads(genlevel.run("synergy", "result.xlsx", "--model", "mine", "--json").stdout)
    assert (document["model"], document["wins"]) == ("mine", 1)
    shown = genlevel.run("synergy", "result.xlsx", "--model", "mine").stdout
    assert "1 of 699 tasks won, in 1 of 145 skills" in shown
    assert "Cognitive Question Answering" in shown


def test_a_published_model_is_mapped_and_called_published(genlevel):
    shown = genlevel.run("synergy", "--published", "gpt-4v").stdout
    assert "GPT-4V (as published): 119 of 699 tasks won" in shown
    for arguments, said in (
        (("--published", "GPT-4o"), "only its level scores were published"),
        (("--published", "GPT-9"), "GPT-4V"),
        ((), "give a run"),
        (("result.xlsx",), "--model"),
        (("nosuch.xlsx", "--model", "m"), "nosuch.xlsx"),
        (("nosuch.xlsm", "--model", "m"), "nosuch.xlsm: there is no such file"),
        (("--published", "GPT-4V", "--svg", "no/such/folder.svg"), "cannot be written"),
    ):
        done = genlevel.run("synergy", *arguments)
        assert done.returncode == 2, arguments
        assert said in done.stderr
