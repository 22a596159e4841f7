"""The evaluator's tables: runs, raw answers, judgements of them, people's ratings, open calls, batches, what traffic was like, an index of
answers, who works on what of runs that many share, what is decided of runs before all is asked, and what is kept of deleted runs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, Double, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

from evaluator.journal.usage import BUCKETS, TOKEN_BUCKETS

HEAD = "0016"

metadata = MetaData()


def _answer_key() -> list[Column[int]]:
    """What, beside run, task and instance, says which answer is meant."""
    return [Column(name, Integer, primary_key=True, autoincrement=False, server_default="0") for name in ("variant", "repeat", "shuffle")]


def _usage(buckets: Sequence[str]) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False, server_default=None if name in TOKEN_BUCKETS else "0") for name in buckets]


def _unknown() -> list[Column[int]]:
    """What is not known of the bills: of how many calls, and the most that they may have taken; NULL = nobody can tell."""
    return [
        Column("unknown_calls", Integer, nullable=False, server_default="0"),
        Column("unknown_nano_usd", BigInteger, server_default="0"),
        Column("unknown_tokens", BigInteger, server_default="0"),
    ]


runs = Table(
    "evaluator_runs",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("identity", String(12), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("specification", Text, nullable=False),  # RunSpecification as JSON
    Column("suite", Text, nullable=False),
    Column("benchmark", Text, nullable=False),
    Column("partial", Integer, nullable=False),
    Column("plan", Text, nullable=False),  # JSON: [[task key, instances asked], ...] in order
    Column("total", BigInteger, nullable=False),
    Column("priced", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("traffic", Text, nullable=False),  # TrafficSettings as JSON, of the latest start
    Column("calls", BigInteger, nullable=False),
    Column("retries", BigInteger, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("wanted", Integer, nullable=False, server_default="0"),  # Wanted
    Column("wishes", Integer, nullable=False, server_default="0"),  # how many there were: whoever works on the run sees a new one
    Column("at_once", Integer, nullable=False, server_default="0"),  # a stop that ends calls in flight, too
    Column("retry_failed", Integer, nullable=False, server_default="0"),  # as the latest start was asked for
    Column("judge_only", Integer, nullable=False, server_default="0"),
    Column("vain_starts", Integer, nullable=False, server_default="0"),  # continued starts since the last one that got anywhere
    Column("continued", Float, nullable=False, server_default="0"),  # when a service last continued it
    Column("model", Text, nullable=False, server_default=""),  # as the specification names it
    Column("covers", Text, nullable=False, server_default="[]"),  # JSON: what its tasks are called, in its suite and in its benchmark
    Column("plan_number", Integer, nullable=False, server_default="0"),  # which try it is, from 1; 0 = not told
    Column("facts", Text, nullable=False, server_default=""),  # RunFacts as JSON; empty = not known
    Column("occasion", Text, nullable=False, server_default=""),  # as the specification has it; such a run is no try at a verdict
    Column("name", Text, nullable=False, server_default=""),  # what people call it
    Column("tags", Text, nullable=False, server_default="[]"),  # JSON: their words for it
    Column("notes", Text, nullable=False, server_default=""),
    Index("ix_evaluator_runs_identity", "identity"),
    Index("ix_evaluator_runs_model", "model", "benchmark"),
    Index("ix_evaluator_runs_occasion", "occasion", "model", "benchmark"),
    Index("ix_evaluator_runs_wanted", "wanted"),
)

answers = Table(
    "evaluator_answers",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("task", Text, primary_key=True),
    Column("instance_id", Text, primary_key=True),
    *_answer_key(),
    Column("outcome", Integer, nullable=False),
    Column("raw_answer", Text, nullable=False),
    Column("finish_reason", Integer, nullable=False),
    Column("error_class", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("waits", Integer, nullable=False),
    *_usage(BUCKETS),
    Column("cost_nano_usd", BigInteger),
    Column("upstream_s", Float, nullable=False),
    Column("provider_model", Text, nullable=False),
    Column("response_id", Text, nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("created", Float, nullable=False),
    Column("files", Text, nullable=False, server_default=""),  # JSON: [[sha256, bytes, MIME type], ...] in the answer's order
    *_unknown(),
    Column("excess", Double, nullable=False, server_default="0"),  # how many times its worst case a call took; 0 = none took more
    Column("parameters", Text, nullable=False, server_default=""),  # JSON: those that were really sent; empty = not known
    Column("fingerprint", Text, nullable=False, server_default=""),  # what the provider said of the system that answered
    Column("member", Integer, nullable=False, server_default="0"),  # of the run, that asked last; 0 = whoever had the run alone
)

reservations = Table(
    "evaluator_reservations",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("nano_usd", BigInteger),  # at most; NULL = not known
    Column("task", Text, nullable=False, server_default=""),
    Column("judges", Integer, nullable=False, server_default="0"),  # whether it is the judge that is asked
    Column("calls", Integer, nullable=False, server_default="1"),
    Column("tokens", BigInteger),  # at most; NULL = not known
    Column("member", Integer, nullable=False, server_default="0"),  # as of answers
)

judgements = Table(
    "evaluator_judgements",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("task", Text, primary_key=True),
    Column("instance_id", Text, primary_key=True),
    *_answer_key(),
    Column("judge", Text, primary_key=True),  # provider/model
    Column("prompt_hash", String(12), primary_key=True),
    Column("prompt_version", Text, nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("rating", Double),
    Column("reply", Text, nullable=False),
    Column("replies", Integer, nullable=False),
    Column("error_class", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    *_usage(TOKEN_BUCKETS),  # a judge replies in text
    Column("cost_nano_usd", BigInteger),
    Column("created", Float, nullable=False),
    *_unknown(),
    Column("excess", Double, nullable=False, server_default="0"),
)

run_judges = Table(
    "evaluator_run_judges",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("judge", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("prompts", Text, nullable=False),  # JSON: {metric id: [version, hash]}
    Column("complete", Integer, nullable=False),
    Column("created", Float, nullable=False),
)

people_ratings = Table(
    "evaluator_people_ratings",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("task", Text, primary_key=True),
    Column("instance_id", Text, primary_key=True),
    *_answer_key(),
    Column("rater", Text, primary_key=True),
    Column("rating", Double, nullable=False),
    Column("created", Float, nullable=False),
)

traffic = Table(
    "evaluator_traffic",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("start_s", BigInteger, primary_key=True, autoincrement=False),  # Unix seconds, a multiple of the width
    Column("width_s", BigInteger, nullable=False),
    Column("seen_s", Double, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("limited", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("account_calls", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("in_flight_s", Double, nullable=False),  # the sum over the seconds that were seen, as of the following
    Column("concurrency_s", Double, nullable=False),
    Column("paced_s", Double, nullable=False),
    Column("paced_calls", Double, nullable=False),
    Column("stated", Integer, nullable=False),
    Column("waits_s", Text, nullable=False),  # JSON: {reason: seconds}
)

work = Table(  # of runs that many evaluators share
    "evaluator_work",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("start", BigInteger, nullable=False),  # of the run's start that made it: what belongs to an earlier one is void
    Column("kind", Integer, nullable=False),  # WorkKind
    Column("task", Text, nullable=False),
    Column("first", BigInteger, nullable=False, server_default="0"),  # place of the first instance in the task's plan
    Column("count", Integer, nullable=False, server_default="0"),  # instances
    Column("needs", Text, nullable=False, server_default=""),  # of the worker that scores it
    Column("state", Integer, nullable=False),  # WorkState
    Column("member", Integer, nullable=False, server_default="0"),  # who has it, or had it last; 0 = nobody has
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),  # why it is given up
    Index("ix_evaluator_work_state", "run_id", "state"),
)

members = Table(  # processes that work on a run that many share; one that comes again is another member
    "evaluator_members",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("start", BigInteger, nullable=False),
    Column("process", Text, nullable=False),
    Column("lease", Text, nullable=False),  # its name
    Column("fence", BigInteger, nullable=False),  # its number
    Column("state", Integer, nullable=False),  # MemberState
    # What it may spend at most (-1: it has no cap that it knows of), and what it has spent: at its last look, or at most once it is closed.
    Column("granted_nano_usd", BigInteger, nullable=False, server_default="0"),
    Column("granted_tokens", BigInteger, nullable=False, server_default="0"),
    Column("settled_nano_usd", BigInteger, nullable=False, server_default="0"),
    Column("settled_tokens", BigInteger, nullable=False, server_default="0"),
    Column("wanting", Integer, nullable=False, server_default="0"),  # a call of its waits for money that others may have to spare
    Column("excess", Text, nullable=False, server_default=""),  # JSON: evaluator.sharing.excesses.Taught, by its bills; "" = none
    Column("counts", Text, nullable=False, server_default="{}"),  # JSON: what it has done and does now, as evaluator.sharing.counts has it
    Column("ending", Text, nullable=False, server_default=""),  # JSON: why the whole run is to end, if it says so
    Index("ix_evaluator_members_state", "state"),
)

purses = Table(  # of runs that many share
    "evaluator_purses",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("through", Integer, nullable=False),  # the last member whose spending is in the base
    Column("base_nano_usd", BigInteger, nullable=False),  # what was spent before that and beside it, at most
    Column("base_tokens", BigInteger, nullable=False),
    Column("excess", Text, nullable=False, server_default=""),  # as of members: what was learnt of bills until then
)

member_spending = (
    Table(  # what the answers of each member took, as they are journalled: an answer that another asks again becomes that one's
        "evaluator_member_spending",
        metadata,
        Column("run_id", String(40), primary_key=True),
        Column("member", Integer, primary_key=True, autoincrement=False),
        Column("task", Text, primary_key=True),
        # As evaluator.journal.records.Spent has them.
        *[
            Column(f"{name}_{unit}", BigInteger, nullable=name == "most", server_default=None if name == "most" else "0")
            for name in ("known", "most", "calls", "worst")
            for unit in ("nano_usd", "tokens")
        ],
        Column("excess", Double, nullable=False, server_default="0"),
    )
)

accounts = Table(
    "evaluator_accounts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("learnt", Text, nullable=False),  # genlevel.runtime.limits.Learnt as JSON
    Column("at_s", Double, nullable=False),  # Unix seconds: when it was learnt
)

batches = Table(
    "evaluator_batches",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("key", String(64), nullable=False),  # by which it is found at the provider
    Column("provider", Text, nullable=False),
    Column("state", Integer, nullable=False),  # BatchStep
    Column("batch_id", Text, nullable=False, server_default=""),  # the provider's
    Column("items", Integer, nullable=False, server_default="0"),
    Column("answered", Integer, nullable=False, server_default="0"),  # as the provider says
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False, server_default="0"),  # Unix seconds; 0 = not known
    Column("parameters", Text, nullable=False, server_default="[]"),  # JSON: those that its items are asked with, each once
    Column("cancel", Integer, nullable=False, server_default="0"),  # a person wants it cancelled
    Column("cancelled", Integer, nullable=False, server_default="0"),  # the provider may have been told so
    Column("found", Integer, nullable=False, server_default="0"),  # by its key: what the provider did not take of it is not known
    Index("ix_evaluator_batches_state", "state"),
)

batch_items = Table(
    "evaluator_batch_items",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("batch", Integer, nullable=False),
    Column("task", Text, nullable=False),
    Column("instance_id", Text, nullable=False),
    *[Column(name, Integer, nullable=False, server_default="0") for name in ("variant", "repeat", "shuffle")],
    Column("state", Integer, nullable=False),  # ItemState
    Column("tries", Integer, nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("asked", Integer, nullable=False),  # place of its parameters in its batch's
    Column("nano_usd", BigInteger),  # at most; NULL = not known
    Column("tokens", BigInteger, nullable=False),  # at most
    Column("output_tokens", BigInteger, nullable=False),
    Index("ix_evaluator_batch_items_batch", "run_id", "batch"),
    Index("ix_evaluator_batch_items_key", "run_id", "task", "instance_id"),
)

run_sums = Table(
    "evaluator_run_sums",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("updated", Double, nullable=False),  # the run's when they were added up: they hold while that is the same
    Column("sums", Text, nullable=False),  # evaluator.journal.sums.Sums as JSON
)

decisions = Table(
    "evaluator_decisions",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("updated", Double, nullable=False),  # Unix seconds
    Column("decision", Text, nullable=False),  # EarlyDecision as JSON
)

deleted_runs = Table(
    "evaluator_deleted_runs",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("deleted", Double, primary_key=True),  # Unix seconds: what is made of the same answers again has the same id
    Column("identity", String(12), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("model", Text, nullable=False),
    Column("benchmark", Text, nullable=False),
    Column("covers", Text, nullable=False),  # as of runs; empty list: it was no try
    Column("plan_number", Integer, nullable=False),
    Column("created", Double, nullable=False),
    Column("first_answers", Text, nullable=False),  # JSON: {task: [its plan's number, what tells its earliest answer apart, ...]}
    Column("cleared", Integer, nullable=False),  # all that it had is removed
    Index("ix_evaluator_deleted_runs_identity", "identity"),
    Index("ix_evaluator_deleted_runs_model", "model", "benchmark"),
    Index("ix_evaluator_deleted_runs_cleared", "cleared"),
)

unused_files = Table(
    "evaluator_unused_files",
    metadata,
    Column("sha256", String(64), primary_key=True),  # of a stored file of a deleted run; another run may have it
    Column("bytes", BigInteger, nullable=False),
)

scored = Table(
    "evaluator_scored",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("task", Text, primary_key=True),
    Column("number", Integer, nullable=False),  # of who indexes it: what an earlier one writes late is not written
    Column("begun", Double, nullable=False),  # Unix seconds
    Column("open", Integer, nullable=False),  # it is being scored: what is indexed is from before
    Column("answers", BigInteger, nullable=False),  # in the index
    Column("with_scores", Integer, nullable=False),  # whether the scorer had scored it
)

scored_blocks = Table(  # as evaluator.search.blocks packs them; the large columns are last
    "evaluator_scored_blocks",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("task", Text, primary_key=True),
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("answers", Integer, nullable=False),
    Column("best", Double),
    *[
        Column(name, LargeBinary, nullable=False)
        for name in ("outcomes", "rightness", "scores", "costs", "seconds", "created", "keys", "questions", "ends", "texts")
    ],
)
