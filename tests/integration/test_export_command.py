"""``genlevel export``: what is written can be read back by what reads such files."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from genlevel.cli.export_csv import as_text
from genlevel.cli.media_files import MediaFiles
from genlevel.runtime.blobs import BlobStore
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc


@pytest.fixture
def run(genlevel, stub_upstream, choice_suite):
    """A finished run of 12 instances, and the suite's folder."""
    suite = choice_suite(12)
    done = genlevel.run("eval", "--model", "m", "--base-url", stub_upstream().base_url, "--suite", str(suite), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), suite


def export(genlevel, run, form, target, *more):
    return genlevel.run("export", run["run"], "--format", form, "--to", target, *more)


def test_the_workbook_gives_the_runs_levels_by_both_rules(genlevel, run):
    result, _ = run
    assert export(genlevel, result, "workbook", "w.xlsx").returncode == 0
    for rules in ("paper", "official"):
        level = genlevel.run("level", "w.xlsx", "--model", "m", "--rules", rules, "--json")
        assert level.returncode == 0, level.stderr
        assert json.loads(level.stdout)["language"]["wins"] == result["level"]["language"]["wins"] == 1


def test_a_workbook_of_a_part_of_the_instances_is_certified_by_their_number(genlevel, stub_upstream, choice_suite):
    url = stub_upstream(answer="Answer: A").base_url
    done = genlevel.run("eval", "--model", "m", "--base-url", url, "--suite", str(choice_suite(12)), "--limit", "1", "--json")
    result = json.loads(done.stdout)
    assert export(genlevel, result, "workbook", "w.xlsx").returncode == 0
    for command in ("level", "certify"):
        certified = json.loads(genlevel.run(command, "w.xlsx", "--model", "m", "--json").stdout)["certified"]
        (task,) = certified["tasks"]
        assert (task["units"], task["win"]) == (1, "undecided")
        of_run = result["certified"]["tasks"][0]
        assert task["interval"] == of_run["interval"]
        assert (task["p_win"], of_run["p_win"]) == (pytest.approx(0.65), 1.0), "a workbook knows no questions, of which A answers all"
        assert any(note.startswith("1 task(s) were asked in part") for note in certified["notes"])


@pytest.mark.parametrize("bare", [(), ("--bare",)])
def test_exported_predictions_score_as_the_run_did(genlevel, run, bare):
    result, suite = run
    assert export(genlevel, result, "predictions", "p", *bare).returncode == 0
    document = json.loads((genlevel.folder / "p" / "nlp" / "Causal-Reasoning" / "prediction.json").read_text())
    assert isinstance(document, list) is bool(bare)
    done = genlevel.run("score", "--annotations", str(suite), "--predictions", "p", "--model", "m", "--out", "s.xlsx", "--json")
    assert json.loads(done.stdout)["tasks"][0]["score"] == result["tasks"][0]["score"] == 100
    again = export(genlevel, result, "predictions", "p")
    assert again.returncode == 2
    assert "no file is overwritten" in again.stderr


@pytest.mark.parametrize(("answer", "score"), [("The answer is (B), surely.", 0), ("Answer: A", 100), ("Who knows?", 0)])
def test_a_prediction_is_the_answer_that_was_read_in_the_form_of_the_labels(genlevel, stub_upstream, choice_suite, answer, score):
    suite = choice_suite(3)
    done = genlevel.run("eval", "--model", "m", "--base-url", stub_upstream(answer=answer).base_url, "--suite", str(suite), "--json")
    result = json.loads(done.stdout)
    said = export(genlevel, result, "predictions", "p").stdout
    document = json.loads((genlevel.folder / "p" / "nlp" / "Causal-Reasoning" / "prediction.json").read_text())
    assert (document["task"], document["skill"], document["type"]) == ("Causal Reasoning", "", "MultipleChoiceQA")
    letter = {"The answer is (B), surely.": "B", "Answer: A": "A"}.get(answer, answer)
    assert document["data"] == [{"id": f"q{n:05d}", "prediction": letter} for n in range(3)]
    assert ("no answer could be read in 3" in said) == (letter == answer)
    export(genlevel, result, "predictions", "raw", "--raw")
    raw = json.loads((genlevel.folder / "raw" / "nlp" / "Causal-Reasoning" / "prediction.json").read_text())
    assert {entry["prediction"] for entry in raw["data"]} == {answer}
    scored = genlevel.run("score", "--annotations", str(suite), "--predictions", "p", "--model", "m", "--out", "s.xlsx", "--json")
    assert json.loads(scored.stdout)["tasks"][0]["score"] == result["tasks"][0]["score"] == score


