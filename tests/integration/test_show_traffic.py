"""``genlevel show RUN --traffic``: in words, as a figure, as a table; and of a run that recorded nothing."""

from __future__ import annotations

import json
import sqlite3

import pytest

from evaluator.journal.spans import Span
from genlevel.cli.traffic import figure, print_traffic
from genlevel.documents.traffic import summary
from genlevel.v1 import evaluator_pb2 as ev


def test_the_traffic_of_a_run_is_shown(genlevel, stub_upstream, choice_suite):
    suite, server = str(choice_suite(6)), stub_upstream(answer="A")
    done = genlevel.run("eval", "--base-url", server.base_url, "--model", "m", "--suite", suite, "--json")
    run = json.loads(done.stdout)["run"]
    shown = genlevel.run("show", run, "--traffic")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[1].startswith("The run made ")
    assert "0.0 % were rejected for a limit; none failed otherwise." in " ".join(lines[1:3])
    assert any(line.startswith("calls/s ") for line in lines)
    with sqlite3.connect(genlevel.folder / "genlevel-data" / "genlevel.db") as connection:
        connection.execute("delete from evaluator_traffic")
    connection.close()
    assert "it has made none here, began less than ten seconds ago" in genlevel.run("show", run, "--traffic").stdout


def test_words_tell_what_was_used_and_what_was_waited_for():
    found = Span(0, 5, 5.0, 245, 2, account_calls=245, paced_s=5.0, paced_calls=250.0, waits_s={"requests": 4.5, "retry": 0.5})
    assert summary([found]) == (
        "The run made 49.0 calls/s at a pace of 50.0 that was found, over 5 s. 0.8 % were rejected for a limit; none failed "
        "otherwise. Calls waited for the limit of calls in 90 % of the time, their next try in 10 % of the time."
    )
    shared = Span(0, 5, 10.0, 100, 0, 5, account_calls=300, account="acct", paced_s=10.0, paced_calls=300.0, stated=True)
    assert summary([shared]) == (
        "The run made 10.0 calls/s at a pace of 30.0 that is stated (all runs of acct together: 30.0), over 10 s. "
        "0.0 % were rejected for a limit; 5.0 % failed otherwise."
    )
    assert summary([Span(0, 5)]).startswith("The run made 0 calls/s, over 0 s.")
    assert summary([Span(0, 5, 0.168, 20)]).startswith("The run made 119 calls/s, over 0.17 s.")


def test_a_figure_has_a_character_for_each_part_of_the_time():
    spans = [Span(5 * number, 5, 5.0, calls=calls, limited=calls == 40) for number, calls in enumerate((5, 10, 20, 40, 0))]
    assert figure(spans, fancy=True)[0] == "calls/s    ▁▂▄█   at most 8.0"
    assert figure(spans, fancy=False)[1] == "rejected/s    @   at most 0.2"
    assert [line.split()[0] for line in figure(spans, fancy=True)] == ["calls/s", "rejected/s", "in"], "nothing was paced"
    paced = [Span(5 * number, 5, 5.0, paced_s=5.0, paced_calls=250.0 * number) for number in range(3)]
    assert figure(paced, fancy=True)[1] == "pace        ▄█  at most 100"


@pytest.mark.parametrize("width_s", [5, 50_000])
def test_figure_and_table_are_no_wider_than_80_columns(width_s, capsys):
    spans = [
        ev.TrafficSpan(
            start_s=1_700_000_000 + width_s * number,
            width_s=width_s,
            seen_s=width_s,
            calls=123 * width_s,
            limited=width_s,
            in_flight=25.5,
            concurrency=64,
            pace=125.0,
            waits_s={"provider": 1.0, "pace": 4.0},
        )
        for number in range(200)
    ]
    print_traffic(ev.Run(suite="s"), ev.GetTrafficResponse(spans=spans))
    lines = capsys.readouterr().out.splitlines()
    shown = lines[next(number for number, line in enumerate(lines) if line.startswith("calls/s")) :]
    assert max(len(line.rstrip()) for line in shown) <= 80, shown
    assert sum("pace, provider" in line for line in lines) == 20, lines
    assert sum("of 64" in line for line in lines) == 20, lines


def test_parts_before_and_after_midnight_are_told_apart(capsys):
    spans = [ev.TrafficSpan(start_s=86_390 + 5 * number, width_s=5, seen_s=5.0, calls=5) for number in range(3)]
    print_traffic(ev.Run(suite="s"), ev.GetTrafficResponse(spans=spans))
    said = capsys.readouterr().out
    assert [when for when in ("01-01 23:59:50", "01-01 23:59:55", "01-02 00:00:00") if when not in said] == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"rate": 52.4, "concurrency": 8.0}, "52.4 calls/s, 8 at the same time, found"),
        ({"rate": 52.4}, ": 52.4 calls/s, found"),
        ({"concurrency": 8.0}, ": 8 at the same time, found"),
    ],
)
def test_what_is_kept_is_told(capsys, found, said):
    spans = [ev.TrafficSpan(start_s=5, width_s=5, seen_s=5.0, calls=5)]
    print_traffic(ev.Run(suite="s"), ev.GetTrafficResponse(spans=spans, kept=ev.KeptLimits(account="a", at_s=1.0, **found)))
    assert said in capsys.readouterr().out
