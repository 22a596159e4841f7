"""A decision made before all of a run was asked, as results say it: what is decided by which test, with which error, and what stays
unknown. Values in, values out: the documents are those of genlevel.documents.runs.result_document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from genlevel.documents.words import number, one_line
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

MARK = "decided early"
"""What runs are called of which only what decides was asked."""
COMPLETING = (
    "`genlevel eval` of the same model and suite without --until-decided asks the rest: it is the same run, and nothing is asked twice"
)
_NOT_KNOWN = (
    "not known, as it was not asked: a task stops once it is decided, so the share of right answers so far is biased; it has bounds"
    " instead of a score, and scores of levels are bounds"
)
POOLED = "pooled betting"
"""How the test is told by which Level 3 is attained without a named win: its own claim, no prediction of the full run's certificate."""
_NO_LEVEL_3 = "the full run would certify no task outside language above the published score"
_SAME = "; the full run certifies the same"
_LEVELS = {"attained": "the full run would certify it", "not attained": "the full run would not certify it"}

_SOUGHT = {
    "wins": "of each task, whether the full run would certify a win",
    "verdict": "the highest level that the full run would certify",
}


def early_mark(run: ev.Run) -> str:
    """What lists call a run that asks only what decides, or has done so and was not completed; empty if it is none."""
    if run.status == ev.RUN_STATUS_DECIDED:
        return MARK
    return "asks only what decides" if run.status != ev.RUN_STATUS_FINISHED and run.traffic.HasField("until_decided") else ""


def early_note(run: ev.Run) -> str:
    """What is said beside figures of a run that asks only what decides, in one line; empty if it asks all."""
    mark = early_mark(run)
    return (
        f"run {run.run_id} ({mark}): `genlevel show {run.run_id}` says what is decided; tasks not asked in full count as 0" if mark else ""
    )


def decision_of(document: Document) -> Document | None:
    """The decision of a result; None if nothing was to be decided early."""
    found: Document | None = document.get("decision")
    return found


def is_completed(document: Document) -> bool:
    """Whether a run that was decided early has been asked in full since."""
    return bool(document["status"] == "finished")


def is_in_part(document: Document) -> bool:
    """Whether a result is that of a run that was to be decided early, and has not been asked in full."""
    return decision_of(document) is not None and not is_completed(document)


def early_title(document: Document) -> str:
    """What the part of a card is called that tells of the decision."""
    if is_completed(document):
        whole = document["decision"]["asked"] >= document["decision"]["total"]
        return "Decided only with all of it asked" if whole else "Decided early, and completed since"
    return "Decided early" if document["decision"]["complete"] else "Decided so far"


def early_head(decision: Document) -> str:
    """What is decided, in a few words: "Level 3", "no Level 3", "undecided"; "12 wins", "no win"."""
    counted = states_counted(decision)
    return _head(decision, counted.get("won", 0), counted.get("undecided", 0))


def early_told(decision: Document) -> str:
    """What the head means, with how much was asked for it and its error, in one sentence."""
    if decision["aim"] != "verdict":
        meant = "tasks of which the full run would certify a win above the published score"
    elif (decision["verdict"] or 0) >= 3:
        entry = decision["levels"].get(str(decision["verdict"]), {})
        meant = f"attained by {POOLED}, which names no task" if _is_pooled(entry) else "the full run would certify it"
    else:
        open_ = decision["levels"].get("3", {}).get("state") != "not attained"
        meant = "Level 3 is neither certified, nor known that the full run would not" if open_ else _NO_LEVEL_3
    errors = f"error at most {100 * decision['alpha']:g} %, and {100 * decision['epsilon']:g} % more for what is predicted of the full run"
    return f"{meant}; {asked_of(decision)}; {errors}"


def level_told(level: str, entry: Document) -> str:
    """What is decided of a level, when, and by which test or tasks."""
    state = "attained" if _is_pooled(entry) else _LEVELS.get(entry["state"], entry["state"])
    at = entry["decided_at"]
    if at == 0 and entry["state"] == "not attained":
        state = "no run of these tasks can certify it"
    after = f", after {_answers(at)}" if at else ""
    by = f"; {one_line(entry['by'], 400)}" if entry["by"] else ""
    return f"Level {level}: {state}{after}{by}"


def tasks_told(decision: Document) -> str:
    """How many tasks are decided, and how; empty if the decision names none."""
    counted = states_counted(decision)
    return ", ".join(f"{count:,} {state}" for state, count in counted.items())


