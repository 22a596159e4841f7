"""Deleting a run: what that frees, and the deed."""

from __future__ import annotations

from genlevel.documents.runs import run_document
from genlevel.runtime.callers import Role
from genlevel.runtime.errors import RoleMissing
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.web.page import Asked, Moved, Page


async def deletion_page(asked: Asked) -> Page:
    """What deleting a run would free. Raises UsageError for one that may not be deleted, RoleMissing for whoever may not."""
    if not asked.may(Role.ADMIN):
        raise RoleMissing("to delete runs needs the role admin")
    evaluator = asked.services.evaluator
    run = (await evaluator.get_run(ev.GetRunRequest(run_id=asked.path["run"]))).run
    freed = await evaluator.delete_run(ev.DeleteRunRequest(run_id=run.run_id, dry_run=True))
    document = run_document(run)
    told = {"answers": freed.answers, "files": freed.files, "bytes": freed.bytes, "problems": list(freed.problems)}
    return Page("run_deletion.html", "Delete a run", {"run": document, "freed": told}, {**document, "frees": told})


async def delete(asked: Asked) -> Moved:
    """Deletes a run for good."""
    await asked.services.evaluator.delete_run(ev.DeleteRunRequest(run_id=asked.path["run"]))
    return Moved("/")
