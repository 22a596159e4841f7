"""Which model a route name means: at which account, over which API, at which price."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import urlsplit

import orjson

from gateway.adapters.base import Capabilities
from gateway.adapters.embedded import problem as embedded_problem
from gateway.fingerprints import fingerprint
from gateway.models import ModelFacts, facts, table
from gateway.parts import MODALITY_NAMES
from gateway.prices import Price
from genlevel.runtime.errors import CallFailed, ConfigurationError
from genlevel.runtime.settings import Account, Limits, ModelPrice, Route, RouteMedia, RouteParameters, Settings
from genlevel.v1 import content_pb2 as content
from genlevel.v1 import gateway_pb2 as pb

EMBEDDED_ROUTE = "embedded/generalist"
KEY_VARIABLES = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
APIS = {
    "openai": ("chat", "responses", "images", "speech", "video"),
    "anthropic": ("messages",),
    "compatible": ("chat", "images", "speech", "video"),
    "embedded": ("chat",),
}
# What the models of an API take and make, where neither the route nor the table says. Others: text and images in, text out.
TAKES: dict[str, tuple[str, ...]] = {"speech": ("text",)}
MAKES: dict[str, tuple[str, ...]] = {"images": ("image",), "speech": ("audio",), "video": ("video",)}
MODALITIES = {name: number for number, name in MODALITY_NAMES.items()}
DEFAULT_MODALITIES: tuple[str, ...] = ("text", "image")
MAX_RESOLVED = 1000


@dataclass(frozen=True, slots=True)
class ResolvedRoute:
    """Everything a call needs to know. key_source: the variable or file that holds the key, "" = none is needed.
    fingerprint: of what the configuration says of it (gateway.fingerprints).

    limits_account: whose limits and bill a call counts against. The key itself is read when a client is made.
    """

    name: str
    provider: str
    model: str
    api: str
    account: str
    base_url: str
    key_source: str
    key_is_file: bool
    charges: bool
    modalities: frozenset[int]
    outputs: frozenset[int]
    media: RouteMedia
    video_frames: int
    price: Price | None
    facts: ModelFacts
    limits: Limits
    parameters: RouteParameters
    timeout_s: float
    structured_output: bool
    fingerprint: str

    @property
    def client(self) -> tuple[str, str, str]:
        """What two routes must share to share a client: provider, address and key."""
        return (self.provider, self.base_url, self.key_source)

    @property
    def shown(self) -> str:
        """Who answers, as a person knows it: the provider, or host:port of a compatible server."""
        return host_of(self.base_url) if self.provider == "compatible" else self.provider

    def key(self) -> str:
        """The key, or "" where none is needed. Raises CallFailed (CREDENTIAL) with what to set where it is missing or cannot be one."""
        if not self.key_source:
            return ""
        if self.key_is_file:
            try:
                with open(self.key_source, encoding="utf-8") as file:
                    key = file.read().strip()
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is no text"
                problem = f"{self.name}: cannot read the key file {self.key_source} of account {self.account} ({why})"
                raise CallFailed(pb.ERROR_CLASS_CREDENTIAL, problem, provider=self.provider) from None
        else:
            key = os.environ.get(self.key_source, "").strip()
        if not key:
            how = f"write the key into {self.key_source}" if self.key_is_file else f"set the environment variable {self.key_source}"
            raise CallFailed(pb.ERROR_CLASS_CREDENTIAL, f"{self.name}: no key for {self.provider}; {how}", provider=self.provider)
        if not key.isascii() or not key.isprintable():
            source = f"the key file {self.key_source}" if self.key_is_file else f"the environment variable {self.key_source}"
            problem = (
                f"{self.name}: {source} holds no key: it has a line break, a control character or one outside ASCII; write the key alone"
            )
            raise CallFailed(pb.ERROR_CLASS_CREDENTIAL, problem, provider=self.provider)
        return key

    def parameter_note(self) -> str:
        """Why a parameter is not sent as asked, in one line; empty where all are."""
        notes = []
        if self.parameters.temperature is not None:
            notes.append(f"the route fixes temperature at {self.parameters.temperature:g}")
        elif not self.parameters.send_temperature:
            notes.append("the route sends no temperature")
        refused = sorted(self.facts.omits - ({"temperature"} if self.parameters.temperature is not None else set()))
        if refused:
            names = " and ".join(name.replace("_", " ") for name in refused)
            notes.append(f"{self.model} does not take {names}; not sent")
        return "; ".join(notes)

    def info(self) -> pb.ModelInfo:
        """The route as ListModels tells it."""
        try:
            self.key()
            problem = embedded_problem() if self.provider == "embedded" else ""
        except CallFailed as failure:
            problem = failure.message
        extra = self.parameters.extra_output_tokens or self.facts.extra_output_tokens
        info = pb.ModelInfo(
            route=self.name,
            provider=self.provider,
            model=self.model,
            account=self.account,
            input_modalities=[content.Modality.Name(modality) for modality in sorted(self.modalities)],
            output_modalities=[content.Modality.Name(modality) for modality in sorted(self.outputs)],
            charges=self.charges,
            keyed=bool(self.key_source),
            context_tokens=self.facts.context_tokens,
            limits=pb.RateLimits(
                requests_per_minute=self.limits.requests_per_minute,
                tokens_per_minute=self.limits.tokens_per_minute,
                concurrency=self.limits.concurrency,
            ),
            ready=not problem,
            problem=problem,
            parameter_note=self.parameter_note(),
            max_tokens_per_image=self.facts.image_tokens,
            extra_output_tokens=extra,
            structured_output=self.structured_output,
            max_output_tokens_per_image=self.media.max_tokens_per_image,
            video_frames=self.video_frames,
            max_output_seconds=self.media.max_seconds or self.media.seconds,
            fingerprint=self.fingerprint,
        )
        if self.price is not None:
            info.price.CopyFrom(self.price.message())
        return info


# The embedded model costs nothing and answers one request at a time; a second one waits with its picture read.
FREE = Price.of(ModelPrice(input=Decimal(0), output=Decimal(0)))
EMBEDDED_LIMITS = Limits(concurrency=2)


class Routes:
    """Names to routes: ad hoc ones, those of the settings, else provider/model with a known provider."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._named: dict[str, ResolvedRoute] = {name: self._configured(name, route) for name, route in settings.routes.items()}
        self._resolved: dict[str, ResolvedRoute] = {}  # provider/model names, which callers choose: bounded

    def add(self, name: str, base_url: str, model: str, api_key_env: str = "", api: str = "") -> ResolvedRoute:
        """A route to an OpenAI-compatible server by its address; the model's name is taken literally.

        api: which of its endpoints, "" = chat.
        Raises ConfigurationError for an address that is not http or https, or another api. Replaces a route of the same name.
        """
        host = host_of(base_url)
        if api and api not in APIS["compatible"]:
            raise ConfigurationError(f"api {api!r}: a compatible server has {', '.join(APIS['compatible'])}; choose one of them")
        account = Account(provider="compatible", base_url=base_url, api_key_env=api_key_env)
        asked = Route.model_validate({"account": host, "model": model, "api": api or None})
        # What it is, a run says by itself: its address and api are part of its specification.
        route = replace(self._route(name, host, account, asked), account=host, fingerprint="")
        self._named[name] = route
        return route

    def resolve(self, name: str) -> ResolvedRoute:
        """The route of this name. Raises CallFailed (CALLER_FAULT, part "route") where there is none."""
        route = self._named.get(name) or self._resolved.get(name)
        if route is not None:
            return route
        provider, slash, model = name.partition("/")
        if slash and model and provider in APIS:
            if provider == "compatible":
                raise _fault(f"{name}: a compatible server needs an address; use --base-url or an account in genlevel.yaml")
            if provider == "embedded" and name != EMBEDDED_ROUTE:
                raise _fault(f"{name}: the embedded model is {EMBEDDED_ROUTE}")
            account = self._settings.accounts.get(provider)
            if account is None or account.provider != provider:
                account = Account(provider=provider)
            route = self._route(name, provider, account, Route(account=provider, model=model))
            if len(self._resolved) >= MAX_RESOLVED:
                self._resolved.clear()
            self._resolved[name] = route
            return route
        known = ", ".join(sorted(self._settings.routes)[:10])
        names = f" ({known})" if known else ""
        raise _fault(f"no route {name!r}: use a name from genlevel.yaml{names}, or openai/MODEL, anthropic/MODEL, {EMBEDDED_ROUTE}")

    def configured(self) -> list[ResolvedRoute]:
        """The routes of the settings and those added, in order, and the embedded one."""
        return [*self._named.values(), *([] if EMBEDDED_ROUTE in self._named else [self.resolve(EMBEDDED_ROUTE)])]

    def known(self) -> list[ResolvedRoute]:
        """The hosted models whose facts are shipped, as far as no configured route has their name."""
        return [self.resolve(name) for name in table() if name not in self._named]

    def _configured(self, name: str, route: Route) -> ResolvedRoute:
        account = self._settings.accounts.get(route.account)
        if account is None:
            if route.account not in ("openai", "anthropic", "embedded"):
                known = ", ".join(sorted(self._settings.accounts)) or "none"
                raise ConfigurationError(f"routes.{name}.account: there is no account {route.account!r} (accounts: {known})")
            account = Account(provider=route.account)
        if route.api is not None and route.api not in APIS[account.provider]:
            raise ConfigurationError(
                f"routes.{name}.api: {account.provider} has {' and '.join(APIS[account.provider])}, not {route.api}; choose one of them"
            )
        return self._route(name, route.account, account, route)

    def _route(self, name: str, account_name: str, account: Account, route: Route) -> ResolvedRoute:
        provider = account.provider
        base_url = account.base_url.rstrip("/")
        if base_url:
            host_of(base_url)
        elif provider == "compatible":
            raise ConfigurationError(f"accounts.{account_name}.base_url: a compatible account needs the address of its server")
        source, is_file = _key_source(account)
        known = facts(provider, route.model)
        usual_api = known.api or APIS[provider][0]
        api = route.api or usual_api
        override = route.price or self._settings.prices.get(f"{provider}/{route.model}") or self._settings.prices.get(name)
        if route.context_tokens:
            known = replace(known, context_tokens=route.context_tokens)
        elif provider == "embedded":
            known = replace(known, context_tokens=self._settings.embedded.context_tokens)
        return ResolvedRoute(
            name=name,
            provider=provider,
            model=route.model,
            api=api,
            account=account_name,
            base_url=base_url,
            key_source=source,
            key_is_file=is_file,
            charges=_charges(provider, base_url, source),
            modalities=_inputs(name, route, tuple(route.input_modalities or known.modalities or TAKES.get(api, DEFAULT_MODALITIES))),
            outputs=_outputs(name, provider, api, tuple(route.output_modalities or known.makes or MAKES.get(api, ("text",)))),
            media=route.media,
            video_frames=route.video_frames,
            price=Price.of(override) if override else FREE if provider == "embedded" else known.price,
            facts=known,
            limits=EMBEDDED_LIMITS if provider == "embedded" and account.limits == Limits() else account.limits,
            parameters=route.parameters,
            timeout_s=account.timeout_s,
            fingerprint=fingerprint(route, account, usual_api),
            structured_output=known.structured_output if route.structured_output is None else route.structured_output,
        )


