"""What a provider's reply amounts to: an answer, or CallFailed that says what went wrong, and what it cost all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from gateway.adapters import adapter_of, error_reader
from gateway.adapters.base import Answer, AnswerError, Pending, ProviderError, Refused
from gateway.adapters.making import JobFailed
from gateway.answering.errors import classify, malformed, redact
from gateway.bodies import Json, body_of, no_object
from gateway.pricing.prices import cost_nano_usd
from gateway.pricing.usage_details import add_details
from gateway.resolved import ResolvedRoute
from gateway.upstream import Upstream
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api
from genlevel.v1 import gateway_pb2 as gw

UNREAD = (Refused, AnswerError, LookupError, TypeError, ValueError, AttributeError)
"""What converters raise (``gateway.adapters.base.Adapter``)."""


def answer_of(route: ResolvedRoute, upstream: Upstream, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
    """The answer in a reply. Raises CallFailed, with what the call used if the reply says it, and Pending if the answer comes later."""
    body = body_of(raw)
    failed = None if 200 <= status < 300 else failure_of(route, upstream, error_reader(route.row.dialect)(status, body, headers))
    if not isinstance(body, dict):
        raise failed or malformed(route.provider, no_object(raw, upstream.base_url), name=route.shown)
    return answer_in(route, upstream, headers, body, failed, may_wait=True)


def answer_in(
    route: ResolvedRoute,
    upstream: Upstream,
    headers: Mapping[str, str],
    body: Json,
    failed: CallFailed | None = None,
    *,
    may_wait: bool = False,
) -> Answer:
    """The answer in a body. failed: why there is none in it. may_wait: raises Pending if the answer comes later; else that is no answer.

    Raises CallFailed, with what the call used if the body says it.
    """
    adapter = adapter_of(route.row, route.api)
    try:
        if failed is not None:
            raise failed
        try:
            answer = adapter.answer(body)
            if route.tells_more or answer.usage.cache_write_tokens:
                add_details(answer.usage, body, route.bill)
            return answer
        except UNREAD as problem:
            if may_wait and isinstance(problem, Pending):
                raise
            raise _unread(problem, route, upstream, headers) from None
    except CallFailed as failure:  # a refusal, say, is billed like an answer; so is any failure that says what it used
        usage, known = adapter.usage(body)
        if known:
            add_details(usage, body, route.bill)
            charge(failure, route, usage, tokens=True)
        raise


def response_of(
    route: ResolvedRoute, answer: Answer, parameters: gw.GenerationParameters, dropped: Sequence[str], *, upstream_s: float
) -> gw.GenerateResponse:
    """An answer as callers get it, without its cost."""
    response = gw.GenerateResponse(
        finish_reason=answer.finish_reason,  # type: ignore[arg-type]
        provider=route.provider,
        model=answer.model or route.model,
        response_id=answer.response_id,
        provider_fingerprint=answer.fingerprint,
        upstream_s=upstream_s,
        usage_incomplete=not answer.usage_is_known,
    )
    response.parts.extend(answer.parts)  # messages given to a constructor cost twice as much
    response.usage.CopyFrom(answer.usage)
    response.applied_parameters.CopyFrom(parameters)
    if dropped:
        response.dropped_parameters.extend(dropped)
    if answer.logprobs:
        response.logprobs.extend(answer.logprobs)
    return response


def has_media(response: gw.GenerateResponse) -> bool:
    """Whether an answer has media."""
    return any([part.HasField("media") for part in response.parts])


def set_cost(response: gw.GenerateResponse, route: ResolvedRoute, *, tokens: bool, lengths: bool) -> None:
    """Says what an answer costs, if that can be told. tokens, lengths: whether those are known."""
    cost = _cost(response.usage, route, tokens=tokens, lengths=lengths)
    if cost is None:
        return
    price = route.price
    # The tool that draws is a model of its own, whose tokens are not among those of the answer.
    if route.api is Api.RESPONSES and response.usage.output_images and price is not None and price.per_image is None:
        return
    response.cost_nano_usd = cost


def _cost(usage: gw.Usage, route: ResolvedRoute, *, tokens: bool, lengths: bool) -> int | None:
    """What a call costs in nano-dollars: what its provider says that it bills, else by its price; None if that cannot be told."""
    if usage.HasField("details") and usage.details.HasField("billed_nano_usd"):
        return usage.details.billed_nano_usd
    price = route.price
    if price is None or not price.is_known(usage, tokens=tokens, lengths=lengths):
        return None
    return cost_nano_usd(usage, price)


@contextmanager
def reading(route: ResolvedRoute, upstream: Upstream, headers: Mapping[str, str]) -> Iterator[None]:
    """Turns what a converter says of a reply into CallFailed."""
    try:
        yield
    except UNREAD as problem:
        raise _unread(problem, route, upstream, headers) from None


def failure_of(route: ResolvedRoute, upstream: Upstream, error: ProviderError) -> CallFailed:
    """The failure that a provider's error amounts to."""
    return classify(
        error,
        provider=route.provider,
        name=route.shown,
        model=route.model,
        credential=route.key_source.name,
        usual=route.row.key_variable,
        where=upstream.base_url,
        secret=upstream.key,
        machines=upstream.has_credentials and not upstream.key,
    )


def job_failure(route: ResolvedRoute, upstream: Upstream, failed: JobFailed) -> CallFailed:
    """The failure of a job that its provider has begun."""
    failure = failure_of(route, upstream, failed.error)
    failure.may_be_charged = failed.lost
    return failure


def charge(failure: CallFailed, route: ResolvedRoute, usage: gw.Usage, *, tokens: bool, lengths: bool = True) -> None:
    """Notes what a failed call used, and what that costs if it can be told. tokens, lengths: whether those are known."""
    failure.usage, failure.may_be_charged = usage, True
    failure.cost_nano_usd = _cost(usage, route, tokens=tokens, lengths=lengths)


def _unread(problem: Exception, route: ResolvedRoute, upstream: Upstream, headers: Mapping[str, str]) -> CallFailed:
    match problem:
        case Refused():
            return CallFailed(
                ErrorClass.CONTENT_REFUSED,
                f"{route.shown} refused: {redact(str(problem), upstream.key)}",
                provider=route.provider,
                provider_code="refusal",
                may_be_charged=True,
            )
        case AnswerError():
            return failure_of(route, upstream, replace(problem.error, headers=headers))
        case ValueError():  # says in words what is wrong
            return malformed(route.provider, redact(str(problem), upstream.key), name=route.shown)
        case _:
            said = redact(f"{type(problem).__name__} {problem}", upstream.key)
            return malformed(route.provider, f"it is not what the {route.api} API answers ({said})", name=route.shown)
