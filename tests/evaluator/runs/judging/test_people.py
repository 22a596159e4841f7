"""People rate too, and are compared with the judge."""

from __future__ import annotations

import pytest

from genlevel.runtime.errors import DatasetError
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.runs.judging.bench import score_of, start


def row(task, instance, rater, rating, line=2):
    return ev.WrittenRating(task=task, instance=instance, rater=rater, rating=str(rating), where=f"r.csv:{line}")


async def test_people_rate_and_a_later_rescore_keeps_their_ratings(services, bench, suite):
    evaluator, scorer, _ = services()
    run = await start(evaluator, suite(2, Voices="MOS"), judge="")
    assert (await score_of(scorer, run, "Voices")).note == "not scored: no rating: give a CSV by --ratings"
    rows = [
        row("Voices", "s0", "anna", 4),
        row("nlp/Voices", "s0", "ben", 3),
        row("voices", "s1", "anna", 2),
        row("Voices", "s9", "anna", 2),
    ]
    response = await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id, ratings=rows))
    assert list(response.problems) == ["1 rating left out: nlp/Voices has no such instance here: 's9'"]
    score = await score_of(scorer, run, "Voices")
    assert score.score == pytest.approx((3.5 + 2) / 2)
    assert (score.task.rating_source.kind, score.task.rating_source.rated) == ("people", 2)
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    assert (await score_of(scorer, run, "Voices")).score == score.score
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id, ratings=[row("Voices", "s1", "anna", 5)]))
    assert (await score_of(scorer, run, "Voices")).score == pytest.approx((3.5 + 5) / 2), "a rater's new rating replaces the old one"
    (shown,) = [one async for one in evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, instance="nlp/Voices/s0"))]
    assert [(rating.rater, rating.rating) for rating in shown.ratings] == [("anna", 4), ("ben", 3)]


async def test_ratings_that_are_wrong_are_all_refused(services, bench, suite):
    evaluator, scorer, _ = services()
    run = await start(evaluator, suite(2, Voices="MOS"), judge="")
    rows = [row("Voices", "s0", "anna", 4), row("Voices", "s1", "anna", 6, line=3)]
    with pytest.raises(DatasetError, match=r"r.csv:3: rating: 6 is out of range"):
        await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id, ratings=rows))
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    assert not (await score_of(scorer, run, "Voices")).HasField("score")


async def test_judge_and_people_are_compared_and_never_mixed(services, bench, suite):
    evaluator, scorer, _ = services()
    marks = {0: 2, 1: 4, 2: 6, 3: 8}
    bench.judge = lambda text, calls: f"Rating: {marks[int(text.split('Describe sound ')[1][0])]}"
    run = await start(evaluator, suite(4))
    rows = [row("Sounds", f"s{number}", "anna", 10 * mark + 5) for number, mark in marks.items() if number != 3]
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id, ratings=rows))
    score = await score_of(scorer, run)
    assert score.score == pytest.approx(50), "a judge's metric is rated by the judge"
    found = score.task.rating_source.agreement
    assert (found.instances, found.mean_difference, found.kendall) == (3, pytest.approx(-5), pytest.approx(1))
    assert found.pearson == pytest.approx(1)


async def test_a_preference_in_text_is_judged_blind_to_the_place_and_people_come_first(services, bench, suite):
    evaluator, scorer, _ = services()

    def judge(text, calls):
        return (
            "Preferred: ONE"
            if "[begin answer ONE" in text and "an answer to" in text.split("[begin answer ONE")[1].split("[end")[0]
            else "Preferred: TWO"
        )

    bench.judge = judge
    folder = suite(12, Styles="User preference rates")
    run = await start(evaluator, folder)
    assert (await score_of(scorer, run, "Styles")).score == pytest.approx(100)
    shown = [request.messages[1].parts[0].text for request in bench.requests if "answer ONE" in request.messages[1].parts[0].text]
    first = sum("an answer to" in text.split("[begin answer ONE")[1].split("[end")[0] for text in shown)
    assert 0 < first < 12, "neither place is always the model's"
    rows = [row("Styles", f"s{number}", "anna", "loss" if number else "tie") for number in range(12)]
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id, ratings=rows))
    score = await score_of(scorer, run, "Styles")
    assert (score.score, score.task.rating_source.kind) == (pytest.approx(100 * 0.5 / 12), "people")
    assert score.task.rating_source.agreement.instances == 12
