"""Who comes in, and as whom."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from genlevel.runtime.callers import Caller, current_caller
from genlevel.runtime.errors import UsageError

if TYPE_CHECKING:
    from fastapi import Request


class Door:
    """Lets whoever reaches this machine in, as HttpGuard says they are; forms have to come from our own pages."""

    def __init__(self) -> None:
        self._token = secrets.token_urlsafe(32)

    def caller(self, request: Request) -> Caller:
        """Who asks. Raises CallerUnknown."""
        return current_caller()

    def form_token(self, request: Request) -> str:
        """What each form of a page carries."""
        return self._token

    def check_form(self, request: Request, form: Mapping[str, Sequence[str]]) -> None:
        """Raises UsageError if a form does not come from a page of ours."""
        if not hmac.compare_digest("".join(form.get("csrf", ())), self._token):
            raise UsageError("this form is from an older page; load the page again")
