"""Stored runs, their answers and wishes, for a process that starts none: what only looks something up need not load what asks models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.journal.journal import Journal
from evaluator.runs.records import RunRecords
from genlevel.runtime.locks import RunLocks, run_locks
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from evaluator.ports import ScorerPort
    from evaluator.runs.answer_list import AnswerList
    from evaluator.runs.crew import Ending
    from evaluator.runs.searching import AnswerSearch
    from genlevel.runtime.blobs import BlobStore
    from genlevel.runtime.settings import Settings


class RunReader:
    """The part of the evaluator that reads.

    Args:
        data_folder: where the journal (unless settings.storage.url says otherwise), locks and blobs lie.
        scorer: who has the scores of its runs.
    """

    def __init__(self, settings: Settings, *, data_folder: Path, scorer: ScorerPort) -> None:
        self._settings = settings
        self._scorer = scorer
        self._search: AnswerSearch | None = None
        self._folder = data_folder
        self._journal = Journal(settings.storage.url or sqlite_url(data_folder / "genlevel.db"))
        self._locks = run_locks(settings.storage.url, data_folder)
        self._records = RunRecords(self._journal, _Elsewhere(self._locks))

    async def get_run(self, request: ev.GetRunRequest) -> ev.GetRunResponse:
        """One run as it stands. Raises NotFoundError if there is none."""
        return await self._records.asked(request)

    async def watch_run(self, request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]:
        """How far a run is now, as far as the database says it. Raises NotFoundError if there is none."""
        from evaluator.sharing.watching import progress_elsewhere

        yield await progress_elsewhere(self._journal, (await self._records.asked(ev.GetRunRequest(run_id=request.run_id))).run)

    async def update_run(self, request: ev.UpdateRunRequest) -> ev.UpdateRunResponse:
        """Stores what is wanted of a run; whichever process works on it follows. Raises GenlevelError."""
        from evaluator.runs.updating import Updating

        return await Updating(self._journal, self._records, continues=False, told=_nobody).update(request)

    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        """The runs that are asked for, the newest first; those with an occasion only if they are asked for, too. Raises UsageError."""
        return await self._records.page(request)

    async def describe_run(self, request: ev.DescribeRunRequest) -> ev.DescribeRunResponse:
        """Changes what people call a run and say of it. Raises GenlevelError."""
        return ev.DescribeRunResponse(run=await self._records.message(await self._records.describe(request)))

    async def delete_run(self, request: ev.DeleteRunRequest) -> ev.DeleteRunResponse:
        """Deletes a run, or says what that would free. Raises UsageError if it may not be deleted, GenlevelError."""
        from evaluator.runs.deleting import Deleting

        deleting = Deleting(self._journal, self._records, self._locks, scorer=self._scorer, blobs=self._blobs, folder=self._folder)
        return await deleting.delete(request)

    async def list_answers(self, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]:
        """Journalled answers; if one instance is asked for, with its prompt, label and ratings. Raises GenlevelError."""
        async for response in self._answers.answers(await self._records.find(request.run_id), request):
            yield response

    async def read_media(self, request: ev.ReadMediaRequest) -> AsyncIterator[ev.ReadMediaResponse]:
        """A medium of a question, answer or label, by its place there. Raises GenlevelError."""
        from evaluator.runs.media_reading import MediaReading

        reading = MediaReading(self._journal, self._blobs, self._answers)
        async for response in reading.read(await self._records.find(request.run_id), request):
            yield response

    async def search_answers(self, request: ev.SearchAnswersRequest) -> ev.SearchAnswersResponse:
        """A page of a run's answers. Raises GenlevelError."""
        if self._search is None:
            from evaluator.planning.suites import AnySuites
            from evaluator.runs.searching import AnswerSearch

            self._search = AnswerSearch(self._journal, self._scorer, AnySuites(self._settings.suites.folders))
        return await self._search.search(await self._records.find(request.run_id), request)

    async def get_traffic(self, request: ev.GetTrafficRequest) -> ev.GetTrafficResponse:
        """What a run's calls have been like, as far as that is stored. Raises GenlevelError."""
        from evaluator.runs.traffic_message import traffic_message

        run_id = (await self._records.find(request.run_id)).run_id
        spans = await self._journal.reads(self._journal.traffic.of, run_id)
        return await self._journal.reads(traffic_message, self._journal, run_id, spans)

    async def list_workers(self, request: ev.ListWorkersRequest) -> ev.ListWorkersResponse:
        """Who works, and what waits in the queue; nobody without one. Raises GenlevelError."""
        from evaluator.workers.looking import WorkersOutside

        return await WorkersOutside(self._settings).list(request)

    async def change_dead_letter(self, request: ev.ChangeDeadLetterRequest) -> ev.ChangeDeadLetterResponse:
        """Publishes a message that was given up again, or forgets it. Raises GenlevelError."""
        from evaluator.sharing.given_up import reviving
        from evaluator.workers.looking import WorkersOutside

        return await WorkersOutside(self._settings).change_dead_letter(request, reviving(self._journal))

    async def close(self) -> None:
        """Closes the journal."""
        if self._search is not None:
            await self._search.close()
        self._locks.close()
        await asyncio.to_thread(self._journal.close)

    @cached_property
    def _blobs(self) -> BlobStore:
        from genlevel.runtime.blobs import BlobStore

        return BlobStore.open(self._settings.storage.blobs or self._folder / "blobs")

    @cached_property
    def _answers(self) -> AnswerList:
        from evaluator.planning.prompts import prompt_set
        from evaluator.planning.suites import AnySuites
        from evaluator.runs.answer_list import AnswerList
        from genlevel.runtime.files import FileCache

        suites = AnySuites(self._settings.suites.folders)
        return AnswerList(self._journal, self._blobs, FileCache(self._blobs, self._folder / "files"), prompt_set, suites)


async def _nobody(run_id: str) -> None:
    """No run goes on here."""


class _Elsewhere:
    """No run goes on in this process (evaluator.runs.records.Activity)."""

    active: frozenset[str] = frozenset()
    unstored: Mapping[str, Ending] = {}
    waiting: Mapping[str, str] = {}

    def __init__(self, locks: RunLocks) -> None:
        self._locks = locks

    async def is_orphaned(self, run_id: str) -> bool:
        return not await self._locks.of(run_id).holder()
