"""What a run's answers are in detail, as the contract tells it."""

from __future__ import annotations

import json

from evaluator.journal.details import Details
from evaluator.journal.records import RunRecord
from genlevel.benchmark.outcomes import Outcome
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc


def details_message(record: RunRecord, details: Details) -> ev.RunDetails:
    """A run's tasks in the plan's order, and its failures. details: what the journal has of its answers."""
    message = ev.RunDetails(last_answer_s=details.last)
    for task, asked in json.loads(record.plan):
        outcomes = details.tasks.get(task, {})
        counts = sc.OutcomeCounts(
            total=asked,
            answered=outcomes.get(Outcome.ANSWERED, 0),
            refused=outcomes.get(Outcome.REFUSED, 0),
            failed=outcomes.get(Outcome.FAILED, 0),
            unsupported=outcomes.get(Outcome.UNSUPPORTED, 0),
            pending=max(0, asked - sum(outcomes.values())),
        )
        message.tasks.append(ev.TaskProgress(task=task, counts=counts))
    for kind, count, examples in details.failures:
        group = message.failures.add(
            outcome=sc.Outcome.Name(kind.outcome.number), error_class=gw.ErrorClass.Name(kind.error_class), answers=count
        )
        for example in examples:
            key = example.key
            group.examples.add(
                task=example.task,
                instance_id=key.instance,
                variant=key.variant,
                repeat=key.repeat,
                shuffle=key.shuffle,
                error=example.error,
            )
    return message