def early_lines(document: Document) -> Iterator[str]:
    """All that is said of a decision, a line each, less its tasks one by one. Nothing if there is none."""
    decision = decision_of(document)
    if decision is None:
        return
    if is_completed(document):
        whole = decision["asked"] >= decision["total"]
        was = (
            "all of it was asked" if whole else f"it was decided after {decision['asked']:,} of the full run's {decision['total']:,} calls"
        )
        yield f"{was}; the verdict, levels and scores are the full run's"
        yield f"decided{'' if whole else ' then'}: {early_head(decision)}{_held_against(document, decision)}"
    yield f"sought: {sought_told(decision['aim'])}, above published scores"
    levels = decision["levels"].items()
    yield from (level_told(level, entry) for level, entry in levels if decision["aim"] == "verdict" or entry["state"] != "undecided")
    if told := tasks_told(decision):
        yield f"tasks: {told}"
    if is_completed(document):
        yield from _confirmed(document, decision)
    yield f"error: {error_told(decision)}"
    yield from earlier_lines(decision, can_be_seen=not is_completed(document))
    if is_completed(document):
        return
    yield _NOT_KNOWN
    yield from _left(decision)
    goes_on = not decision["complete"] and document["status"] != "decided"
    yield f"asked for again, it goes on where it stopped; {COMPLETING}" if goes_on else COMPLETING


def pointed_to(decision: Document) -> str:
    """Where a certificate of the same run stands beside its decision: one line."""
    return (
        f"{MARK}: {early_head(decision)} ({early_told(decision)}); the certificate here takes what was not asked as wrong against a win"
        " and as right against a loss"
    )


def carried(document: Document, undecided: str) -> str:
    """What `genlevel verify` says of a decision; empty without one. undecided: why it could not be made again; empty: it was."""
    decision = decision_of(document)
    if decision is None:
        return ""
    said = f"{MARK}: {early_head(decision)} ({asked_of(decision)})"
    return f"{said}; taken as it was made: {undecided}" if undecided else f"{said}; decided again from the answers"


def states_counted(decision: Document) -> dict[str, int]:
    """How many tasks there are of each state, in the order won, not won, undecided, not needed, not certifiable, unknown ones last."""
    found = Counter(task["state"] for task in decision["tasks"])
    ordered = ("won", "not won", "undecided", "not needed", "not certifiable")
    return {state: found[state] for state in (*ordered, *sorted(found.keys() - set(ordered))) if found[state]}


def sought_told(aim: str) -> str:
    """What a run is asked for, in words.

    >>> sought_told("verdict")
    'the highest level that the full run would certify'
    """
    return _SOUGHT.get(aim, f"something that this version does not know ({aim})")


def asked_of(decision: Document) -> str:
    """How many calls were made of those of the full run: "asked 1,234 of 42,000"."""
    return f"asked {decision['asked']:,} of {decision['total']:,}"


def error_told(decision: Document) -> str:
    """The errors: the prediction's, and the certificate's own beside it. Pooled betting predicts nothing, so it has the second alone."""
    epsilon, alpha = number(decision["epsilon"]), number(decision["alpha"])
    if decision["verdict"] == 3 and _is_pooled(decision["levels"].get("3", {})):
        own = f"Level 3 by {POOLED} is a statement of its own, within the certificate's error of at most {alpha}"
        undecided = "the full run's certificate, which tests tasks one by one, may leave it undecided"
        return f"{own}: {undecided}; all else differs from the full run's with a chance of at most {epsilon}"
    return f"differs from the full run's with a chance of at most {epsilon}; the certificate's own error is at most {alpha}"


def expected_told(expected: Document, usd: float | None, usual_usd: float | None = None) -> str:
    """The same in a line. usd: what the full run would cost at most; usual_usd: at what the model's calls cost so far; None: not known.

    Of what is free no cost is said.


    >>> known = {"median": 420, "worst": 11_800, "total": 42_000, "models": 13, "runs": 8, "median_usd": 0.42, "worst_usd": 11.8}
    >>> known |= {"usual_median_usd": 0.1, "usual_worst_usd": 2.5}
    >>> calls, at_most, usual = expected_told(known, 42.0, 9.0).split("; ")
    >>> calls
    'about 420 of 42,000 calls (median of 13 published models x 8 simulations), the most of them 11,800'
    >>> at_most
    'US$ 0.42 to 11.80 of 42.00 if each answer is as long as it may be'
    >>> usual
    'US$ 0.10 to 2.50 of 9.00 at what calls of this model have cost so far'
    """
    if expected["median"] is None and not expected["total"]:
        return f"no call is made: {expected['note']}"
    if expected["median"] is None:
        return f"at most {expected['total']:,} calls; how many are needed is not known before: {expected['note']}"
    if not expected["worst"]:
        return f"none of {expected['total']:,} calls: it is known before, as no answers to these tasks can certify what is sought"
    simulated = f"median of {expected['models']:,} published models x {expected['runs']:,} simulations"
    told = [f"about {expected['median']:,} of {expected['total']:,} calls ({simulated}), the most of them {expected['worst']:,}"]
    for median, worst, whole, how in (
        ("median_usd", "worst_usd", usd, "if each answer is as long as it may be"),
        ("usual_median_usd", "usual_worst_usd", usual_usd, "at what calls of this model have cost so far"),
    ):
        if whole and None not in (expected[median], expected[worst]):
            told.append(f"US$ {number(expected[median])} to {number(expected[worst])} of {number(whole)} {how}")
    return "; ".join(told)


