"""Which needs an evaluator can have scored: those that it is told to, as far as its scorer can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genlevel.benchmark.metrics import Need
from genlevel.v1 import scorer_pb2 as sc


@dataclass(frozen=True, slots=True)
class Abilities:
    """able: what it can have scored, in the order of worker.scores. problem: why that is less than it says, in one line; "" = it is all."""

    able: tuple[str, ...]
    problem: str = ""


def abilities(told: Sequence[str], found: sc.GetAbilitiesResponse | None) -> Abilities:
    """What an evaluator can have scored.

    told: worker.scores. found: what its scorer says; None: it has not answered yet, and what needs no network will do.

    >>> abilities(["any", "vision", "any"], None)
    Abilities(able=('any',), problem='')
    """
    told = list(dict.fromkeys(told))
    networks = [need for need in told if need != Need.ANY]
    without = tuple(need for need in told if need == Need.ANY)
    if found is None:
        return Abilities(without)
    if networks and found.device_problem:
        return Abilities(without, found.device_problem)
    problems = {one.need: one.problem for one in found.abilities}
    cannot = {need: problems.get(need, "it does not know that need") for need in networks}
    cannot = {need: problem for need, problem in cannot.items() if problem}
    able = tuple(need for need in told if need not in cannot)
    if not cannot:
        return Abilities(able)
    reasons = "; ".join(f"{need}: {problem}" for need, problem in cannot.items())
    return Abilities(able, f"worker.scores names {' and '.join(cannot)}, which its scorer cannot score ({reasons})")
