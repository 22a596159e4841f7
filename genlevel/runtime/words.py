"""A word of the settings that becomes part of an address, and so must not lead elsewhere."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_LETTERS = re.compile(r"[\w.:-]*")


def _one_word(value: str) -> str:
    if not _LETTERS.fullmatch(value):
        raise ValueError("should be letters, digits and . _ : - alone")
    return value


Word = Annotated[str, AfterValidator(_one_word)]
