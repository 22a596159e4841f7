"""The leaderboard: models that were measured here, and the paper's, ranked within their levels."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from genlevel.benchmark.model import GENERAL_BENCH
from genlevel.documents.leaderboard import BoardAsked, leaderboard_document
from genlevel.runtime.errors import UsageError
from genlevel.views.leaderboard import board_table, board_view
from genlevel.web.page import Asked, Page

if TYPE_CHECKING:
    pass

MOST_COMPARED = 10
AGAIN_S = 2


async def leaderboard_page(asked: Asked) -> Page:
    """The board that is asked for. Runs whose verdict is not computed yet are counted, and computed until the page is looked at again.

    Raises UsageError for what does not exist or fit together.
    """
    given = _given(asked)
    try:
        document = await leaderboard_document(asked.services, given, kept=True)
    except UsageError as error:
        raise UsageError(str(error).replace("--", "")) from None  # options of the command are fields here
    document["benchmarks"] = {GENERAL_BENCH: 0, **document["benchmarks"]}
    view = board_view(document)
    values: dict[str, object] = {
        "board": document,
        "view": view,
        "given": given,
        "skills": _skills() if document["benchmark"] == GENERAL_BENCH else [],
        "most_compared": MOST_COMPARED,
        "again": f"/leaderboard?{urlencode([*_pairs(asked), ('part', 'board')])}",
        "again_s": AGAIN_S,
        "csv": f"/leaderboard.board.csv?{urlencode(_pairs(asked))}",
    }
    return Page("leaderboard.html", "Leaderboard", values, document, {"board": board_table(document)})


def _given(asked: Asked) -> BoardAsked:
    level = asked.whole("level", 0, least=2, most=5)
    published = asked.one("published", "yes")
    if published not in ("yes", "no"):
        raise UsageError("published is yes or no")
    return BoardAsked(
        scope=asked.one("scope"),
        modalities=tuple(asked.many("modality")),
        paradigm=asked.one("paradigm"),
        skill=asked.one("skill"),
        level=level or None,
        suite=asked.one("suite"),
        references=asked.one("references"),
        published=published == "yes",
        benchmark=asked.one("benchmark"),
    )


def _skills() -> list[tuple[str, str]]:
    """Id and name of each skill of General-Bench."""
    from genlevel.benchmark.catalogue import general_bench

    return sorted({(task.skill_id, task.skill) for task in general_bench().tasks if task.skill_id})


def _pairs(asked: Asked) -> list[tuple[str, str]]:
    return [(name, value) for name, values in asked.query.items() if name != "part" for value in values]
