"""Limits of accounts: what goes on at the same time shares its account's."""

from __future__ import annotations

from collections.abc import Set

from evaluator.deciding.until import check_until
from genlevel.runtime.errors import UsageError
from genlevel.runtime.limits import MOST_WEIGHT, AccountLimiter, AccountLimits, Learnt, Share
from genlevel.runtime.slices.accounts import Accounts, WholeAccounts
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw

DEFAULT_CONCURRENCY = 64
MOST_CONCURRENCY = 4096
"""Each call in flight has two workers."""


def check_limits(traffic: ev.TrafficSettings) -> None:
    """Raises UsageError for limits, budgets and aims that no run can keep."""
    if traffic.concurrency > MOST_CONCURRENCY:
        raise UsageError(f"--concurrency {traffic.concurrency:,} is too many: at most {MOST_CONCURRENCY:,} calls are in flight")
    if traffic.weight > MOST_WEIGHT:
        raise UsageError(f"--weight {traffic.weight:,} is too much: a run's part of its account is 1 to {MOST_WEIGHT}")
    for name, budget in (("--budget-usd", traffic.budget_nano_usd), ("--budget-tokens", traffic.budget_tokens)):
        if budget < 0:
            raise UsageError(f"{name} is below 0")
    check_until(traffic)


class Limiters:
    """One limiter an account.

    concurrency: calls in flight if neither a run nor the account says how many; 0 = adaptive. weight: of a run that does not say its own.
    accounts: makes them; None: each has its account for itself.
    """

    def __init__(self, concurrency: int, weight: int = 1, accounts: Accounts | None = None) -> None:
        self._concurrency = concurrency
        self._weight = weight
        self._accounts = accounts or WholeAccounts()
        self._by_account: dict[str, AccountLimiter] = {}

    def of(
        self, model: gw.ModelInfo, traffic: ev.TrafficSettings, in_use: Set[str], *, learnt: Learnt | None, keep: bool = False
    ) -> AccountLimiter:
        """The limiter of a model's account: shared by all that goes on at the same time, made again when nothing does (unless ``keep``).

        in_use: the accounts that calls go to now. learnt: what is stored of the account's limits, with which one that is made begins.
        """
        if not keep and model.account not in in_use:
            self._by_account.pop(model.account, None)
        if (limiter := self._by_account.get(model.account)) is None:
            asked = traffic.concurrency or model.limits.concurrency or self._concurrency
            limits = model.limits
            limiter = self._by_account[model.account] = self._accounts.limiter(
                model.account,
                AccountLimits(limits.requests_per_minute, limits.tokens_per_minute, limits.concurrency),
                requests_per_minute=traffic.requests_per_minute,
                tokens_per_minute=traffic.tokens_per_minute,
                concurrency=asked or DEFAULT_CONCURRENCY,
                adaptive=not asked,
                learnt=learnt,
            )
        return limiter

    async def close(self) -> None:
        """Lets go of what is shared with other processes."""
        await self._accounts.close()

    def share(self, run_id: str, traffic: ev.TrafficSettings) -> Share:
        """A run's part of what its account allows; its judge's calls are in it."""
        return Share(run_id, traffic.weight or self._weight, traffic.interactive)

    def retune(self, model: gw.ModelInfo, before: ev.TrafficSettings, now: ev.TrafficSettings) -> None:
        """Changes the limits of a model's account as a run's settings have changed. What other runs of the account asked for gives way."""
        if (limiter := self._by_account.get(model.account)) is not None:
            limiter.retune(
                requests_per_minute=_changed(before.requests_per_minute, now.requests_per_minute),
                tokens_per_minute=_changed(before.tokens_per_minute, now.tokens_per_minute),
                concurrency=_changed(before.concurrency, now.concurrency),
            )


def _changed(before: int, now: int) -> int | None:
    return now if now and now != before else None
