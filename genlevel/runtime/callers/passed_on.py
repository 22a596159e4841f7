"""A caller's own token, which goes on to the services with each call that is made for them: it is those that say what they may."""

from __future__ import annotations

from contextvars import ContextVar

_token: ContextVar[str] = ContextVar("token", default="")


def set_token(token: str) -> None:
    """Says which token its maker has shown for what this task works on. It came as a header, so it can go as one."""
    _token.set(token)


class PassedOn:
    """What a channel shows (genlevel.runtime.channels.Shown): the token of whoever a call is made for; nothing if nobody has shown one."""

    def headers(self) -> tuple[tuple[str, str], ...]:
        token = _token.get()
        return (("authorization", f"Bearer {token}"),) if token else ()
