"""Steps of the journal's schema on both databases: rows stay, a step that is killed leaves what was there."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from evaluator.journal import migrations
from evaluator.journal.journal import Journal
from evaluator.journal.tables import HEAD, metadata
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.runtime.schema import Schema, schema_differences
from genlevel.runtime.storage import open_engine, sqlite_url

VERSIONS = Path(migrations.__path__[0]) / "versions"
KEYED = ("evaluator_answers", "evaluator_judgements", "evaluator_people_ratings")
ROWS = 3000
ANSWER = (
    "insert into evaluator_answers (run_id, task, instance_id, outcome, raw_answer, finish_reason, error_class, error, attempts, waits, "
    "input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_nano_usd, upstream_s, provider_model, "
    "response_id, request_hash, created, output_images, output_milliseconds, files) values "
    "('r', 't', :id, 1, 'said', 1, 0, '', 1, 0, 1, 2, 3, 4, 5, 60, 0.5, 'm', 'x', 'h', 7.5, 8, 9, '[]')"
)
JUDGEMENT = (
    "insert into evaluator_judgements (run_id, task, instance_id, judge, prompt_hash, prompt_version, outcome, rating, reply, replies, "
    "error_class, error, calls, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, "
    "cost_nano_usd, created) values ('r', 't', :id, 'j', 'p', '1', 1, 70.5, 'Rating: 7', 0, 0, '', 1, 1, 2, 3, 4, 5, null, 7.5)"
)
RATING = "insert into evaluator_people_ratings (run_id, task, instance_id, rater, rating, created) values ('r', 't', :id, 'anna', 4.5, 7.5)"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def url(request, tmp_path):
    """A database of the schema before answers had their whole key, with rows."""
    url = sqlite_url(tmp_path / "j.db") if request.param == "sqlite" else request.getfixturevalue("postgresql")
    older = tmp_path / "versions"
    older.mkdir()
    for step in VERSIONS.glob("v000[123]_*.py"):
        (older / step.name).write_text(step.read_text())
    engine = open_engine(url, Schema("evaluator", "0003", older))
    ids = [{"id": f"i{number}"} for number in range(ROWS)]
    with engine.begin() as connection:
        for insertion in (ANSWER, JUDGEMENT, RATING):
            connection.execute(text(insertion), ids)
    engine.dispose()
    return url


def looked_at(url):
    """(version, rows by table, columns of their primary keys), without changing anything."""
    from sqlalchemy import create_engine

    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        version = connection.execute(text("select version_num from evaluator_alembic_version")).scalar_one()
        rows = [connection.execute(text(f"select count(*) from {table}")).scalar_one() for table in KEYED]
    keys = [inspect(engine).get_pk_constraint(table)["constrained_columns"] for table in KEYED]
    tables = {name for name in inspect(engine).get_table_names() if name.startswith("evaluator_")}
    engine.dispose()
    return version, rows, keys, tables


OLD_KEYS = [
    ["run_id", "task", "instance_id"],
    ["run_id", "task", "instance_id", "judge", "prompt_hash"],
    ["run_id", "task", "instance_id", "rater"],
]


NEW_TABLES = {f"evaluator_{name}" for name in ("traffic", "accounts", "monitors", "batches", "batch_items", "scored", "scored_blocks")} | {
    f"evaluator_monitor_{name}" for name in ("pools", "ticks", "alarms", "deliveries", "events")
}
NEW_TABLES |= {
    "evaluator_run_sums",
    "evaluator_deleted_runs",
    "evaluator_unused_files",
    "evaluator_work",
    "evaluator_member_spending",
    "evaluator_members",
    "evaluator_purses",
    "evaluator_decisions",
}


def test_answers_get_their_whole_key_and_no_row_is_lost(url):
    _, before, keys, tables = looked_at(url)
    assert (before, keys) == ([ROWS] * 3, OLD_KEYS)
    journal = Journal(url)
    assert schema_differences(journal._engine, metadata, "evaluator") == []
    answer = journal.answers_to("r", "t", [AnswerKey("i7")])[AnswerKey("i7")]
    assert (answer.raw_answer, answer.usage.reasoning_tokens, answer.usage.output_milliseconds, answer.cost_nano_usd) == ("said", 5, 9, 60)
    assert (answer.variant, answer.repeat, answer.shuffle, answer.files, answer.created) == (0, 0, 0, "[]", 7.5)
    assert answer.fingerprint == ""
    (judgement,) = journal.judgements.about("r", "t", AnswerKey("i7"))
    assert (judgement.rating, judgement.reply, judgement.cost_nano_usd, judgement.key) == (70.5, "Rating: 7", None, AnswerKey("i7"))
    assert journal.judgements.people_of("r", "t", [AnswerKey("i7")]) == {AnswerKey("i7"): {"anna": 4.5}}
    journal.close()
    version, rows, keys, now = looked_at(url)
    assert (version, rows, now - tables) == (HEAD, before, NEW_TABLES)
    assert keys == [[*old[:3], "variant", "repeat", "shuffle", *old[3:]] for old in OLD_KEYS]


@pytest.mark.parametrize("table", KEYED)
def test_a_step_that_is_killed_leaves_the_old_schema_with_its_rows(url, table):
    before = looked_at(url)
    program = textwrap.dedent("""
        import os, signal, sys
        from sqlalchemy import Engine, event
        from evaluator.journal.journal import Journal

        @event.listens_for(Engine, "after_cursor_execute")
        def kill(connection, cursor, statement, *_):
            if sys.argv[2] in statement and ("DROP TABLE" in statement or "DROP CONSTRAINT" in statement):
                os.kill(os.getpid(), signal.SIGKILL)

        Journal(sys.argv[1])
    """)
    killed = subprocess.run([sys.executable, "-c", program, url, table], capture_output=True, text=True, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert looked_at(url) == before
    Journal(url).close()
    assert looked_at(url)[:2] == (HEAD, before[1]), "the next process brings it up"


def test_a_step_back_keeps_the_plain_answers(url):
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    from evaluator.journal.migrations.versions import v0004_answer_keys as step

    journal = Journal(url)
    with journal._engine.begin() as connection:
        connection.execute(text(ANSWER.replace("files)", "files, repeat)").replace("'[]')", "'[]', 1)")), {"id": "i7"})
        with Operations.context(MigrationContext.configure(connection)):
            step.downgrade()
    journal.close()
    _, rows, keys, _ = looked_at(url)
    assert (rows, keys) == ([ROWS] * 3, OLD_KEYS)


def test_what_older_code_has_not_kept_of_a_cost_is_not_known_and_not_nothing(url):
    from sqlalchemy import create_engine

    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    attempts, tokens, cost = "0, '', 1, 0, ", "1, 2, 3, 4, 5, ", "60, 0.5"
    with engine.begin() as connection:
        connection.execute(text("insert into evaluator_reservations (run_id, number, nano_usd) values ('r', 4, 90)"))
        for instance, old, new in (
            ("a retry", attempts, "0, '', 3, 1, "),
            ("a limit", attempts, "0, '', 2, 1, "),
            ("no bill", tokens + cost, "0, 0, 0, 0, 0, null, 0.5"),
            ("no price", cost, "null, 0.5"),
            ("not asked", attempts + tokens + cost, "0, '', 0, 0, 0, 0, 0, 0, 0, null, 0.5"),
        ):
            assert old in ANSWER
            connection.execute(text(ANSWER.replace(old, new)), {"id": instance})
    engine.dispose()
    journal = Journal(url)
    names = ["i7", "a retry", "a limit", "no bill", "no price", "not asked"]
    found = journal.answers_to("r", "t", [AnswerKey(name) for name in names])
    unknown = {key.instance: (one.unknown_calls, one.unknown_nano_usd, one.unknown_tokens) for key, one in found.items()}
    nobody_knows, known = (1, None, None), (0, 0, 0)
    assert unknown == dict(zip(names, (known, nobody_knows, known, nobody_knows, known, known), strict=True))
    costs = journal.totals("r").cost
    assert (costs.unknown_costs, costs.unknown_calls, costs.most_nano_usd) == (2, 3, None)
    assert (journal.judgements.totals("r").cost.unknown_calls, journal.last_note("r")) == (ROWS, 4)
    journal.close()


def test_a_step_back_from_bounds_keeps_answers_and_notes_with_an_amount(url):
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    from evaluator.journal.migrations.versions import v0006_bounds_of_costs as step

    journal = Journal(url)
    with journal._engine.begin() as connection:
        for number, amount in ((1, "7"), (2, "null")):
            connection.execute(text(f"insert into evaluator_reservations (run_id, number, nano_usd) values ('r', {number}, {amount})"))
        with Operations.context(MigrationContext.configure(connection)):
            step.downgrade()
        assert connection.execute(text("select run_id, number, nano_usd from evaluator_reservations")).all() == [("r", 1, 7)]
    journal.close()
    assert looked_at(url)[1] == [ROWS] * 3
