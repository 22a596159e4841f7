"""What a workbook that genlevel wrote says of where its values come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genlevel.runtime.errors import WorkbookError


def stamp_of(path: Path | str) -> Mapping[str, Any]:
    """The stamp in a workbook's description, as ``write_workbook`` keeps it; empty if there is none. Raises WorkbookError."""
    import openpyxl  # takes 0.2 s to import, which every other command would pay

    try:
        book = openpyxl.load_workbook(path, read_only=True)
        try:
            said = json.loads(book.properties.description or "{}")
        finally:
            book.close()
    except ValueError:
        return {}
    except Exception as error:  # a broken file can break its reader anywhere
        raise WorkbookError(f"{path}: not a workbook that can be read (.xlsx): {error}") from error
    return said if isinstance(said, dict) else {}