def test_instances_without_an_answer_are_named_and_a_suite_that_is_gone_leaves_the_models_words(genlevel, stub_upstream, choice_suite):
    suite = choice_suite(7)
    failed = genlevel.run("eval", "--model", "f", "--base-url", stub_upstream(status=400).base_url, "--suite", str(suite), "--json")
    said = export(genlevel, json.loads(failed.stdout), "predictions", "none").stdout
    assert "0 predictions of 0 tasks; left out: 7 failed (nlp/Causal-Reasoning/q0000" in said
    assert "and 2 more" in said
    done = genlevel.run("eval", "--model", "m", "--base-url", stub_upstream(answer="Answer: A").base_url, "--suite", str(suite), "--json")
    shutil.rmtree(suite)
    said = export(genlevel, json.loads(done.stdout), "predictions", "p").stdout
    assert "as the model's own words in nlp/Causal-Reasoning" in said
    document = json.loads((genlevel.folder / "p" / "nlp" / "Causal-Reasoning" / "prediction.json").read_text())
    assert document["data"][0]["prediction"] == "Answer: A"
    assert export(genlevel, json.loads(done.stdout), "csv", "a.csv").returncode == 0


def test_predictions_of_a_partial_run_say_which_tasks_lack_how_many(genlevel, stub_upstream, choice_suite):
    suite = choice_suite(9, ("Causal-Reasoning", "Abductive-Reasoning"))
    arguments = ("eval", "--model", "m", "--base-url", stub_upstream(answer="Answer: A").base_url, "--suite", str(suite), "--json")
    limited = json.loads(genlevel.run(*arguments, "--limit", "2", "--tasks", "*Causal*").stdout)
    said = export(genlevel, limited, "predictions", "p").stderr.splitlines()
    assert said == [
        f"note: run {limited['run']} is partial: 16 of the suite's 18 instances have no prediction; without --only-predicted"
        " `genlevel score` counts them as wrong or unsupported",
        "note: nlp/Abductive-Reasoning lacks 9 of 9 predictions",
        "note: nlp/Causal-Reasoning lacks 7 of 9 predictions",
    ]
    whole = json.loads(genlevel.run(*arguments).stdout)
    assert whole["partial"]  # these are two of the benchmark's tasks, but all that the suite has
    assert export(genlevel, whole, "predictions", "w").stderr == ""
    shutil.rmtree(suite)
    gone = export(genlevel, limited, "predictions", "g").stderr
    assert f"run {limited['run']} is partial; the number of missing predictions is not known" in gone


