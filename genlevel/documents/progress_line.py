"""The line of a command that watches a run.

Where it does not fit, what matters least gets shorter first: done, rate, cost and time left stay.
"""

from __future__ import annotations

from dataclasses import dataclass

from genlevel.documents.progress_words import going_told, spent_told, waiting_told
from genlevel.documents.runs import tokens_in, tokens_out
from genlevel.documents.waiting_batches import batches_document
from genlevel.documents.words import duration, money, short
from genlevel.v1 import evaluator_pb2 as ev

_BETWEEN = " | "


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the line. whole: as it is if there is room. shorter: what it becomes, each at a step: the lower, the sooner."""

    whole: str
    shorter: tuple[tuple[int, str], ...] = ()


def progress_line(progress: ev.WatchRunResponse, columns: int | None = None) -> str:
    """Done, in flight, rate, waiting on what, tokens, money, time left: one line. While a judge is asked: how far that is.

    columns: what it is to fit in, if that can be; None: anything.
    """
    run = progress.run
    if progress.judging:
        parts = [_Part(f"{run.judging.judged:,} judged by {run.judging.route}", ((7, f"{run.judging.judged:,} judged"),))]
        parts += [_Part(f"{run.judging.failed:,} failed")] if run.judging.failed else []
        parts += [*_going(progress), *_spent(run.judging)]
        return _fitted(parts, columns)
    counts = run.counts
    parts = _done(progress)
    parts += [_Part(f"{counts.refused:,} refused", ((8, ""),))] if counts.refused else []
    parts += [_Part(f"{counts.failed:,} failed", ((11, ""),))] if counts.failed else []
    parts += [_Part(f"{counts.unsupported:,} unsupported", ((6, ""),))] if counts.unsupported else []
    parts += _going(progress)
    parts += [_Part(f"{run.retries:,} retries", ((3, ""),))] if run.retries else []
    parts += _spent(run)
    if run.HasField("judging"):
        judged = ", ".join(spent_told(run.judging))
        parts.append(_Part(f"the judge: {judged}", ((2, f"the judge: {_cost(run.judging)}" if _cost(run.judging) else ""), (9, ""))))
    if progress.HasField("remaining_s") and counts.pending and not run.HasField("batches") and not progress.HasField("deciding"):
        left = duration(progress.remaining_s)
        parts.append(_Part(f"about {left} left", ((4, f"{left} left"),)))
    return _fitted(parts, columns)


def done_told(run: ev.Run) -> str:
    """How many answers there are of how many; of a run that asks only until something is decided how many calls were made."""
    counts = run.counts
    done, total = counts.total - counts.pending, counts.total
    asks_all = run.status == ev.RUN_STATUS_FINISHED or not run.traffic.HasField("until_decided")
    if asks_all and run.status != ev.RUN_STATUS_DECIDED:
        return f"{done:,}/{total:,}"
    if run.HasField("decision"):
        done, total = run.decision.asked, run.decision.total
    return f"{done:,} of {total:,} asked"


def _done(progress: ev.WatchRunResponse) -> list[_Part]:
    """The same; while it is being decided, of how many calls at most."""
    counts = progress.run.counts
    if progress.run.status == ev.RUN_STATUS_DECIDED or not progress.HasField("deciding"):
        return [_Part(done_told(progress.run))]
    done, total = counts.total - counts.pending, counts.total
    if progress.deciding.HasField("calls"):
        done, total = max(0, done - counts.unsupported), progress.deciding.calls
    told = f"{progress.deciding.settled:,} of {progress.deciding.tasks:,}"
    at_most = _Part(f"{done:,} of at most {total:,}", ((10, f"{done:,} asked"),))
    return [at_most, _Part(f"{told} tasks settled", ((9, f"{told} tasks"),))]


def _going(progress: ev.WatchRunResponse) -> list[_Part]:
    parts = []
    waiting = waiting_told(progress)
    for told in going_told(progress):
        if told.endswith(" in flight"):
            parts.append(_Part(told, ((7, ""),)))
        elif told == f"waiting: {waiting}":
            count = sum(number for reason, number in progress.waiting.items() if reason != "batch")
            parts.append(_Part(told, ((2, f"waiting: {waiting.partition(' (')[0]}"), (5, f"{count:,} wait"), (8, ""))))
        elif (batches := batches_document(progress.run)) is not None and told.startswith("waits for "):
            parts.append(_Part(told, ((5, f"batches: {batches['answered']:,} of {batches['instances']:,}"),)))
        elif ", calls paced" in told:
            parts.append(_Part(told, ((1, told.partition(",")[0]),)))
        else:
            parts.append(_Part(told))
    return parts


def _spent(of: ev.Run | ev.Judging) -> list[_Part]:
    """What was used, and what it cost: the cost is the last to go."""
    tokens, *others = spent_told(of)
    cost = _cost(of)
    made = others[:-1] if cost else others
    few = f"{short(tokens_in(of.usage))} in, {short(tokens_out(of.usage))} out"
    parts = [_Part(tokens, ((3, few), (6, ""))), *(_Part(one, ((5, ""),)) for one in made)]
    return [*parts, _Part(others[-1], ((4, cost),))] if cost else parts


def _cost(of: ev.Run | ev.Judging) -> str:
    """What it cost in few characters; empty: it has no price."""
    known, bounded = of.HasField("cost_nano_usd"), of.HasField("most_cost_nano_usd")
    if not known and not bounded:
        return "cost unknown" if of.unknown_costs else ""
    least, most = money(of.cost_nano_usd), money(of.most_cost_nano_usd)
    if not of.unknown_calls or (bounded and of.most_cost_nano_usd == of.cost_nano_usd):
        return least
    return f"{least} to {most}" if bounded else f"{least} or more"


def _fitted(parts: list[_Part], columns: int | None) -> str:
    shown = [part.whole for part in parts]
    steps = sorted((step, place, text) for place, part in enumerate(parts) for step, text in part.shorter)
    for _step, place, text in steps:
        if columns is None or len(_BETWEEN.join(filter(None, shown))) < columns:
            break
        shown[place] = text
    return _BETWEEN.join(filter(None, shown))