def _numbers(names: Iterable[str]) -> frozenset[int]:
    return frozenset(MODALITIES[name] for name in names)


def _inputs(name: str, route: Route, names: Iterable[str]) -> frozenset[int]:
    """What a route takes. Raises ConfigurationError where it wants videos as pictures for a model that takes none."""
    taken = _numbers(names)
    if not route.video_frames:
        return taken
    if content.MODALITY_IMAGE not in taken:
        raise ConfigurationError(f"routes.{name}.video_frames: {route.model} takes no images, so no frames either; leave it out")
    return taken | {content.MODALITY_VIDEO}


def _outputs(route: str, provider: str, api: str, names: Iterable[str]) -> frozenset[int]:
    """What a route makes. Raises ConfigurationError for what no model of its API can be asked for here."""
    from gateway.adapters import outputs_of

    asked, possible = _numbers(names), outputs_of(provider, api)
    if wrong := asked - possible:
        what, can = (", ".join(MODALITY_NAMES[number] for number in sorted(numbers)) for numbers in (wrong, possible))
        raise ConfigurationError(f"routes.{route}.output_modalities: the {api} API of {provider} makes {can}, not {what}")
    return asked


def host_of(base_url: str) -> str:
    """host:port of an address. Raises ConfigurationError where it is not an http or https address that can be called."""
    import httpx2

    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
        httpx2.URL(base_url)
        (host or "").encode("idna")
    except (ValueError, httpx2.InvalidURL):
        host, port, parts = None, None, urlsplit("")
    plain = base_url.isprintable() and " " not in base_url and not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not host or not plain:
        shown = re.sub(r"//.*@", "//…@", base_url)  # a password is no one else's business
        raise ConfigurationError(
            f"base_url {shown!r}: give an address such as http://127.0.0.1:8080/v1, without a user, a password, a query or a fragment"
        )
    return f"{host}:{port}" if port else host