def test_csv_has_a_row_an_instance_and_json_is_the_result(genlevel, run):
    result, _ = run
    assert export(genlevel, result, "csv", "a.csv").returncode == 0
    with (genlevel.folder / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"] for row in rows} == {f"q{n:05d}" for n in range(12)}
    assert {(row["answer"], row["parsed"], row["label"], row["score"]) for row in rows} == {("A", "A", "A", "100.0")}
    assert {(row["task_chance"], row["task_best_constant"], row["repeat"]) for row in rows} == {("50.0", "100.0", "0")}
    assert export(genlevel, result, "json", "r.json").returncode == 0
    assert json.loads((genlevel.folder / "r.json").read_text()) == result


def test_csv_says_what_was_read_in_the_form_of_the_label_and_what_could_not_be_read_and_why(genlevel, stub_upstream, tmp_path):
    folder = tmp_path / "texts" / "nlp" / "Causal-Reasoning"
    folder.mkdir(parents=True)
    options = ["dry", "wet"]
    data = [{"id": f"q{n}", "input": {"question": f"{n}?", "options": options}, "output": {"answer": options[n]}} for n in range(2)]
    (folder / "annotation.json").write_text(json.dumps({"task": "Causal-Reasoning", "type": "MultipleChoiceQA", "data": data}))

    def rows(answer, name):
        base = stub_upstream(answer=answer).base_url
        done = genlevel.run("eval", "--model", name, "--base-url", base, "--suite", str(tmp_path / "texts"), "--json")
        result = json.loads(done.stdout)
        assert export(genlevel, result, "csv", f"{name}.csv").returncode == 0
        with (genlevel.folder / f"{name}.csv").open(newline="") as file:
            return result, sorted(csv.DictReader(file), key=lambda row: row["id"])

    result, read = rows("It is (B).", "m")
    assert [(row["outcome"], row["parsed"], row["label"], row["score"]) for row in read] == [
        ("answered", "B", "A", "0.0"),
        ("answered", "B", "B", "100.0"),
    ]
    assert sum(float(row["score"]) for row in read) / 2 == result["tasks"][0]["score"]
    result, unread = rows("A or B", "n")
    assert [(row["outcome"], row["parsed"], row["score"], row["error"]) for row in unread] == [
        ("unparsable", "", "0.0", "it names several letters: A, B")
    ] * 2
    assert result["instances"]["unparsable"] == 2
    (shown,) = json.loads(genlevel.run("show", result["run"], "--instance", "q1", "--json").stdout)
    assert (shown["outcome"], shown["error"]) == ("unparsable", "it names several letters: A, B")
    assert {entry["error"] for entry in json.loads(genlevel.run("show", result["run"], "--failures", "--json").stdout)} == {shown["error"]}


@pytest.mark.parametrize(
    ("text", "cell"),
    [("+1+1", "'+1+1"), ("-x", "'-x"), ("@SUM(A1)", "'@SUM(A1)"), ("+1.5e3", "+1.5e3"), ("A=1", "A=1"), ("", ""), (None, None)],
)
def test_numbers_are_left_as_they_are(text, cell):
    assert as_text(text) == cell


@pytest.mark.parametrize("answer", ["=HYPERLINK(1)", "-5"])
def test_csv_has_no_text_that_a_spreadsheet_would_run(genlevel, stub_upstream, choice_suite, answer):
    url = stub_upstream(answer=answer).base_url
    done = genlevel.run("eval", "--model", "m", "--base-url", url, "--suite", str(choice_suite(1)), "--json")
    assert export(genlevel, json.loads(done.stdout), "csv", "a.csv").returncode == 0
    with (genlevel.folder / "a.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["answer"] == (answer if answer == "-5" else f"'{answer}")


def test_a_place_that_cannot_be_written_is_named(genlevel, run):
    result, _ = run
    (genlevel.folder / "file").write_text("")
    done = export(genlevel, result, "csv", "file/a.csv")
    assert done.returncode == 2
    assert "file/a.csv" in done.stderr


@pytest.mark.parametrize("form", ["workbook", "csv", "json"])
def test_folders_on_the_way_are_made_as_they_are_for_predictions(genlevel, run, form):
    done = export(genlevel, run[0], form, f"no/such/folder/{form}.xlsx")
    assert done.returncode == 0, done.stderr
    assert (genlevel.folder / f"no/such/folder/{form}.xlsx").is_file()


def test_media_of_answers_lie_in_a_folder_of_their_kind_whatever_the_ids_are(tmp_path):
    blobs = BlobStore.open(tmp_path / "blobs")
    stored = sc.File(mime_type="image/png", blob=blobs.put(b"a picture", "image/png"))
    sound = sc.File(mime_type="audio/wav", blob=blobs.put(b"a sound", "audio/wav"))
    media, folder = MediaFiles(tmp_path / "blobs"), tmp_path / "p"
    folder.mkdir()
    assert media.write(folder, ev.ListAnswersResponse(instance_id="q1", files=[stored, sound])) == ("images/q1.png", "audios/q1_1.wav")
    assert (folder / "images/q1.png").read_bytes() == b"a picture"
    for hostile in ("../../q1", "/etc/passwd", "a/b", "..", "", "x" * 300):
        (written,) = media.write(folder, ev.ListAnswersResponse(instance_id=hostile, files=[stored]))
        assert (folder / written).resolve().parent == (folder / "images").resolve()
        assert (folder / written).read_bytes() == b"a picture"
