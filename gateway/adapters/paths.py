"""Names of models in the paths of requests: whoever chooses a name chooses no other path with it."""

from __future__ import annotations

from urllib.parse import quote

from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.shown import cut

_ELSEWHERE = frozenset({"", ".", ".."})


def in_path(model: str, safe: str = "-._~") -> str:
    """A model's name as it may stand in a path. safe: what is not quoted beside letters and digits.

    Raises CallFailed (CALLER_FAULT) for a name that leads elsewhere: RFC 3986, section 5.2.4, takes "." and ".." out of a path.

    Example:
        >>> in_path("arn:aws:bedrock:us-east-1:1:prompt/A")
        'arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprompt%2FA'
    """
    if not _ELSEWHERE.isdisjoint(model.split("/")):
        said = f"route: {cut(model)!r} is not the name of a model: no part of it between slashes may be empty, '.' or '..'"
        raise CallFailed(ErrorClass.CALLER_FAULT, said, part="route")
    return quote(model, safe=safe)
