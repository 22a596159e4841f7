"""What a person does with a run: pauses it, lets it go on, stops it, changes its limits, its name, tags and notes, or deletes it."""

from __future__ import annotations

from genlevel.connection.services import progress_of
from genlevel.documents.words import harmless
from genlevel.runtime.errors import CallerRefused, NotFoundError, Unavailable, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.web.page import Asked, Moved, Page
from genlevel.web.pages.run import address_of, view_of
from genlevel.web.pages.run_forms import NUMBERS, described, wished_limits
from genlevel.web.reply import Reply

_WISHES = {"pause": ev.RUN_WANTED_PAUSED, "go-on": ev.RUN_WANTED_GO_ON, "stop": ev.RUN_WANTED_STOPPED}
_LIMIT_FIELDS = (*(number.name for number in NUMBERS), "budget_usd", "budget_tokens", "interactive")


async def wish(asked: Asked) -> Moved | Page:
    """Pauses a run, lets it go on, or stops it. What a person has to know is told on the page."""
    wanted = asked.one("wanted")
    if wanted not in _WISHES:
        raise UsageError(f"say what is wanted of the run: {', '.join(_WISHES)}")
    request = ev.UpdateRunRequest(run_id=asked.path["run"], wanted=_WISHES[wanted], now=bool(asked.one("now")))
    return await _updated(asked, request, Reply("wish"))


async def limits(asked: Asked) -> Moved | Page:
    """Changes limits and budgets: those whose fields were changed."""
    run = (await progress_of(asked.services.evaluator, asked.path["run"])).run
    typed = {name: asked.one(name) for name in _LIMIT_FIELDS if name in asked.query}
    wished, errors = wished_limits(run.traffic, typed)
    if errors:
        return await view_of(asked, Reply("limits", errors, typed))
    if not wished.ListFields():
        return Moved(f"{address_of(run.run_id)}#limits")
    return await _updated(asked, ev.UpdateRunRequest(run_id=run.run_id, traffic=wished), Reply("limits", {}, typed))


async def describe(asked: Asked) -> Moved | Page:
    """Changes what people call a run and say of it."""
    run = (await asked.services.evaluator.get_run(ev.GetRunRequest(run_id=asked.path["run"]))).run
    typed = {name: asked.one(name) for name in ("name", "tags", "notes")}
    request, errors = described(run, typed)
    if errors:
        return await view_of(asked, Reply("describe", errors, typed))
    try:
        told = await asked.services.evaluator.describe_run(request)
    except (NotFoundError, CallerRefused):
        raise
    except UsageError as error:
        return await view_of(asked, Reply("describe", {"": harmless(str(error))}, typed))
    return Moved(f"{address_of(told.run.run_id)}#about")


async def _updated(asked: Asked, request: ev.UpdateRunRequest, answered: Reply) -> Moved | Page:
    try:
        told = await asked.services.evaluator.update_run(request)
    except (NotFoundError, CallerRefused, Unavailable):
        raise
    except UsageError as error:
        return await view_of(asked, Reply(answered.form, {"": harmless(str(error))}, answered.typed))
    if told.problems:
        return await view_of(asked, Reply(notes=[harmless(problem) for problem in told.problems]))
    return Moved(address_of(told.run.run_id))
