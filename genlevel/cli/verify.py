"""``genlevel verify``: a result computed again from its answers, and whether it is the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import json_option, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import console, say, table
from genlevel.documents.decision_words import carried
from genlevel.documents.words import harmless
from genlevel.runtime.errors import GenlevelError

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings

_MOST_SHOWN = 40
_CODES = {"same": 0, "differs": 1, "cannot be verified": 2}


@click.command("verify")
@click.argument("result", metavar="RESULT|RUN")
@click.option("--suite", default="", metavar="NAME|FOLDER", help="The suite that was asked, if it lies elsewhere here.")
@out_option
@json_option
@click.pass_context
def verify(ctx: click.Context, result: str, *, suite: str, out: Path, as_json: bool) -> None:
    """Score and judge the answers of RESULT or RUN again, and say whether that comes to the same.

    RESULT is a result.json beside its answers (of `genlevel export --format bundle`, or in the folder of its journal), or such a folder.
    RUN is a run of this storage, or FOLDER:RUN of another one. Nothing that is stored is changed, and no model is asked.

    Exit code 0: the same; 1: it differs, or the file was edited; 2: it cannot be verified, such as without its suite or its media.
    """
    settings = settings_of(ctx)
    try:
        document = run_async(_verified(result, settings, suite, out))
    except GenlevelError as error:
        if not as_json:
            raise
        document = _document(result, None, "cannot be verified", reasons=[harmless(str(error))])
    if as_json:
        print_json(document)
    else:
        _print(document)
    ctx.exit(_CODES[document["verdict"]])


async def _verified(name: str, settings: Settings, suite: str, out: Path) -> Document:
    from genlevel.cli.differences import differences, reasons
    from genlevel.cli.parts import opened
    from genlevel.cli.replayed import replay
    from genlevel.documents.runs import result_document
    from scorer.reports.stamps import HASH, content_hash

    async with opened(name, settings, out) as bundle:
        said = bundle.result
        stamp = said.get("stamp") or {}
        references, alpha = (said.get("level") or {}).get("references"), (said.get("certified") or {}).get("alpha")
        again = await replay(
            bundle,
            settings,
            suite,
            references=references if isinstance(references, str) else "workbook",
            alpha=alpha if isinstance(alpha, float) else 0.0,
        )
        found = result_document(again.run, again.verdict)
    differ = differences(said, found)
    why = reasons(said, found, suite_hash=again.suite_hash)
    edited = content_hash(said) != stamp[HASH] if HASH in stamp else None
    if edited:
        why.insert(0, "the file was edited since genlevel wrote it: its hash is another")
    elif edited is None:
        why.append("it has no stamp, so that an edited file could not be noticed by its hash")
    verdict = "differs" if differ or edited else "same"
    listed = [one.json() for one in differ]
    return _document(
        name, said.get("run"), verdict, reasons=why, edited=edited, differences=listed, decision=carried(found, again.undecided)
    )


def _document(
    name: str,
    run: str | None,
    verdict: str,
    *,
    reasons: list[str],
    edited: bool | None = None,
    differences: list[Document] | None = None,
    decision: str = "",
) -> Document:
    told: Document = {"result": name, "run": run, "verdict": verdict, "edited": edited, "decision": decision or None}
    return {**told, "reasons": reasons, "differences": differences or []}


def _print(document: Document) -> None:
    say(f"{harmless(document['result'])}: {document['verdict']}")
    if document["decision"]:
        say(f"  {document['decision']}")
    for reason in document["reasons"]:
        say(f"  {harmless(reason)}")
    listed = document["differences"]
    if not listed:
        return
    rows = table("task", "what", ">said", ">computed again")
    for entry in listed[:_MOST_SHOWN]:
        rows.add_row(harmless(entry["task"] or "-"), entry["what"], harmless(str(entry["said"])), harmless(str(entry["found"])))
    console().print(rows)
    if len(listed) > _MOST_SHOWN:
        say(f"and {len(listed) - _MOST_SHOWN} more; --json has all")
