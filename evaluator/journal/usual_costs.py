"""What a model's calls have cost so far, as earlier runs of it are in the journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from google.protobuf.message import Message
from sqlalchemy import Engine, func, select

from evaluator.journal.tables import answers, runs
from genlevel.runtime.stored_messages import stored_message
from genlevel.v1 import evaluator_pb2 as ev

_RUNS, _LOOKED_AT = 3, 20


class UsualCosts:
    """Reading is synchronous: call it off the event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, specification: ev.RunSpecification, *, batch: bool) -> dict[str, tuple[int, int]]:
        """By task what calls cost of the last runs that asked the same model in the same way, in nano-dollars, and how many these are.

        Those whose cost is not known are left out. batch: in batches, which cost less.
        """
        found: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        with self._engine.connect() as connection:
            query = select(runs.c.run_id, runs.c.specification, runs.c.traffic).where(runs.c.model == specification.model)
            alike = [
                run.run_id
                for run in connection.execute(query.order_by(runs.c.created.desc()).limit(_LOOKED_AT))
                if _way(stored_message(run.specification, ev.RunSpecification())) == _way(specification)
                and stored_message(run.traffic, ev.TrafficSettings()).batch == batch
            ]
            cost = answers.c.cost_nano_usd
            sums = select(answers.c.task, func.sum(cost), func.count(cost)).where(cost.is_not(None)).group_by(answers.c.task)
            for run_id in alike[:_RUNS]:
                for task, nano_usd, count in connection.execute(sums.where(answers.c.run_id == run_id)):
                    before = found[task]
                    found[task] = (before[0] + int(nano_usd), before[1] + int(count))
        return dict(found)


def usual_nano_usd(costs: Mapping[str, tuple[int, int]], estimates: Mapping[str, tuple[int, int]]) -> dict[str, float]:
    """What a call of each task costs at what calls have cost so far; empty if none of these tasks was asked.

    costs: as of ``UsualCosts``. estimates: of each task at most, with the number of its calls. Of a task that was not asked it is as much
    less than its estimate as of those that were.

    >>> usual_nano_usd({"a": (600, 3)}, {"a": (1000, 2), "b": (5000, 5), "c": (0, 0)})
    {'a': 200.0, 'b': 400.0}
    """
    known = {key: costs[key] for key, (_, calls) in estimates.items() if calls and costs.get(key, (0, 0))[1]}
    most = sum(count * estimates[key][0] / estimates[key][1] for key, (_, count) in known.items())
    if not known or not most:
        return {}
    share = sum(cost for cost, _ in known.values()) / most
    told = {key: share * most / calls for key, (most, calls) in estimates.items() if calls}
    return told | {key: cost / count for key, (cost, count) in known.items()}


def _way(specification: ev.RunSpecification) -> tuple[Message, str, str]:
    """In which way a model is asked, as far as it changes what a call costs."""
    return specification.parameters, specification.base_url, specification.api
