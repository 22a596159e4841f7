"""What a user types, and what is said when it is wrong: one line, exit code 2, never a traceback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from genlevel import cli
from genlevel.cli.card import print_tasks
from genlevel.cli.printing import console
from genlevel.documents.words import cost_told, number, signed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evl",), "did you mean 'eval'"),
        (("eval",), "genlevel: missing option '--model' (see genlevel eval --help)"),
        (("show",), "genlevel: missing argument 'RUN'; `genlevel runs` lists them (see genlevel show --help)"),
        (("bench", "check", "nosuch"), "'nosuch' does not exist"),
        (("show", "a", "--by", "smell"), "invalid value for '--by': 'smell' is not one of"),
        (("runs", "--jsn"), "no such option '--jsn'"),
        (("eval", "--model", "nosuch/model", "--suite", "starter"), "nosuch"),
        (("eval", "--model", "embedded/generalist", "--suite", "nosuchsuite"), "nosuchsuite"),
        (("eval", "--model", "embedded/generalist", "--suite", "starter", "--tasks", "Sgin-Reading"), "near: Sign-Reading"),
        (("eval", "--model", "embedded/generalist", "--suite", "starter", "--api-key-env", "X"), "--base-url"),
        (("eval", "--model", "openai/gpt-4o-mini", "--suite", "starter"), "OPENAI_API_KEY"),
        (("eval", "--model", "anthropic/claude-sonnet-4-5", "--suite", "starter"), "ANTHROPIC_API_KEY"),
        (("eval", "--model", "m", "--base-url", "not a url", "--suite", "starter"), "not a url"),
        (
            ("eval", "--model", "m", "--base-url", "localhost:1/v1", "--suite", "starter"),
            "--base-url 'localhost:1/v1': begin with http:// or https://, such as http://127.0.0.1:8080/v1",
        ),
        (("eval", "--model", "m", "--suite", "starter", "--budget-usd", "much"), "much"),
        (("eval", "--model", "m", "--suite", "starter", "--limit", "3", "--seed", "99999999999999999999"), "--seed"),
        (("eval", "--model", "m", "--suite", "starter", "--limit", "0"), "--limit"),
        (("eval", "--model", "m", "--suite", "starter", "--limit", "99999999999"), "--limit"),
        (("eval", "--model", "m", "--suite", "starter", "--max-tokens", "99999999999"), "--max-tokens"),
        (
            ("eval", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--suite", "starter", "--temperature", "nan"),
            "--temperature nan",
        ),
        (("eval", "--model", "", "--base-url", "http://127.0.0.1:9/v1", "--suite", "starter"), "--model is empty"),
        (("eval", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--suite", ""), "--suite is empty"),
        (("eval", "--model", "m", "--suite", "starter", "--epsilon", "0.1"), "--epsilon goes with --until-decided"),
        (("show", "abc"), "no runs in genlevel-data; begin one with `genlevel eval`, or name the folder of an earlier one with --out"),
        (("level", "nosuch.xlsx", "--model", "m"), "nosuch.xlsx"),
        (("tasks", "--modality", "smell"), "smell"),
        (("--config", "nosuch.yaml", "runs"), "nosuch.yaml"),
        (("evaluator",), "addresses.gateway"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_said_in_a_line_that_names_it(genlevel, arguments, said):
    done = genlevel.run(*arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("genlevel: ")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 400


@pytest.mark.parametrize(
    "arguments",
    [
        ("eval", "--model", "embedded/generalist", "--suite", "odd\udcff", "--dry-run"),
        ("eval", "--model", "openai/odd\udcff", "--suite", "starter", "--dry-run"),
        ("eval", "--model", "embedded/generalist", "--suite", "starter", "--dry-run", "--out", "odd\udcff"),
    ],
)
def test_a_name_that_is_not_utf8_is_said_in_a_line(genlevel, arguments):
    done = genlevel.run(*arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert r"odd\xff' is not UTF-8 text" in done.stderr


def test_half_a_character_in_a_text_is_no_name_of_a_file(monkeypatch):
    def stumbles(*_arguments, **_options):
        "half of one: \ud83d".encode()

    for name in ("_open_standard_streams", "_outlive_readers"):
        monkeypatch.setattr(cli, name, lambda: None)
    monkeypatch.setattr(cli.cli, "main", stumbles)
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed") as caught:
        cli.main()
    assert caught.value.__context__ is None, "what is raised is the error itself, not one of telling it"


def test_a_wrong_setting_names_file_and_line(genlevel):
    (genlevel.folder / "genlevel.yaml").write_text("runs:\n  attemps: 3\n")
    done = genlevel.run("models")
    assert done.returncode == 2
    assert "genlevel.yaml:2" in done.stderr
    assert "attempts" in done.stderr


@pytest.mark.parametrize("arguments", [("models",), ("eval", "--model", "team/x", "--suite", "starter", "--dry-run")])
def test_a_provider_that_is_none_names_file_and_line(genlevel, arguments):
    (genlevel.folder / "genlevel.yaml").write_text("accounts:\n  team:\n    provider: mistrl\n")
    done = genlevel.run(*arguments)
    assert done.returncode == 2
    assert "genlevel.yaml:3: accounts.team.provider: 'mistrl' is not a provider; did you mean 'mistral'?" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_dry_run_prints_cost_by_task_and_needs_no_key(genlevel, choice_suite):
    (genlevel.folder / "genlevel.yaml").write_text("prices: {openai/some-model: {input: '2', output: '8'}}\n")
    suite = choice_suite(30)
    done = genlevel.run("eval", "--model", "openai/some-model", "--suite", str(suite), "--limit", "10", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["instances"] == 10
    assert plan["usd"] == pytest.approx(plan["input_tokens"] * 2e-6 + plan["max_output_tokens"] * 8e-6)
    table = genlevel.run("eval", "--model", "openai/some-model", "--suite", str(suite), "--dry-run")
    assert "nothing was called" in table.stdout
    assert "OPENAI_API_KEY" in table.stdout
    for budget in ((), ("--budget-usd", "1")):
        server = ("eval", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--suite", str(suite), "--dry-run", *budget)
        assert genlevel.run(*server).stdout.count("has no price") == 1


def test_a_hosted_model_without_a_price_needs_consent(genlevel, choice_suite):
    done = genlevel.run("eval", "--model", "openai/unheard-of", "--suite", str(choice_suite(1)), OPENAI_API_KEY="sk-not-a-key")
    assert done.returncode == 2
    assert "--unpriced-ok" in done.stderr
    assert "sk-not" not in done.stderr


def test_an_interrupted_budget_run_exits_1_and_says_how_to_go_on(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream(latency=0.01)
    (genlevel.folder / "genlevel.yaml").write_text(
        f"accounts: {{stub: {{provider: compatible, base_url: '{stub.base_url}'}}}}\n"
        "routes: {stubbed: {account: stub, model: s, price: {input: '1', output: '1'}}}\n"
    )
    suite = choice_suite(100)
    done = genlevel.run("eval", "--model", "stubbed", "--suite", str(suite), "--budget-usd", "0.002", "--json")
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout)
    assert result["status"] == "budget"
    assert 0 < result["usage"]["usd"] <= 0.002
    assert result["instances"]["answered"] == len(stub.calls())
    assert f"`genlevel resume {result['run']} --budget-usd X` continues it" in done.stderr
    card = genlevel.run("show", result["run"])
    assert "Incomplete" in card.stdout
    more = genlevel.run(
        "resume", result["run"], "--budget-usd", "1", "--concurrency", "16", "--rpm", "100000", "--tpm", "9000000", "--json"
    )
    assert more.returncode == 0, more.stderr
    whole = json.loads(more.stdout)
    assert (whole["run"], whole["instances"]["answered"], len(stub.calls())) == (result["run"], 100, 100)
    assert whole["usage"]["usd"] > result["usage"]["usd"]
    assert whole["usage"]["unknown_costs"] == 0


@pytest.mark.parametrize(("rate", "said"), [(0.5, "calls is unknown)"), (1.0, "(the cost of 30 calls is unknown)")])
def test_a_cost_that_is_not_known_is_shown_so_and_never_as_none(genlevel, stub_upstream, choice_suite, rate, said):
    stub = stub_upstream(mute_rate=rate)
    (genlevel.folder / "genlevel.yaml").write_text(
        f"accounts: {{stub: {{provider: compatible, base_url: '{stub.base_url}'}}}}\n"
        "routes: {stubbed: {account: stub, model: s, price: {input: '1', output: '1'}}}\n"
    )
    done = genlevel.run("eval", "--model", "stubbed", "--suite", str(choice_suite(30)))
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert re.search(r"at least \$0\.\d+, at most \$0\.\d+", done.stdout)
    assert re.search(r"at least \$0\.\d+, at most \$0\.\d+", done.stderr)
    (listed,) = json.loads(genlevel.run("runs", "--json").stdout)
    assert (listed["usd"] is None, listed["unknown_costs"] == 30) == (rate == 1, rate == 1)
    assert listed["unknown_costs"] == listed["unknown_calls"] > 0
    assert listed["most_usd"] > (listed["usd"] or 0)
    assert f"{listed['usd'] or 0:.4f} to {listed['most_usd']:.4f}" in genlevel.run("runs").stdout


def test_without_references_nothing_rests_on_wins(genlevel, stub_upstream):
    done = genlevel.run("eval", "--model", "m", "--base-url", stub_upstream(answer="A").base_url, "--suite", "starter", "--limit", "2")
    assert done.returncode == 0, done.stderr
    assert "language (w_L -)" in done.stdout
    assert "Level 5 score: -   rules: paper, references: none, so no task can be won" in done.stdout
    assert "no references to win against" in done.stdout
    assert "is undecided" not in done.stdout
    (image,) = {line.split()[3] for line in done.stdout.splitlines() if line.strip().startswith("image ")}
    assert image == "-", "Level 4 of images, which is of wins"
    run = json.loads(genlevel.run("runs", "--json").stdout)[0]["run"]
    certified = genlevel.run("certify", run).stdout
    assert "no reference" in certified
    assert "undecided" not in certified.partition("adjusted")[2], "no task could be won"
    assert "not attained" not in certified
    assert [line.split() for line in certified.splitlines() if line.split()[:1] in (["3"], ["4"], ["5"])] == [
        [str(n), *"------"] for n in (3, 4, 5)
    ]
    shown, level = genlevel.run("show", run).stdout, genlevel.run("level", run, "--explain").stdout
    heads = [text[text.index("certified: ") : text.index("Level 5 score")] for text in (shown, level)]
    assert heads[0] == heads[1]
    assert heads[0].splitlines()[:2] == [
        "certified: Level 2; there are no references to win against", "paper's point rule: Level 2 (a score above the worst)",
    ]  # fmt: skip
    assert "this benchmark has none" in level
    documents = [json.loads(genlevel.run(*command, "--json").stdout) for command in (("show", run), ("level", run), ("certify", run))]
    assert [document.get("level", document)["references"] for document in documents] == [None, None, None]


def test_a_folder_without_runs_is_said_in_a_sentence(genlevel):
    assert "no runs in genlevel-data; begin one" in genlevel.run("runs").stderr
    (genlevel.folder / "genlevel-data").mkdir()
    (genlevel.folder / "genlevel-data" / "genlevel.db").touch()
    listed = genlevel.run("runs")
    assert (listed.returncode, listed.stdout) == (0, "no runs yet in genlevel-data\n")
    assert json.loads(genlevel.run("runs", "--json").stdout) == []


def test_failures_and_single_instances_can_be_looked_at(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream(answer="I would rather not say.")
    done = genlevel.run("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(3)), "--json")
    result = json.loads(done.stdout)
    assert result["instances"]["unparsable"] == 3
    assert result["instances"]["answered"] == 0
    failures = json.loads(genlevel.run("show", result["run"], "--failures", "--json").stdout)
    assert [failure["outcome"] for failure in failures] == ["unparsable"] * 3
    one = json.loads(genlevel.run("show", result["run"], "--instance", "q00001", "--json").stdout)
    assert one[0]["answer"] == "I would rather not say."
    assert one[0]["label"] == "A"
    assert "Question 1" in one[0]["prompt"]
    text = genlevel.run("show", result["run"], "--instance", "q00001").stdout
    assert "--- answered\nI would rather not say." in text
    rescored = json.loads(genlevel.run("rescore", result["run"], "--json").stdout)
    assert rescored["tasks"] == result["tasks"]
    assert len(stub.calls()) == 3


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (9.32e-05, "9.32e-05"),
        (0.01234, "0.0123"),
        (-0.004, "-0.004"),
        (0.126, "0.13"),
        (1234.5, "1234.50"),
    ],
)
def test_a_small_figure_is_shown_by_digits_that_count(value, shown):
    """A Chamfer distance of 9.32e-05 is no 0.00."""
    assert number(value) == shown
    assert value is None or signed(value) == (shown if value < 0 else f"+{shown}")


def test_the_catalogue_can_be_browsed(genlevel):
    tasks = json.loads(genlevel.run("tasks", "--json").stdout)
    assert len(tasks) == 699
    assert len({task["id"] for task in tasks}) == 699
    some = json.loads(genlevel.run("tasks", "--modality", "audio", "--paradigm", "generation", "--json").stdout)
    assert {(task["modality"], task["paradigm"]) for task in some} == {("audio", "generation")}
    assert len(some) == 20
    for name in ("nlp", "language", "text"):
        assert len(json.loads(genlevel.run("tasks", "--modality", name, "--json").stdout)) == 115
    suites = json.loads(genlevel.run("suites", "--json").stdout)
    assert "starter" in [suite["suite"] for suite in suites]
    models = json.loads(genlevel.run("models", "--json").stdout)
    assert "embedded/generalist" in [model["route"] for model in models]
    hosted = [model for model in models if model["provider"] in ("openai", "anthropic")]
    assert {model["provider"] for model in hosted} == {"openai", "anthropic"}
    assert all(not model["ready"] and "set the environment variable" in model["problem"] for model in hosted)
    assert {model["route"] for model in hosted if not model["price"]} == {"openai/gpt-4o-mini-tts"}
    assert ["image"] in [model["gives"] for model in hosted]


def test_the_command_line_opens_without_heavy_imports():
    heavy = ("openai", "anthropic", "fastapi", "sqlalchemy", "alembic", "rich", "numpy", "openpyxl", "grpc", "google.protobuf", "pydantic")
    script = f"import sys, genlevel.cli; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_do_not_matter(genlevel, stub_upstream, choice_suite, closed):
    stub = stub_upstream()
    command = [sys.executable, "-m", "genlevel", "eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(3))]
    done = subprocess.run(["/bin/sh", "-c", f'"$@" {closed}', "sh", *command], cwd=genlevel.folder, timeout=60, check=False)
    assert done.returncode == 0
    assert len(stub.calls()) == 3
    assert json.loads(genlevel.run("runs", "--json").stdout)[0]["status"] == "finished"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full: /dev/full")
def test_output_that_cannot_be_written_is_said_in_one_line(genlevel):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "genlevel", "tasks"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == "genlevel: No space left on device\n"


def test_a_card_shows_no_precision_where_all_answers_are_alike(capsys):
    entry = {"metric": "accuracy", "n": 4, "bounds": None, "reference": 65.0, "win": False}
    alike = {"task": "Alike", "score": 0.0, "stderr": 0.0, **entry}
    print_tasks(console(), [alike, {"task": "Spread", "score": 50.0, "stderr": 25.0, **entry}])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["Alike", "accuracy", "4", "0.00", "-", "65.00", "no"] in rows
    assert ["Spread", "accuracy", "4", "50.00", "25.00", "65.00", "no"] in rows


def test_a_card_shows_what_guessing_and_a_constant_answer_score_if_any_task_has_them(capsys):
    entry = {"metric": "accuracy", "n": 4, "bounds": None, "score": 50.0, "stderr": 25.0, "reference": 65.0, "win": False}
    tasks = [("Choice", 25.0, 31.25), ("Label", None, 40.0), ("Text", None, None)]
    print_tasks(console(), [{"task": task, "chance": chance, "best_constant": best, **entry} for task, chance, best in tasks])
    rows = [line.split()[7:] for line in capsys.readouterr().out.splitlines() if "accuracy" in line]
    assert rows == [["25.00", "/", "31.25"], ["-", "/", "40.00"], ["-"]]


def test_what_failed_is_said_at_the_end_with_the_command_that_lists_it(genlevel, stub_upstream, choice_suite):
    asked = ("eval", "--model", "m", "--suite", str(choice_suite(3)), "--out", "my data", "--json", "--base-url")
    (genlevel.folder / "genlevel.yaml").write_text("runs: {attempts: 1}")
    done = genlevel.run(*asked, stub_upstream(error_rate=0.5).base_url)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "1 of 3 instances failed, such as nlp/Causal-Reasoning/q0000" in last
    done = genlevel.run(*asked, stub_upstream(status=400).base_url)
    assert done.returncode == 2
    run = json.loads(done.stdout)["run"]
    last = done.stderr.strip().splitlines()[-1]
    assert "no call succeeded: 3 of 3 instances failed" in last
    assert "as asked" in last
    assert f"`genlevel show {run} --failures --out 'my data'` lists what failed, `genlevel resume {run} --out 'my data'`" in last
    assert [line.split()[7:10] for line in genlevel.run("runs", "--out", "my data").stdout.splitlines() if run in line] == [["3", "3", "3"]]
    assert len(json.loads(genlevel.run("show", run, "--failures", "--out", "my data", "--json").stdout)) == 3


def test_what_stopped_a_run_is_said_with_the_command_that_continues_it(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream(status=401)
    done = genlevel.run(
        "eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(3)), "--out", "elsewhere", "--json"
    )
    assert done.returncode == 2
    assert f"`genlevel resume {json.loads(done.stdout)['run']} --out elsewhere`" in done.stderr


def test_control_characters_of_an_answer_do_not_reach_the_terminal(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream(answer="\x1b[2J\x1b]0;gone\x07\x9b31mNo.\r\nWhy?\tÄ 中")
    done = genlevel.run("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(1)), "--json")
    run = json.loads(done.stdout)["run"]
    text = genlevel.run("show", run, "--instance", "q00000").stdout
    assert "--- answered\n\\x1b[2J\\x1b]0;gone\\x07\\x9b31mNo.\nWhy?\tÄ 中\n" in text
    document = json.loads(genlevel.run("show", run, "--instance", "q00000", "--json").stdout)
    assert document[0]["answer"].startswith("\x1b[2J")


def test_control_characters_of_a_model_s_name_do_not_reach_the_terminal(genlevel, stub_upstream, choice_suite):
    suite = str(choice_suite(1))
    done = genlevel.run("eval", "--model", "m\x1b[31m\u202e", "--base-url", stub_upstream().base_url, "--suite", suite)
    run = json.loads(genlevel.run("runs", "--json").stdout)[0]["run"]
    texts = [
        done.stdout,
        *(genlevel.run(*view).stdout for view in (("runs",), ("show", run), ("certify", run), ("compare", run, run), ("level", run))),
    ]
    for text in texts:
        assert "m\\x1b[31m\\u202e" in text
        assert not {"\x1b", "\u202e"} & set(text)


def test_references_of_a_suite_of_ones_own_are_not_said_to_be_the_workbook_s(genlevel, stub_upstream, choice_suite):
    suite, url = choice_suite(2), stub_upstream().base_url
    asked = ("eval", "--model", "m", "--base-url", url, "--suite", str(suite))
    assert "references: workbook" in genlevel.run(*asked).stdout
    (suite / "suite.yaml").write_text("name: own\ntasks:\n  nlp/Causal-Reasoning: {metric: ACC, reference: 60}\n")
    shown = genlevel.run(*asked, "--limit", "1", "--json").stdout
    run = json.loads(shown)["run"]
    for command in (("show", run), ("level", run), ("level", run, "--references", "appendix")):
        done = genlevel.run(*command).stdout
        assert "references: the suite's own" in done, done
    certified = json.loads(genlevel.run("certify", run, "--references", "appendix", "--json").stdout)
    assert certified["references"] == "workbook"


def test_an_empty_answer_is_called_empty(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream(answer=" ")
    done = genlevel.run("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(1)), "--json")
    shown = genlevel.run("show", json.loads(done.stdout)["run"], "--failures").stdout
    assert shown.strip().endswith("q00000: the answer is empty")


def test_a_result_that_cannot_be_filed_is_printed_all_the_same(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream()
    (genlevel.folder / "genlevel-data").mkdir()
    (genlevel.folder / "genlevel-data" / "runs").write_text("in the way")
    done = genlevel.run("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(2)), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["instances"]["answered"] == 2
    assert "note: the result's files cannot be written to genlevel-data/runs" in done.stderr


def test_a_task_whose_annotation_is_cut_is_left_out_with_a_note(genlevel, stub_upstream, choice_suite):
    suite, stub = choice_suite(3, ("Causal-Reasoning", "TriviaQA")), stub_upstream()
    cut = suite / "nlp/TriviaQA/annotation.json"
    cut.write_text(cut.read_text()[:-40])
    done = genlevel.run("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(suite), "--json")
    assert done.returncode == 0, done.stderr
    assert f"note: nlp/TriviaQA: left out: {cut}: at item 2" in done.stderr
    card = json.loads(done.stdout)
    assert [task["score"] for task in card["tasks"]] == [100.0]
    assert card["partial"]


def test_brackets_in_names_are_shown_as_they_are(genlevel, stub_upstream, choice_suite):
    """Names are a user's or a provider's, not markup."""
    suite = choice_suite(2, ("T [red] [bold]",))
    stub = stub_upstream()
    done = genlevel.run("eval", "--model", "x[/y]", "--base-url", stub.base_url, "--suite", str(suite))
    assert done.returncode == 0, done.stderr
    assert "T [red] [bold]" in done.stdout
    assert "x[/y]" in genlevel.run("runs").stdout


@pytest.mark.parametrize("pipe", ["| head -c 1", "2>&1 >/dev/null | head -c 1", "2>&1 | head -c 1"])
def test_a_reader_that_leaves_changes_neither_the_run_nor_its_exit_code(genlevel, stub_upstream, choice_suite, pipe):
    suite = choice_suite(3, tuple(f"Task number {number} of many, so that there is much to print" for number in range(40)))
    stub = stub_upstream(status=400)
    command = [sys.executable, "-m", "genlevel", "eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(suite)]
    script = f'{{ "$@"; echo $? > code; }} {pipe}'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *command], cwd=genlevel.folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert "roken" not in done.stdout + done.stderr
    assert (genlevel.folder / "code").read_text().strip() == str(genlevel.run("eval", *command[4:]).returncode)


def test_every_series_that_is_shown_is_documented(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream()
    done = genlevel.run("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(2)), "--json")
    (scrape,) = (genlevel.folder / "genlevel-data" / "runs").glob("*/metrics.prom")
    shown = {line.split()[2] for line in scrape.read_text("utf-8").splitlines() if line.startswith("# TYPE ")}
    shown = {name for name in shown if not name.startswith(("python_", "process_")) and not name.endswith("_created")}
    assert {"genlevel_task_score", "genlevel_evaluator_judgements_total", "genlevel_gateway_requests_total"} <= shown, done.stderr
    documented = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
    assert not sorted(name for name in shown if f"`{name}`" not in documented)


@pytest.mark.parametrize(
    ("known", "most", "unknown_calls", "said"),
    [
        (0.5, 0.5, 0, "$0.5000"),
        (0.0, 0.0, 4, "$0.0000"),
        (None, 0.0, 4, "$0.0000"),
        (0.5, 0.75, 1, "at least $0.5000, at most $0.7500 (the cost of 1 call is unknown)"),
        (0.5, None, 1, "at least $0.5000, at most unknown (the cost of 1 call is unknown)"),
    ],
)
def test_a_cost_is_told_in_bounds_only_if_they_differ(known, most, unknown_calls, said) -> None:
    assert cost_told(known, most, unknown_calls) == said
