"""A server of one's own fetches nothing: what callers send in its own words is looked through for addresses."""

from __future__ import annotations

import re

from gateway.bodies import Json
from gateway.faults import fault

# Servers read files of their machine by "file:" and by bare paths.
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://|(?:https?|ftp|file):)", re.IGNORECASE)
_FETCHED = frozenset({"url", "uri", "image_url", "audio_url", "video_url", "file_url", "server_url", "fileuri", "file_uri", "gcsuri"})
"""Fields whose text is where something is, in small letters."""


def refuse_addresses(value: Json, where: str) -> None:
    """Raises CallFailed (CALLER_FAULT) for an address of which a server could fetch something, with the field's name.

    Data within are none. Names of fields that begin with "$" are a schema's: those name, and lead nowhere.
    """
    left: list[tuple[str, object]] = [("", value)]
    while left:
        name, found = left.pop()
        if isinstance(found, dict):
            left += [(str(inner), one) for inner, one in found.items() if not str(inner).startswith("$")]
        elif isinstance(found, list):
            left += [(name, one) for one in found]
        elif isinstance(found, str) and _leads(name, found):
            said = f"{where}: {name or 'a text'} is an address, and this server is told to fetch nothing"
            raise fault(where, f"{said}; send the bytes, or set fetches_media of its account")


def _leads(name: str, text: str) -> bool:
    if name.lower() in _FETCHED:
        return bool(text) and text.lstrip()[:5].lower() != "data:"
    return _ADDRESS.match(text) is not None
