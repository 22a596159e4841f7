"""Judges and ratings by people, as a user meets them: real commands, a real server as the judge, killed and misbehaving."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.serving import PATIENCE_S
from tests.ports import free_ports

Suite = Callable[..., Path]


@pytest.fixture
def rated_suite(tmp_path: Path) -> Suite:
    """A suite of its own: sounds to be described (GPT-Score) and, where asked for, replies that people rate (MOS)."""

    def make(instances: int = 6, **metrics: str) -> Path:
        root = tmp_path / "sounds"
        tasks = metrics or {"Sounds": "GPT-Score"}
        for name in tasks:
            folder = root / "nlp" / name
            folder.mkdir(parents=True)
            data = [
                {"id": f"s{number}", "input": {"question": f"Describe sound {number}."}, "output": {"text": f"A dog barks {number} times."}}
                for number in range(instances)
            ]
            (folder / "annotation.json").write_text(json.dumps({"task": name, "type": "OpenEndedQA", "data": data}))
        listed = "".join(f"  nlp/{name}: {{metric: {metric}}}\n" for name, metric in tasks.items())
        (root / "suite.yaml").write_text(f"name: sounds\ntasks:\n{listed}")
        return root

    return make


@pytest.fixture
def configure(genlevel: Any) -> Callable[..., None]:
    """Writes genlevel.yaml with a route to each of these servers."""

    def write(more: str = "", **servers: Any) -> None:
        accounts = "".join(f"  {name}: {{provider: compatible, base_url: {stub.base_url}}}\n" for name, stub in servers.items())
        routes = "".join(f"  {name}: {{account: {name}, model: model-{name}}}\n" for name in servers)
        (genlevel.folder / "genlevel.yaml").write_text(f"accounts:\n{accounts}routes:\n{routes}{more}")

    return write


def only_task(document: dict[str, Any]) -> dict[str, Any]:
    (task,) = document["tasks"]
    return task


def test_one_command_answers_judges_and_scores(genlevel: Any, stub_upstream: Any, rated_suite: Suite, configure: Any) -> None:
    configure(answers=stub_upstream(answer="A dog."), judge=stub_upstream(answer="Rating: 7"))
    command = ("eval", "--model", "answers", "--suite", str(rated_suite()), "--judge", "judge")
    done = genlevel.run(*command, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    task = only_task(document)
    assert task["score"] == pytest.approx(70)
    assert (task["ratings"]["by"], task["ratings"]["judge"], task["ratings"]["rated"]) == ("judge", "judge/model-judge", 6)
    assert len(task["ratings"]["prompt_hash"]) == 12
    assert (document["judging"]["judged"], document["judging"]["failed"], document["judging"]["usd"]) == (6, 0, None)
    assert document["judging"]["input_tokens"] > 6 * 100
    again = genlevel.run(*command)
    assert "finished and judged by judge/model-judge before; nothing is asked" in again.stderr
    assert "6 answers rated by judge/model-judge (prompt 1)" in again.stdout
    shown = genlevel.run("show", document["run"], "--instance", "s1")
    assert "rated by judge/model-judge (prompt 1): 70" in shown.stdout


def test_what_runs_lists_as_cost_includes_the_judge(genlevel: Any, stub_upstream: Any, rated_suite: Suite, configure: Any) -> None:
    prices = "prices: {compatible/model-answers: {input: 1, output: 2}, compatible/model-judge: {input: 3, output: 4}}\n"
    configure(prices, answers=stub_upstream(answer="A dog."), judge=stub_upstream(answer="Rating: 7"))
    done = genlevel.run("eval", "--model", "answers", "--suite", str(rated_suite()), "--judge", "judge", "--json")
    document = json.loads(done.stdout)
    answered, judged = document["usage"]["usd"], document["judging"]["usd"]
    (listed,) = json.loads(genlevel.run("runs", "--json").stdout)
    assert answered
    assert judged
    assert listed["usd"] == listed["most_usd"] == pytest.approx(answered + judged)


def test_a_finished_run_is_judged_afterwards_by_rescore(genlevel: Any, stub_upstream: Any, rated_suite: Suite, configure: Any) -> None:
    answers, judge = stub_upstream(answer="A dog."), stub_upstream(answer="Rating: 3")
    configure(answers=answers, judge=judge)
    done = genlevel.run("eval", "--model", "answers", "--suite", str(rated_suite()), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert only_task(document)["note"] == "not scored: needs a judge; give --judge ROUTE"
    assert (document["judging"], only_task(document)["ratings"]) == (None, None)
    judged = genlevel.run("rescore", document["run"], "--judge", "judge", "--json")
    assert judged.returncode == 0, judged.stderr
    assert only_task(json.loads(judged.stdout))["score"] == pytest.approx(30)
    assert (len(answers.calls()), len(judge.calls())) == (6, 6)
    plain = genlevel.run("rescore", document["run"], "--json")
    assert only_task(json.loads(plain.stdout))["score"] == pytest.approx(30)
    assert len(judge.calls()) == 6, "rescoring without --judge calls nobody"
    refused = genlevel.run("rescore", document["run"], "--budget-usd", "1")
    assert (refused.returncode, "go with --judge" in refused.stderr) == (2, True)
    wrong = genlevel.run("rescore", document["run"], "--judge", "nobody")
    assert (wrong.returncode, "nobody" in wrong.stderr, len(wrong.stderr.splitlines())) == (2, True, 1)


def test_a_judge_that_limits_errs_drops_and_sends_garbage_judges_all(
    genlevel: Any, stub_upstream: Any, rated_suite: Suite, configure: Any
) -> None:
    judge = stub_upstream(answer="Rating: 7", limit_rate=0.15, retry_after="0.05", error_rate=0.1, drop_rate=0.1, garbage_rate=0.1, seed=4)
    configure("runs: {attempts: 20}\n", answers=stub_upstream(answer="A dog."), judge=judge)
    done = genlevel.run("eval", "--model", "answers", "--suite", str(rated_suite(40)), "--judge", "judge", "--json", timeout_s=180)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["judging"]["judged"], document["judging"]["failed"]) == (40, 0)
    outcomes = Counter(outcome for outcome, _line in judge.calls())
    assert outcomes["ok"] == 40, "what was judged is not asked again"
    assert min(outcomes[name] for name in ("limit", "error", "drop", "garbage")) > 0


def test_killed_while_judging_it_goes_on_and_asks_nothing_twice(
    genlevel: Any, stub_upstream: Any, rated_suite: Suite, configure: Any
) -> None:
    answers, judge = stub_upstream(answer="A dog."), stub_upstream(answer="Rating: 7", latency=0.05)
    configure("runs: {concurrency: 4}\n", answers=answers, judge=judge)
    command = ("eval", "--model", "answers", "--suite", str(rated_suite(120)), "--judge", "judge", "--json")
    process = genlevel.start(*command)
    deadline = time.monotonic() + PATIENCE_S
    while len(judge.calls()) < 30:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    killed_at = len(judge.calls())
    assert killed_at < 120
    done = genlevel.run(*command)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["judging"]["judged"], only_task(document)["score"]) == (120, pytest.approx(70))
    assert len(answers.calls()) == 120
    asked = Counter(line for _outcome, line in judge.calls())  # the first line has a token of the judged answer
    assert len(asked) == 120
    assert sum(asked.values()) <= 120 + 2 * 4, "only what was in flight or not durable when it was killed is asked again"


def test_a_judge_whose_replies_cannot_be_read_is_a_failure_apart(
    genlevel: Any, stub_upstream: Any, rated_suite: Suite, configure: Any
) -> None:
    judge = stub_upstream(answer="It is a good answer, 8/10.")
    configure(answers=stub_upstream(answer="A dog."), judge=judge)
    done = genlevel.run("eval", "--model", "answers", "--suite", str(rated_suite(3)), "--judge", "judge", "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    task = only_task(document)
    assert (task["score"], task["bounds"]) == (None, [0.0, 100.0])
    assert task["note"] == "incomplete: 3 failed of 3 instances (the judge failed on 3)"
    assert (document["instances"]["answered"], document["instances"]["failed"]) == (3, 0)
    assert "the judge failed on 3 answers, such as nlp/Sounds/s0: no rating could be read" in done.stderr
    assert len(judge.calls()) == 9
    failures = genlevel.run("show", document["run"], "--failures").stdout.splitlines()
    assert len(failures) == 3
    assert failures[0].startswith("not judged  nlp/Sounds/s0: no rating could be read from the judge's replies (3)")


def test_ratings_of_a_csv_are_checked_kept_and_scored(genlevel: Any, stub_upstream: Any, rated_suite: Suite, configure: Any) -> None:
    configure(answers=stub_upstream(answer="A dog."), judge=stub_upstream(answer="Rating: 7"))
    suite = rated_suite(3, Sounds="GPT-Score", Replies="MOS")
    run = json.loads(genlevel.run("eval", "--model", "answers", "--suite", str(suite), "--judge", "judge", "--json").stdout)["run"]
    ratings = genlevel.folder / "ratings.csv"
    lines = [f"Replies,s{number},{rater},{rating}" for number in range(3) for rater, rating in (("anna", 4), ("ben", 3))]
    lines += [f"nlp/Sounds,s{number},anna,{rating}" for number, rating in enumerate((60, 70, 50))]
    ratings.write_text("\n".join(["task,instance,rater,rating", *lines, "Replies,s9,anna,4"]))
    done = genlevel.run("rescore", run, "--ratings", "ratings.csv", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "note: 1 rating left out: nlp/Replies has no such instance here: 's9'\n"
    tasks = {task["task"]: task for task in json.loads(done.stdout)["tasks"]}
    assert tasks["Replies"]["score"] == pytest.approx(3.5)
    assert (tasks["Replies"]["ratings"]["by"], tasks["Replies"]["ratings"]["rated"]) == ("people", 3)
    assert tasks["Sounds"]["score"] == pytest.approx(70)
    agreement = tasks["Sounds"]["ratings"]["agreement"]
    assert (agreement["n"], agreement["mean_difference"]) == (3, pytest.approx(10))
    card = genlevel.run("rescore", run).stdout
    assert "judge and people on 3" in card, "a later rescore keeps the ratings"

    ratings.write_text("task,instance,rater,rating\nReplies,s0,anna,7\nReplies,s1,anna,good\nReplies,s2,anna,4\nReplies,s2,anna,5\n")
    refused = genlevel.run("rescore", run, "--ratings", "ratings.csv")
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        "genlevel: ratings.csv:2: rating: 7 is out of range; it has to be a number from 1 to 5",
        "ratings.csv:3: rating: 'good' is not a rating; it has to be a number from 1 to 5",
        "ratings.csv:5: rater: 'anna' rated 's2' of nlp/Replies before, in line 4; keep one of the two rows",
    ]
    kept = {task["task"]: task["score"] for task in json.loads(genlevel.run("rescore", run, "--json").stdout)["tasks"]}
    assert kept["Replies"] == pytest.approx(3.5)


def test_predictions_in_files_are_scored_by_ratings(genlevel: Any, tmp_path: Path, rated_suite: Suite) -> None:
    suite = rated_suite(4, Styles="User preference rates", Sounds="GPT-Score")
    for name in ("Styles", "Sounds"):
        predictions = tmp_path / "mine" / "nlp" / name
        predictions.mkdir(parents=True)
        entries = [{"id": f"s{number}", "prediction": f"A dog, {number} times."} for number in range(3)]
        (predictions / "prediction.json").write_text(json.dumps(entries))
    ratings = genlevel.folder / "ratings.csv"
    rows = [("Styles", "s0", "win"), ("Styles", "s1", "tie"), ("Styles", "s2", "loss"), ("Sounds", "s0", "50")]
    ratings.write_text("\n".join(["task,instance,rater,rating", *(f"{task},{one},anna,{given}" for task, one, given in rows)]))
    command = (
        "score",
        "--annotations",
        str(suite),
        "--predictions",
        str(tmp_path / "mine"),
        "--model",
        "Mine",
        "--out",
        "o.xlsx",
        "--json",
    )
    without = {task["task"]: task for task in json.loads(genlevel.run(*command).stdout)["tasks"]}
    assert "give a CSV by --ratings" in without["Styles"]["note"]
    done = genlevel.run(*command, "--ratings", "ratings.csv")
    assert done.returncode == 0, done.stderr
    tasks = {task["task"]: task for task in json.loads(done.stdout)["tasks"]}
    # Won, tied, lost, and lost where nothing was predicted.
    assert tasks["Styles"]["score"] == pytest.approx(100 * 1.5 / 4)
    assert (tasks["Styles"]["ratings"]["by"], tasks["Styles"]["ratings"]["rated"]) == ("people", 3)
    assert (tasks["Sounds"]["score"], tasks["Sounds"]["ratings"]) == (None, None)
    assert "nlp/Sounds: ratings by people left out: GPT-Score is a judge model's" in done.stderr


@pytest.mark.services
def test_services_over_the_wire_judge_and_rate_alike(genlevel: Any, stub_upstream: Any, rated_suite: Suite, configure: Any) -> None:
    numbers = free_ports(6)
    names = ("gateway", "evaluator", "scorer")
    listen = "".join(
        f"{name}: {{grpc: '127.0.0.1:{numbers[2 * n]}', http: '127.0.0.1:{numbers[2 * n + 1]}'}}\n" for n, name in enumerate(names)
    )
    addresses = ", ".join(f"{name}: '127.0.0.1:{numbers[2 * n]}'" for n, name in enumerate(names))
    judge = stub_upstream(answer="Rating: 6")
    # The judge is the configuration's: nobody has to name it.
    listen += f"suites: {{folders: ['{genlevel.folder.parent}']}}\n"
    configure(f"{listen}addresses: {{{addresses}}}\nruns: {{judge: judge}}\n", answers=stub_upstream(answer="A dog."), judge=judge)
    suite = rated_suite(4, Sounds="GPT-Score", Replies="MOS")
    served = genlevel.start("up", "--out", "served")
    try:
        done = None
        for _try in range(100):
            done = genlevel.run("eval", "--model", "answers", "--suite", str(suite), "--json")
            if "cannot be reached" not in done.stderr:
                break
            time.sleep(0.1)
        assert done is not None
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        tasks = {task["task"]: task for task in document["tasks"]}
        assert (tasks["Sounds"]["score"], tasks["Sounds"]["ratings"]["rated"]) == (pytest.approx(60), 4)
        assert document["judging"]["judged"] == 4
        ratings = genlevel.folder / "ratings.csv"
        ratings.write_text("task,instance,rater,rating\n" + "".join(f"Replies,s{number},anna,{number + 1}\n" for number in range(4)))
        rated = genlevel.run("rescore", document["run"], "--ratings", "ratings.csv", "--json")
        assert rated.returncode == 0, rated.stderr
        assert {task["task"]: task["score"] for task in json.loads(rated.stdout)["tasks"]} == {"Sounds": 60.0, "Replies": 2.5}
        ratings.write_text("task,instance,rater,rating\n" + "".join(f"Replies,s{number},anna,9\n" for number in range(4)))
        refused = genlevel.run("rescore", document["run"], "--ratings", "ratings.csv")
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 4)
        assert len(judge.calls()) == 4
    finally:
        served.send_signal(signal.SIGTERM)
        served.communicate(timeout=PATIENCE_S)


def test_the_preference_task_of_the_benchmark_is_scored_by_people(genlevel: Any, tmp_path: Path) -> None:
    name = "Portrait Video Style Transfer"
    annotations, predictions = (tmp_path / root / "video" / "generation" / name for root in ("bench", "mine"))
    for folder in (annotations, predictions):
        folder.mkdir(parents=True)
        for number in range(4):
            (folder / f"v{number}.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(20))
    data = [{"id": f"v{number}", "input": {"prompt": "Paint it."}, "output": {"video": f"v{number}.mp4"}} for number in range(4)]
    envelope = {"task": name, "type": "VideoGeneration", "modality": {"in": ["text"], "out": ["video"]}, "data": data}
    (annotations / "annotation.json").write_text(json.dumps(envelope))
    entries = [{"id": f"v{number}", "prediction": f"v{number}.mp4"} for number in range(3)]
    (predictions / "prediction.json").write_text(json.dumps(entries))
    (genlevel.folder / "ratings.csv").write_text(
        "task,instance,rater,rating\n"
        + "".join(f"{name},{one},anna,{given}\n" for one, given in (("v0", "win"), ("v1", "tie"), ("v2", "loss")))
    )
    where = ("--annotations", str(tmp_path / "bench"), "--predictions", str(tmp_path / "mine"))
    done = genlevel.run("score", *where, "--model", "Mine", "--out", "o.xlsx", "--ratings", "ratings.csv", "--json")
    assert done.returncode == 0, done.stderr
    task = only_task(json.loads(done.stdout))
    assert (task["score"], task["n"], task["reference"]) == (pytest.approx(37.5), 4, 54.6)
    assert (task["ratings"]["by"], task["ratings"]["rated"]) == ("people", 3)
    level = json.loads(genlevel.run("level", "o.xlsx", "--model", "Mine", "--json").stdout)
    assert level["modalities"]["video"]["supported"] == 1
