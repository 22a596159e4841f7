"""A run wherever it is kept, as a bundle: of this storage, of another folder, or exported."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from genlevel.cli.bundles import ANSWERS, Bundle, read_bundle, read_result, write_bundle
from genlevel.cli.options import need_run_folder
from genlevel.connection.services import stored, verdict_of
from genlevel.documents.runs import result_document
from genlevel.runtime.default_settings import default_settings
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings

_DATABASE = "genlevel.db"


@asynccontextmanager
async def opened(name: str, settings: Settings, folder: Path) -> AsyncIterator[Bundle]:
    """The run that a person names: RUN, FOLDER:RUN of another genlevel-data, an exported folder, or a result.json.

    folder: of this storage, if it is one. Raises GenlevelError if it is not there, or its answers are not.
    """
    path = Path(name)
    if path.is_dir():
        if (path / _DATABASE).is_file() and not (path / ANSWERS).exists():
            raise UsageError(f"{name}: holds runs and is none; name one of them as {name}:RUN (`genlevel runs --out {name}` lists them)")
        yield read_bundle(path)
    elif path.is_file():
        if (path.parent / ANSWERS).is_file():
            yield read_bundle(path.parent, path)
            return
        async with _of_result(path, settings, folder) as bundle:
            yield bundle
    else:
        place, _, run = name.rpartition(":")
        if place and not Path(place).is_dir():
            raise UsageError(f"{name}: there is no folder {place}; name a RUN, FOLDER:RUN or an exported folder")
        where, kept = (default_settings(), Path(place)) if place else (settings, folder)
        async with _of_storage(run, where, kept) as bundle:
            yield bundle


@asynccontextmanager
async def _of_result(path: Path, settings: Settings, folder: Path) -> AsyncIterator[Bundle]:
    """A result without its answers beside it: they are in the journal that it lies with, or in this storage."""
    result = read_result(path)
    run, beside = result.get("run"), path.resolve().parents[2:3]
    if not isinstance(run, str) or not run:
        raise UsageError(f"{path}: is of predictions in files, which are not with it; score them again with `genlevel score`")
    with_it = beside and (beside[0] / _DATABASE).is_file()
    where, kept = (default_settings(), beside[0]) if with_it else (settings, folder)
    async with _of_storage(run, where, kept, result) as bundle:
        yield bundle


@asynccontextmanager
async def _of_storage(run_id: str, settings: Settings, folder: Path, said: Document | None = None) -> AsyncIterator[Bundle]:
    """said: the result that is meant; None: the one that the storage has."""
    need_run_folder(settings, folder)
    with tempfile.TemporaryDirectory(prefix="genlevel-") as scratch:
        async with stored(settings, folder) as found:
            run = (await found.evaluator.get_run(ev.GetRunRequest(run_id=run_id))).run
            result = said or result_document(run, await verdict_of(found, run.run_id))
            await write_bundle(found, run, result, Path(scratch) / "run", settings.storage.blobs or folder / "blobs")
        yield read_bundle(Path(scratch) / "run")
