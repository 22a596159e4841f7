"""Where limiters of accounts come from: each has its account for itself, or shares it with other processes."""

from __future__ import annotations

from itertools import count
from typing import Protocol

from genlevel.runtime.limits import AccountLimiter, AccountLimits, Learnt
from genlevel.runtime.storage import is_sqlite

_made = count(1)
"""A process may have several evaluators, whose slices are their own."""


class Accounts(Protocol):
    """Makes limiters of accounts, one at a time for each: a new one of an account replaces the one before."""

    def limiter(
        self,
        name: str,
        account: AccountLimits,
        *,
        requests_per_minute: int,
        tokens_per_minute: int,
        concurrency: int,
        adaptive: bool,
        learnt: Learnt | None,
    ) -> AccountLimiter:
        """A new limiter of the account of this name.

        account: what is stated of it. requests_per_minute, tokens_per_minute: what the run that asks states. concurrency, adaptive: calls
        in flight of this process. learnt: as of ``AccountLimiter``.
        """
        ...

    async def close(self) -> None:
        """Lets go of what is shared. Never raises."""
        ...


def accounts_of(storage_url: str, *, patience_s: float = 0.0) -> Accounts:
    """What the storage asks for: in a database that processes share, they share accounts, too.

    Args:
        storage_url: as in the settings; "" is a file in the data folder.
        patience_s: seconds for which the database may be away.

    Raises ConfigurationError if it is not the URL of a database.
    """
    if not storage_url or is_sqlite(storage_url):
        return WholeAccounts()
    from genlevel.runtime.process import process_name
    from genlevel.runtime.slices.renewing import SharedAccounts
    from genlevel.runtime.slices.table import SliceTable

    return SharedAccounts(lambda: SliceTable(storage_url, patience_s=patience_s), f"{process_name()}, {next(_made)}")


class WholeAccounts:
    """Each limiter has its account for itself."""

    def limiter(
        self,
        name: str,
        account: AccountLimits,
        *,
        requests_per_minute: int,
        tokens_per_minute: int,
        concurrency: int,
        adaptive: bool,
        learnt: Learnt | None,
    ) -> AccountLimiter:
        """See ``Accounts``. What a run states goes before what is stated of the account; ``concurrency`` has both."""
        return AccountLimiter(
            requests_per_minute=requests_per_minute or account.requests_per_minute,
            tokens_per_minute=tokens_per_minute or account.tokens_per_minute,
            concurrency=concurrency,
            adaptive=adaptive,
            learnt=learnt,
        )

    async def close(self) -> None:
        """Nothing is shared."""