def _head(decision: Document, won: int, undecided: int) -> str:
    """See ``early_head``. won, undecided: how many tasks are."""
    if decision["aim"] != "verdict":
        wins = "1 win" if won == 1 else f"{won or 'no'} wins" if won else "no win"
        return f"{wins}{'' if won else ' yet'}, {undecided:,} undecided" if undecided else wins
    levels, reached = decision["levels"], decision["verdict"]
    if reached is None:
        return "no Level 3" if levels.get("3", {}).get("state") == "not attained" else "undecided"
    above = [entry["state"] for level, entry in levels.items() if int(level) > reached]
    return f"at least Level {reached}" if "undecided" in above else f"Level {reached}"


def earlier_lines(decision: Document, *, can_be_seen: bool) -> Iterator[str]:
    """What was decided before by other aims or errors, a line each. can_be_seen: as the run is not complete, it may be decided again."""
    for entry in decision["earlier"]:
        head = _head(entry, entry["won"], entry["undecided"])
        pooled = f" by {POOLED}" if entry["verdict"] == 3 and _is_pooled(entry["levels"].get("3", {})) else ""
        errors = f"error at most {100 * entry['alpha']:g} %, and {100 * entry['epsilon']:g} % more"
        said = f"{head}{pooled} ({sought_told(entry['aim'])}; {entry['asked']:,} calls; {errors})"
        again = "; if it is asked for again, its tasks are shown, and no call is made" if can_be_seen and entry["complete"] else ""
        yield f"decided before, with an error of its own: {said}{again}"


def _held_against(document: Document, decision: Document) -> str:
    """Whether the full run's certificate says the same as the decision, if it is of the same error; empty if it is not."""
    certified = _certified(document, decision)
    if certified is None:
        return ""
    if decision["aim"] != "verdict":
        attained = _attained(certified).intersection(task["key"] for task in decision["tasks"])
        same = not states_counted(decision).get("undecided") and attained == set(_keys(decision, "won"))
        return _SAME if same else f"; the full run certifies {len(attained):,}"
    reached = certified["verdict"]
    if reached == decision["verdict"] and early_head(decision) != "undecided":
        return _SAME
    if reached is None and decision["verdict"] == 3 and _is_pooled(decision["levels"].get("3", {})):
        return f"; by {POOLED}, and so it stays: the full run's certificate, which tests tasks one by one, leaves it undecided"
    return f"; the full run certifies {f'Level {reached}' if reached else 'none'}"


def _certified(document: Document, decision: Document) -> Document | None:
    """The full run's certificate, if it is the one that was predicted."""
    certified: Document | None = document["certified"]
    return None if certified is None or certified["alpha"] != decision["alpha"] else certified


def _attained(certified: Document) -> set[str]:
    return {entry["key"] for entry in certified["tasks"] if entry["win"] == "attained"}


def _keys(decision: Document, state: str) -> list[str]:
    return [task["key"] for task in decision["tasks"] if task["state"] == state]


def _confirmed(document: Document, decision: Document) -> Iterator[str]:
    """Where the full run's certificate says otherwise than was predicted of tasks and levels, if it is of the same error."""
    certified = _certified(document, decision)
    if certified is None:
        return
    attained = _attained(certified)
    for state in ("won", "not won"):
        keys = _keys(decision, state)
        count = len(attained.intersection(keys))
        if count != (len(keys) if state == "won" else 0):
            yield f"said to be {state}: {_tasks(len(keys))}, of which the full run certifies {count:,}"
    predicted = {
        level: entry["state"] for level, entry in decision["levels"].items() if entry["state"] != "undecided" and not _is_pooled(entry)
    }
    alike = [level for level, state in predicted.items() if (state == "attained") == (_status_of(certified, level) == "attained")]
    if len(alike) < len(predicted):
        yield f"levels that were predicted: {len(predicted)}, of which {len(alike)} as the full run certifies them"


def _status_of(certified: Document, level: str) -> str:
    return str(certified["levels"].get(level, {}).get("status"))


def _left(decision: Document) -> Iterator[str]:
    left = decision["total"] - decision["asked"]
    if left <= 0:
        return
    saved = decision["saved_usd"]
    cost = "" if saved is None else f", about {_dollars(saved)} at what those of the same tasks cost"
    yield f"{'saved' if decision['complete'] else 'not asked'}: {left:,} of the full run's {decision['total']:,} calls{cost}"


def _is_pooled(entry: Document) -> bool:
    return str(entry.get("by")).startswith(POOLED)


def _tasks(count: int) -> str:
    return f"{count:,} task{'' if count == 1 else 's'}"


def _answers(count: int) -> str:
    return f"{count:,} answer{'' if count == 1 else 's'}"


def _dollars(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 1 or not usd else f"${usd:.4g}"
