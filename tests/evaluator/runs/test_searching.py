"""SearchAnswers finds what looking at every answer and every score finds, and the index is as good as the last scoring."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import time
import tracemalloc
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.journal import tables
from evaluator.journal.records import Answer
from evaluator.journal.scored_table import LEFT_S, TaskState
from evaluator.runs import searching
from evaluator.runs.records import new_record
from evaluator.runs.searching import due_tasks
from evaluator.search.folding import folded
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.content import suite_content
from genlevel.benchmark.outcomes import Outcome
from genlevel.embedded import embedded_services, stored_runs
from genlevel.runtime.errors import UsageError
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.conftest import failing
from tests.evaluator.runs.asking import finish, specification
from tests.waiting import until

CHOICES, LABELS, NUMBERS = "nlp/Choices", "nlp/labels", "nlp/Numbers"  # in another order for people
METRICS = {CHOICES: "ACC", LABELS: "Micro-F1", NUMBERS: "MAE"}
SAID = {CHOICES: ["A", "B", "?", "Straße A"], LABELS: ["cat", "dog", "ЖИРАФ"], NUMBERS: ["3", "about 7", "none at all", "9"]}
INSTANCES, REPEATS = 14, 2
LOOKED_FOR = ["a", "straße", "STRASSE", "жираф", "фраге 1", "would not", "q3", "zebra"]
CASES = [folded, str.upper, str.title]


def write_suite(root):
    """Three tasks: one of shares, one whose instances have no score, one of errors."""
    for key in METRICS:
        folder = root / key
        folder.mkdir(parents=True)
        output = {CHOICES: "A", LABELS: "cat", NUMBERS: 7}[key]
        options = {"options": ["this", "that"]} if key == CHOICES else {}
        data = [{"id": f"q{n}", "input": {"question": f"ФРАГЕ {n}?", **options}, "output": {"answer": output}} for n in range(INSTANCES)]
        kind = {CHOICES: "MultipleChoiceQA", LABELS: "Classification", NUMBERS: "Counting"}[key]
        (folder / "annotation.json").write_text(json.dumps({"task": key, "type": kind, "data": data}))
    tasks = {key: {"metric": metric, "reference": 50} for key, metric in METRICS.items()}
    (root / "suite.yaml").write_text(json.dumps({"name": "searched", "tasks": tasks}))
    return root


def answer_to(run_id, key, number, repeat, draw):
    outcome = draw.choices([Outcome.ANSWERED, Outcome.REFUSED, Outcome.FAILED, Outcome.UNSUPPORTED], [12, 1, 1, 1])[0]
    answered = outcome is Outcome.ANSWERED
    return Answer(
        run_id, key, f"q{number}", outcome, raw_answer=draw.choice(SAID[key]) if answered else "", error="" if answered else "It Would Not",
        attempts=1 + draw.randrange(2), cost_nano_usd=draw.choice([None, 5, 9]), upstream_s=draw.choice([0.5, 1.5]),
        created=draw.choice([10.0, 20.0]) + number // 4, repeat=repeat,
    )  # fmt: skip


async def store(settings, folder, suite):
    draw = random.Random(5)
    async with embedded_services(settings, folder) as services:
        evaluator = services.evaluator
        journal, specified = evaluator._journal, specification(suite, base_url="http://127.0.0.1:9/v1", repeats=REPEATS)
        plan = await evaluator._planner.resolve(specified)
        record = new_record(plan, suite_hash=suite_content(plan.suite), generation=0, traffic=ev.TrafficSettings(), prompt_version="v1")
        journal.create_run(record)
        drawn = [answer_to(record.run_id, key, n, repeat, draw) for key in METRICS for n in range(INSTANCES) for repeat in range(REPEATS)]
        draw.shuffle(drawn)
        for written in [journal.record(answer) for answer in drawn]:
            await written
        await evaluator.rescore_run(ev.RescoreRunRequest(run_id=record.run_id))
        return record.run_id


class Searched:
    """A stored run, what is known of its answers by the slow way, and who is asked for them."""

    def __init__(self, settings, folder):
        self.loop = asyncio.new_event_loop()
        self.run = self.loop.run_until_complete(store(settings, folder / "data", write_suite(folder / "suite")))
        self._stack = stored_runs(settings, folder / "data")
        self.services = self.loop.run_until_complete(self._stack.__aenter__())
        self.answers = self.loop.run_until_complete(self._all())

    async def _all(self):
        listed = self.services.evaluator.list_answers(ev.ListAnswersRequest(run_id=self.run, whole=True))
        answers = [one async for one in listed]
        scored = {}
        async for one in self.services.scorer.list_instances(sc.ListInstancesRequest(run_id=self.run)):
            scored[one.task, AnswerKey(one.instance_id, one.variant, one.repeat, one.shuffle)] = one
        return [(one, scored[one.task, key_of(one)]) for one in answers]

    def search(self, **fields):
        return self.loop.run_until_complete(self.services.evaluator.search_answers(ev.SearchAnswersRequest(run_id=self.run, **fields)))

    def close(self):
        self.loop.run_until_complete(self._stack.__aexit__(None, None, None))
        self.loop.close()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def searched(request, tmp_path_factory):
    url = ""
    if request.param == "postgresql":
        server, name = request.getfixturevalue("postgresql_server"), f"searched_{uuid.uuid4().hex}"
        server.psql(f"CREATE DATABASE {name};")
        url = server.get_uri(name)
    found = Searched(Settings.model_validate({"storage": {"url": url}}), tmp_path_factory.mktemp("searched"))
    yield found
    found.close()


def key_of(one):
    return AnswerKey(one.instance_id, one.variant, one.repeat, one.shuffle)


def rightness_of(scored):
    if scored.outcome in (sc.OUTCOME_REFUSED, sc.OUTCOME_UNPARSABLE):
        return ev.RIGHTNESS_WRONG
    if scored.outcome != sc.OUTCOME_ANSWERED or not scored.HasField("score") or not scored.HasField("best"):
        return ev.RIGHTNESS_UNKNOWN
    return ev.RIGHTNESS_RIGHT if scored.score == scored.best else ev.RIGHTNESS_WRONG


def is_found(one, scored, filters):
    text = folded(filters.get("text", ""))
    written = (one.instance_id, f"ФРАГЕ {one.instance_id[1:]}?", one.raw_answer, one.error)
    score = scored.score if scored.HasField("score") else None
    least, most = filters.get("least_score"), filters.get("most_score")
    return (
        (not filters.get("outcomes") or scored.outcome in filters["outcomes"])
        and (not filters.get("rightness") or rightness_of(scored) in filters["rightness"])
        and (least is None or (score is not None and score >= least))
        and (most is None or (score is not None and score <= most))
        and any(text in folded(part) for part in written)
    )


def place_of(one, scored, order):
    away = abs(scored.best - scored.score) if scored.HasField("score") and scored.HasField("best") else None
    value = {
        ev.ANSWER_ORDER_WORST: None if away is None else -away,
        ev.ANSWER_ORDER_BEST: away,
        ev.ANSWER_ORDER_COST: -one.cost_nano_usd if one.HasField("cost_nano_usd") else None,
        ev.ANSWER_ORDER_SLOWEST: -one.upstream_s,
        ev.ANSWER_ORDER_NEWEST: -one.call.created_s,
    }.get(order, 0)
    return value is None, value or 0, one.task, one.call.created_s, key_of(one)


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "tasks": st.lists(st.sampled_from([CHOICES, "nlp/l*", "*Numbers", "none"]), min_size=1, max_size=2),
        "outcomes": st.lists(st.sampled_from([1, 2, 3, 4, 6]), min_size=1, max_size=3),
        "rightness": st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=2),
        "least_score": st.sampled_from([0.0, 2.0, 100.0]),
        "most_score": st.sampled_from([0.0, 4.0, 100.0]),
        "text": st.builds(lambda text, case: case(text), st.sampled_from(LOOKED_FOR), st.sampled_from(CASES)),
    },
)


@settings(deadline=None, max_examples=20)
@given(filters=FILTERS, order=st.sampled_from(ev.AnswerOrder.values()), limit=st.integers(7, 40))
def test_what_is_found_is_what_looking_at_every_answer_finds(searched, filters, order, limit):
    passing = [(one, scored) for one, scored in searched.answers if is_found(one, scored, filters)]
    globs = [glob.casefold().replace("*", "") for glob in filters.get("tasks", [""])]
    expected = [pair for pair in passing if any(glob in pair[0].task.casefold() for glob in globs)]
    expected.sort(key=lambda pair: place_of(*pair, order))
    page = searched.search(**filters, order=order, limit=limit)
    assert (page.found, page.unscored, page.run_id) == (len(expected), 0, searched.run)
    kinds = [(task, [rightness_of(scored) for one, scored in passing if one.task == task]) for task in sorted(METRICS)]
    assert [(one.task, one.answers, one.right, one.wrong) for one in page.tasks] == [
        (task, len(found), found.count(ev.RIGHTNESS_RIGHT), found.count(ev.RIGHTNESS_WRONG)) for task, found in kinds if found
    ]
    found = list(page.answers)
    while page.next:
        assert len(page.answers) == limit
        page = searched.search(**filters, order=order, limit=limit, after=page.next)
        assert (page.found, list(page.tasks)) == (len(expected), [])
        found += page.answers
    assert [(one.task, key_of(one)) for one in found] == [(one.task, key_of(one)) for one, _scored in expected]
    for one, (answer, scored) in zip(found, expected, strict=True):
        assert (one.excerpt, one.error, one.attempts) == (answer.raw_answer, answer.error, answer.attempts)
        assert (one.outcome, one.rightness, one.question) == (scored.outcome, rightness_of(scored), f"ФРАГЕ {one.instance_id[1:]}?")
        assert (one.HasField("score"), one.score, one.best) == (scored.HasField("score"), scored.score, scored.best)
        assert (one.HasField("cost_nano_usd"), one.cost_nano_usd) == (answer.HasField("cost_nano_usd"), answer.cost_nano_usd)
        assert (one.upstream_s, one.created_s, one.files) == (answer.upstream_s, answer.call.created_s, 0)


def test_the_run_of_these_tests_has_each_kind_of_answer(searched):
    kinds = {(one.task, one.outcome, one.rightness) for one in searched.search(limit=500).answers}
    assert {outcome for _task, outcome, _kind in kinds} == {1, 2, 3, 4, 6}
    assert {kind for task, _outcome, kind in kinds if task == NUMBERS} == {1, 2, 3}
    assert {kind for task, outcome, kind in kinds if task == LABELS and outcome == sc.OUTCOME_ANSWERED} == {ev.RIGHTNESS_UNKNOWN}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"limit": 501}, "limit: 501 is more than a page has"),
        ({"outcomes": [9]}, "outcomes: no outcome has the number 9"),
        ({"rightness": [0]}, "rightness: there is no 0"),
        ({"order": 17}, "order: there is no 17"),
        ({"least_score": float("nan")}, "least_score"),
        ({"text": "x" * 1001}, "text: it has 1,001 characters"),
        ({"after": "x"}, "after: it is broken; ask for the first page again"),
        ({"tasks": ["*" * 300]}, "tasks has too many or too long patterns"),
    ],
)
def test_a_wrong_request_is_one_line_that_names_the_field(searched, fields, said):
    with pytest.raises(UsageError, match=said):
        searched.search(**fields)


def test_a_page_of_another_search_is_refused(searched):
    first = searched.search(limit=1)
    with pytest.raises(UsageError, match="after: it is of another search"):
        searched.search(limit=1, text="a", after=first.next)
    assert searched.search(limit=3, after=first.next).answers


# -- the index ---------------------------------------------------------------------------------------------------------


async def found_in(evaluator, run, **fields):
    return await evaluator.search_answers(ev.SearchAnswersRequest(run_id=run.run_id, **fields))


def counted(response):
    return {one.task: (one.answers, one.right, one.wrong) for one in response.tasks}


async def test_a_run_is_indexed_as_it_is_scored_and_scored_again(make_evaluator, suite_folder, monkeypatch):
    evaluator, _scorer = make_evaluator()
    monkeypatch.setattr(searching, "due_tasks", lambda *_: [])
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(6))))
    assert counted(await found_in(evaluator, run)) == {"nlp/Causal-Reasoning": (6, 3, 3)}
    (one,) = (await found_in(evaluator, run, text="QUESTION 4?")).answers
    assert (one.instance_id, one.excerpt, one.question, one.score, one.best) == ("q4", "A", "Question 4?", 0.0, 100.0)
    file = suite_folder(0) / "nlp" / "Causal-Reasoning" / "annotation.json"
    suite_folder(6)
    file.write_text(file.read_text().replace('"answer": "B"', '"answer": "A"'))
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    assert counted(await found_in(evaluator, run)) == {"nlp/Causal-Reasoning": (6, 6, 0)}


async def test_a_run_from_before_there_was_an_index_is_indexed_when_it_is_first_searched(make_evaluator, suite_folder, tmp_path):
    evaluator, _scorer = make_evaluator()
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(6))))
    forget_index(tmp_path)
    response = await found_in(evaluator, run, text="question 4")
    assert (response.found, response.unscored, counted(response)) == (1, 0, {"nlp/Causal-Reasoning": (1, 0, 1)})


def forget_index(tmp_path, *statements):
    with sqlite3.connect(tmp_path / "data" / "genlevel.db") as database:
        for statement in statements or ("delete from evaluator_scored", "delete from evaluator_scored_blocks"):
            database.execute(statement)
    database.close()


async def test_what_was_scored_and_not_indexed_is_indexed_when_it_is_searched(make_evaluator, suite_folder, tmp_path):
    """As after a kill between the two: the task is still marked as being scored."""
    evaluator, _scorer = make_evaluator()
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(6))))
    forget_index(tmp_path, "update evaluator_scored set open = 1", "update evaluator_scored_blocks set rightness = x'010101010101'")
    assert counted(await found_in(evaluator, run)) == {"nlp/Causal-Reasoning": (6, 6, 0)}, "somebody may still be scoring it"
    forget_index(tmp_path, f"update evaluator_scored set begun = begun - {LEFT_S + 1}")
    assert counted(await found_in(evaluator, run)) == {"nlp/Causal-Reasoning": (6, 3, 3)}


async def test_scoring_that_fails_leaves_nothing_that_may_be_wrong(make_evaluator, suite_folder, monkeypatch):
    evaluator, scorer = make_evaluator()
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(6))))

    async def fails(requests):
        raise UsageError("as told")

    monkeypatch.setattr(scorer, "score_task", fails)
    with pytest.raises(UsageError, match="as told"):
        await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    table = evaluator._journal.scored
    await evaluator._journal.written()
    assert due_tasks(table.states(run.run_id), time.time()) == ["nlp/Causal-Reasoning"]
    assert counted(await found_in(evaluator, run)) == {"nlp/Causal-Reasoning": (6, 3, 3)}
    assert due_tasks(table.states(run.run_id), 1e12) == []


async def test_a_tick_that_was_searched_is_indexed_again_once_it_is_scored_again(make_evaluator, suite_folder):
    """The runs of monitors are indexed when they are searched, and no sooner: but what is indexed is never what they were."""
    evaluator, _scorer = make_evaluator()
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(6), occasion="tick 1")))
    assert evaluator._journal.scored.states(run.run_id)["nlp/Causal-Reasoning"].indexed == 0
    assert counted(await found_in(evaluator, run)) == {"nlp/Causal-Reasoning": (6, 3, 3)}
    file = suite_folder(6) / "nlp" / "Causal-Reasoning" / "annotation.json"
    file.write_text(file.read_text().replace('"answer": "B"', '"answer": "A"'))
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    await evaluator._journal.written()
    assert counted(await found_in(evaluator, run)) == {"nlp/Causal-Reasoning": (6, 6, 0)}


async def test_a_tick_that_was_searched_before_it_was_scored_has_its_scores_then(make_evaluator, suite_folder, monkeypatch):
    evaluator, scorer = make_evaluator()
    usual, found = scorer.score_task, []

    async def searched_first(requests):
        if not found:
            (run,) = (await evaluator.list_runs(ev.ListRunsRequest(ticks=True))).runs
            found.append(await found_in(evaluator, run))
        return await usual(requests)

    monkeypatch.setattr(scorer, "score_task", searched_first)
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(6), occasion="tick 1")))
    assert found[0].unscored == 6
    await evaluator._journal.written()
    assert counted(await found_in(evaluator, run)) == {"nlp/Causal-Reasoning": (6, 3, 3)}


@pytest.mark.parametrize("status", [ev.RUN_STATUS_RUNNING, ev.RUN_STATUS_INTERRUPTED])
async def test_failures_that_were_asked_again_and_never_scored_are_what_they_became(make_evaluator, suite_folder, scripted, status):
    """As after a kill while failures are asked again: the task has as many answers as are indexed."""
    evaluator, _scorer = make_evaluator(attempts=1)
    scripted.script = lambda question, calls: "A" if question != "Question 1?" else failing(gw.ERROR_CLASS_TIMEOUT)(question, calls)
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(6))))
    failed = ev.SearchAnswersRequest(run_id=run.run_id, outcomes=[sc.OUTCOME_FAILED])
    assert (await evaluator.search_answers(failed)).found == 1
    journal = evaluator._journal
    await journal.record(Answer(run.run_id, "nlp/Causal-Reasoning", "q1", Outcome.ANSWERED, raw_answer="A", created=time.time()))
    journal.update_run(run.run_id, status=status)
    journal.scored._submit(
        lambda connection: connection.execute(tables.scored.update().values(begun=1.0)), None
    )  # it is not of this moment
    await journal.written()
    assert (await evaluator.search_answers(failed)).found == 0
    (one,) = (await found_in(evaluator, run, rightness=[ev.RIGHTNESS_UNKNOWN])).answers
    assert (one.instance_id, one.outcome, one.excerpt) == ("q1", sc.OUTCOME_ANSWERED, "A")


async def test_what_takes_long_to_score_is_indexed_in_the_end(make_evaluator, suite_folder, monkeypatch, tmp_path):
    """Longer than until it is taken for what never ends: whoever searches meanwhile indexes what there is then."""
    evaluator, scorer = make_evaluator()
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(6))))
    file = suite_folder(6) / "nlp" / "Causal-Reasoning" / "annotation.json"
    file.write_text(file.read_text().replace('"answer": "B"', '"answer": "A"'))
    usual, found = scorer.score_task, []

    async def slow(requests):
        forget_index(tmp_path, f"update evaluator_scored set begun = begun - {LEFT_S + 1}")
        found.append(counted(await found_in(evaluator, run)))
        return await usual(requests)

    monkeypatch.setattr(scorer, "score_task", slow)
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    assert found == [{"nlp/Causal-Reasoning": (6, 3, 3)}]
    assert counted(await found_in(evaluator, run)) == {"nlp/Causal-Reasoning": (6, 6, 0)}


async def test_whoever_begins_later_is_the_one_who_writes(make_evaluator, suite_folder):
    evaluator, _scorer = make_evaluator()
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(3))))
    table = evaluator._journal.scored
    early, late = table.claim(run.run_id, "nlp/Causal-Reasoning"), table.begin(run.run_id, "nlp/Causal-Reasoning")
    assert table.claim(run.run_id, "nlp/Causal-Reasoning") is None, "it is being scored"
    await table.write(run.run_id, "nlp/Causal-Reasoning", early, [], first=0, last=True, with_scores=False)
    assert (await found_in(evaluator, run)).found == 3
    await table.write(run.run_id, "nlp/Causal-Reasoning", late, [], first=0, last=True, with_scores=False)
    assert table.states(run.run_id)["nlp/Causal-Reasoning"].indexed == 0


async def test_answers_that_are_not_scored_yet_are_found_and_counted(make_evaluator, suite_folder):
    evaluator, _scorer = make_evaluator()
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(3))))
    journal = evaluator._journal
    for number in range(4):
        await journal.record(
            Answer(run.run_id, "nlp/Other", f"q{number}", Outcome.ANSWERED, raw_answer="Quite Other", created=float(number))
        )
    response = await found_in(evaluator, run, text="quite")
    assert ([one.instance_id for one in response.answers], response.unscored) == (["q0", "q1", "q2", "q3"], 4)
    assert {one.rightness for one in response.answers} == {ev.RIGHTNESS_UNKNOWN}


async def test_indexing_goes_on_beside_whoever_does_not_wait_for_it(make_evaluator, suite_folder, tmp_path, monkeypatch):
    evaluator, scorer = make_evaluator()
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(3))))
    forget_index(tmp_path)
    monkeypatch.setattr(searching, "_WAIT_S", 0.01)
    usual, gate = scorer.list_instances, asyncio.Event()

    async def late(request):
        await gate.wait()
        async for one in usual(request):
            yield one

    monkeypatch.setattr(scorer, "list_instances", late)
    assert [(one.found, one.unscored, one.indexing) for one in [await found_in(evaluator, run)]] == [(0, 3, True)]
    gate.set()
    await until(lambda: not evaluator._search._indexing)
    assert [(one.found, one.unscored, one.indexing) for one in [await found_in(evaluator, run)]] == [(3, 0, False)]


def test_a_task_is_due_if_nobody_else_will_index_it():
    def state(answers, indexed, *, busy=False, left=False, begun=1000.0):
        return {"t": TaskState(answers, indexed, scored=True, busy=busy, left=left, begun=begun)}

    assert not due_tasks(state(10, 10), 1e9)
    assert due_tasks(state(10, 0, begun=0.0), 1000.0)
    assert not due_tasks(state(10, 0, busy=True), 1e9)
    assert due_tasks(state(10, 10, left=True), 1000.0)
    assert not due_tasks(state(100, 95), 1004.0), "it goes on, and is not indexed again for each answer"
    assert due_tasks(state(100, 95), 1006.0)
    assert due_tasks(state(5, 10), 1006.0)
    assert not due_tasks(state(50_001, 50_000), 1024.0), "that takes a while"
    assert due_tasks(state(50_001, 50_000), 1026.0)


async def test_a_page_of_long_answers_takes_little_memory(make_evaluator, suite_folder):
    """Of each answer only a part is read, and one answer after another."""
    evaluator, _scorer = make_evaluator()
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(suite_folder(1))))
    journal = evaluator._journal
    long = "\N{DESERET CAPITAL LETTER LONG I}" * 110_000
    for number in range(40):
        await journal.record(Answer(run.run_id, "nlp/Other", f"q{number}", Outcome.ANSWERED, raw_answer=f"{number} {long}", created=1.0))
    await found_in(evaluator, run)
    await until(lambda: not evaluator._search._indexing)
    tracemalloc.start()
    response = await found_in(evaluator, run, text="\N{DESERET SMALL LETTER LONG I}" * 4, limit=500)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [len(one.excerpt) for one in response.answers] == [300] * 40
    assert most < 10 << 20