def is_loopback(base_url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _charges(provider: str, base_url: str, key_source: str) -> bool:
    if provider == "compatible":
        return bool(key_source) and not is_loopback(base_url)
    return provider != "embedded"


def _key_source(account: Account) -> tuple[str, bool]:
    if account.api_key_file is not None:
        return str(account.api_key_file), True
    return account.api_key_env or KEY_VARIABLES.get(account.provider, ""), False


def applied(parameters: pb.GenerationParameters, route: ResolvedRoute, capabilities: Capabilities) -> pb.GenerationParameters:
    """The parameters that will be sent: those asked, less what the model is known not to take, plus what the route fixes.

    Raises CallFailed (CALLER_FAULT, or UNSUPPORTED for a response schema) naming a parameter that cannot be sent.
    """
    taken, max_stop = capabilities.parameters, capabilities.max_stop
    sent = pb.GenerationParameters()
    sent.CopyFrom(parameters)
    if route.parameters.temperature is not None:
        sent.temperature = route.parameters.temperature
    elif not route.parameters.send_temperature or "temperature" in route.facts.omits:
        sent.ClearField("temperature")
    for name in route.facts.omits - {"temperature"}:
        sent.ClearField(name)
    for name in ("temperature", "max_output_tokens", "top_p", "seed"):
        if sent.HasField(name) and name not in taken:
            raise _fault(f"{route.provider} has no parameter {name} in its {route.api} API; leave it out", f"parameters.{name}")
    if sent.stop and ("stop" not in taken or (max_stop and len(sent.stop) > max_stop)):
        most = f"at most {max_stop} stop sequences" if "stop" in taken else "no stop sequences"
        raise _fault(f"{route.provider} takes {most} in its {route.api} API", "parameters.stop")
    if "max_output_tokens" in taken and sent.HasField("max_output_tokens") and sent.max_output_tokens == 0:
        raise _fault("max_output_tokens is 0; leave it out or set at least 1", "parameters.max_output_tokens")
    if sent.response_schema_json:
        _check_schema(sent.response_schema_json, route, capabilities)
    return sent


def _check_schema(written: str, route: ResolvedRoute, capabilities: Capabilities) -> None:
    part = "parameters.response_schema_json"
    if not capabilities.response_schema:
        raise CallFailed(
            pb.ERROR_CLASS_UNSUPPORTED, f"{route.provider} cannot be held to a JSON schema in its {route.api} API; leave it out", part=part
        )
    try:
        schema = orjson.loads(written)
    except orjson.JSONDecodeError:
        raise _fault("response_schema_json is not JSON", part) from None
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise _fault('response_schema_json is no schema of an object: providers want {"type": "object", ...}', part)


def _fault(message: str, part: str = "route") -> CallFailed:
    return CallFailed(pb.ERROR_CLASS_CALLER_FAULT, message, part=part)
