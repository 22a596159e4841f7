"""What the client that waits for answers has of its own: it is opened and closed, and hands the rest to the asynchronous one."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from types import TracebackType
from typing import TYPE_CHECKING, Self

from genlevel.client.portal import Portal
from genlevel.runtime.errors import GenlevelError

if TYPE_CHECKING:
    from genlevel.client.async_client import AsyncClient


def shown(card: Callable[[], str], otherwise: str) -> str:
    """What a notebook shows of a run: its card; if that cannot be had, the run in a line, and why."""
    try:
        return card()
    except GenlevelError as error:
        return f"<pre>{escape(otherwise)}\n{escape(str(error))}</pre>"


class BlockingClient:
    """The part of ``Client`` that is not made of ``AsyncClient``."""

    def __init__(self, inner: AsyncClient) -> None:
        self._inner = inner
        self._portal = Portal(inner.close)

    def __repr__(self) -> str:
        return repr(self._inner).replace("<Async", "<", 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Leaves the services. Runs that go on in this process come to an orderly stop; the same ``start`` continues them.

        A client that is still open when the process ends is closed then.

        Example:
            >>> another = Client()
            >>> another.close()
        """
        self._portal.close()
