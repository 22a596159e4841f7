"""Which model a route name means: at which account, over which API, at which price."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

from gateway.accounts.addresses import host_of
from gateway.accounts.keys import KeySource
from gateway.asking.media_blocks import MODALITY_NAMES
from gateway.fingerprints import fingerprint
from gateway.models import ModelFacts, facts, known_models, providers_known
from gateway.pricing.otherwise import ANSWERS, BESIDE, TIERS, billed_otherwise
from gateway.pricing.prices import DatedPrice, Price
from gateway.providers import NO_LIMITS, PROVIDERS, Charging, Provider, implied_names
from gateway.resolved import ResolvedRoute
from genlevel.runtime.errors import CallFailed, ConfigurationError, ErrorClass
from genlevel.runtime.hosts import is_loopback_url
from genlevel.runtime.price_list import file_of, listed_prices
from genlevel.runtime.settings import Account, Api, ModelPrice, Route, Settings
from genlevel.runtime.shown import cut, is_variable_name, quoted
from genlevel.v1 import content_pb2 as ct

EMBEDDED_ROUTE = "embedded/generalist"
COMPATIBLE = "compatible"
# What the models of an API take and make, if neither the route nor the table says. Others: text and images in, text out.
TAKES: dict[Api, tuple[str, ...]] = {Api.SPEECH: ("text",), Api.TRANSCRIPTION: ("audio",)}
MAKES: dict[Api, tuple[str, ...]] = {Api.IMAGES: ("image",), Api.SPEECH: ("audio",), Api.VIDEO: ("video",)}
MODALITIES = {name: number for number, name in MODALITY_NAMES.items()}
DEFAULT_MODALITIES: tuple[str, ...] = ("text", "image")
MAX_RESOLVED = 1000
LONGEST_NAME = 200
"""Characters of a name that is not configured: routes and series keep it."""
# What a provider that never charges costs.
FREE = DatedPrice(Price.of(ModelPrice(input=Decimal(0), output=Decimal(0))))
CONFIGURED = "configuration"


class Routes:
    """Names to routes: ad hoc ones, those of the settings, else provider/model with a known provider.

    Args:
        served: others choose the names. Servers on this machine are then asked only if an account names them: a caller must not
            choose what is called here.

    Raises ConfigurationError if a route cannot be made from its settings, with their file and line.
    """

    def __init__(self, settings: Settings, *, served: bool = False) -> None:
        self._settings = settings
        self._listed = listed_prices(settings)
        self._served = served
        for name, account in settings.accounts.items():
            self._check(name, account)
        self._named: dict[str, ResolvedRoute] = {name: self._configured(name, route) for name, route in settings.routes.items()}
        self._resolved: dict[str, ResolvedRoute] = {}  # provider/model names, which callers choose: bounded

    def add(self, name: str, base_url: str, model: str, api_key_env: str = "", api: str = "") -> ResolvedRoute:
        """A route to an OpenAI-compatible server by its address; the model's name is taken literally.

        api: which of its endpoints, "" = chat.
        Raises ConfigurationError for an address that is not http or https, or another api. Replaces a route of the same name.
        """
        host = host_of(base_url, called="--base-url")
        if api_key_env and not is_variable_name(api_key_env):
            raise ConfigurationError("--api-key-env takes the name of an environment variable, such as MY_KEY, and not the key itself")
        apis = PROVIDERS[COMPATIBLE].apis
        if api and api not in apis:
            raise ConfigurationError(f"api {api!r}: a compatible server has {', '.join(apis)}; choose one of them")
        account = Account(provider=COMPATIBLE, base_url=base_url, api_key_env=api_key_env)
        asked = Route.model_validate({"account": host, "model": model, "api": api or None})
        # No fingerprint: a run's specification has its address and api already.
        route = replace(self._route(name, host, account, asked), account=host, fingerprint="")
        self._named[name] = route
        return route

    def resolve(self, name: str) -> ResolvedRoute:
        """The route of this name. Raises CallFailed (CALLER_FAULT, part "route") if there is none."""
        route = self._named.get(name) or self._resolved.get(name)
        if route is not None:
            return route
        if len(name) > LONGEST_NAME:
            raise _fault(f"{cut(name)}: the name of a route has at most {LONGEST_NAME} characters; this one has {len(name):,}")
        provider, _, model = name.partition("/")
        row = PROVIDERS.get(provider)
        if row is None or not model:
            raise _fault(self._unknown(name))
        account = self._settings.accounts.get(provider)
        configured = account is not None and account.provider == provider
        if not row.implied and not configured:
            own = f'write `{provider}: {{provider: {provider}, base_url: "{row.example}"}}` below accounts'
            way = "use --base-url or an account" if provider == COMPATIBLE else own
            raise _fault(f"{cut(name)}: {provider} has no address of its own; {way} in genlevel.yaml")
        if row.models and model not in row.models:
            raise _fault(f"{cut(name)}: the {provider} model is {' or '.join(f'{provider}/{one}' for one in row.models)}")
        if account is None or not configured:
            if self._served and is_loopback_url(row.base_url):
                raise _fault(
                    f"{cut(name)}: a service asks a server on its own machine only if its configuration says so; "
                    f"add `{provider}: {{provider: {provider}}}` to accounts in the gateway's genlevel.yaml"
                )
            account = Account(provider=provider)
        route = self._route(name, provider, account, Route(account=provider, model=model), configured=configured)
        if len(self._resolved) >= MAX_RESOLVED:
            self._resolved.clear()
        self._resolved[name] = route
        return route

    def configured(self) -> list[ResolvedRoute]:
        """The routes of the settings and those added, in order, and the embedded one."""
        return [*self._named.values(), *([] if EMBEDDED_ROUTE in self._named else [self.resolve(EMBEDDED_ROUTE)])]

    def known(self) -> list[ResolvedRoute]:
        """The hosted models of which something is shipped, or that have a price, unless a configured route has their name."""
        shipped = (f"{provider}/{model}" for provider in providers_known() for model in known_models(provider))
        priced = sorted(name for name in {*self._listed, *self._settings.prices} if self._can_be_asked(name))
        return [self.resolve(name) for name in dict.fromkeys((*shipped, *priced)) if name not in self._named]

    def _can_be_asked(self, name: str) -> bool:
        """Whether a name that has a price is that of a model that needs no route: Azure's need an account's address."""
        try:
            return self.resolve(name).row.charging in (Charging.ALWAYS, Charging.ELSEWHERE)
        except CallFailed:
            return False

    def _unknown(self, name: str) -> str:
        known = ", ".join(sorted(self._settings.routes)[:10])
        names = f" ({known})" if known else ""
        providers = ", ".join(implied_names())
        ways = f"use a name from genlevel.yaml{names}, or PROVIDER/MODEL of {providers}"
        way = "" if self._served else "; or any OpenAI-compatible server by --base-url"
        return f"no route {quoted(name)}: {ways}{way}"

    def _check(self, name: str, account: Account) -> None:
        """Raises ConfigurationError if the account's provider is unknown, needs an address that it does not give, or has no use for
        a setting."""
        row = PROVIDERS.get(account.provider)
        if row is None:
            close = difflib.get_close_matches(account.provider, PROVIDERS, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            known = ", ".join(sorted(PROVIDERS))
            place = self._settings.place("accounts", name, "provider")
            raise ConfigurationError(f"{place}: {account.provider!r} is not a provider; {hint}known: {known}")
        if not row.implied and not account.base_url:
            place = self._settings.place("accounts", name, "base_url")
            raise ConfigurationError(f"{place}: an account of {row.name} needs base_url, such as {row.example}")
        for field in ("region", "project", "api_version"):
            if getattr(account, field) and field not in row.chosen:
                place = self._settings.place("accounts", name, field)
                raise ConfigurationError(f"{place}: {row.name} has no use for it; leave it out")

    def _configured(self, name: str, route: Route) -> ResolvedRoute:
        account = self._settings.accounts.get(route.account)
        if account is None:
            account = self._implied(name, route.account)
        apis = PROVIDERS[account.provider].apis
        if route.api is not None and route.api not in apis:
            place = self._settings.place("routes", name, "api")
            raise ConfigurationError(f"{place}: {account.provider} has {' and '.join(apis)}, not {route.api}; choose one of them")
        return self._route(name, route.account, account, route)

    def _implied(self, route: str, name: str) -> Account:
        """The account that a provider has without configuration. Raises ConfigurationError if no provider of this name has one."""
        row = PROVIDERS.get(name)
        if row is not None and row.implied:
            return Account(provider=name)
        known = sorted({*self._settings.accounts, *implied_names()})
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"configured: {', '.join(sorted(self._settings.accounts)) or 'none'}"
        raise ConfigurationError(f"{self._settings.place('routes', route, 'account')}: no account is named '{name}'; {hint}")

    def _route(self, name: str, account_name: str, account: Account, route: Route, *, configured: bool = True) -> ResolvedRoute:
        row = PROVIDERS[account.provider]
        if account.base_url:
            host_of(account.base_url)
        base_url = account_url = (account.base_url or row.base_url).rstrip("/")
        source = KeySource.of(account, row, served=self._served, configured=configured)
        known = self._facts(row, route)
        usual_api = known.api or row.usual_api
        api = route.api or usual_api
        if api is Api.TRANSCRIPTION:  # runs ask every model that answers in text for these
            from gateway.adapters import untaken

            known = replace(known, omits=known.omits | untaken(row, api, ("temperature", "max_output_tokens")))
        if row.place:
            place: Callable[[str, str, str, Api], str] = pkgutil.resolve_name(row.place)
            base_url = place(base_url, account.api_version, route.model, api)
        return ResolvedRoute(
            name=name,
            row=row,
            model=route.model,
            api=api,
            account=account_name,
            base_url=base_url,
            account_url=account_url,
            key_source=source,
            region=account.region,
            project=account.project,
            api_version=account.api_version,
            charges=row.charges(base_url, keyed=bool(source.name)),
            modalities=self._inputs(name, row, api, route, known),
            outputs=self._outputs(name, row, api, tuple(route.output_modalities or known.makes or MAKES.get(api, ("text",)))),
            media=route.media,
            video_frames=route.video_frames,
            priced=self._price(name, row, route, known),
            facts=known,
            limits=row.limits if account.limits == NO_LIMITS else account.limits,
            parameters=route.parameters,
            timeout_s=account.timeout_s,
            idle_timeout_s=account.idle_timeout_s,
            fetches_media=account.fetches_media,
            stream=route.stream and self._streams(name, row, api),
            fingerprint=fingerprint(route, account, usual_api=usual_api, usual_url=row.base_url),
            structured_output=known.structured_output if route.structured_output is None else route.structured_output,
            boxes=route.boxes,
        )

    def _streams(self, name: str, row: Provider, api: Api) -> bool:
        """Whether an API answers in streams. Raises ConfigurationError if it does not."""
        from gateway.streams.table import STREAMS

        if (row.dialect, api) in STREAMS:
            return True
        said = f"the API {api} of {row.name} does not answer in streams; leave stream out"
        raise ConfigurationError(f"{self._settings.place('routes', name, 'stream')}: {said}")

    def _facts(self, row: Provider, route: Route) -> ModelFacts:
        known = facts(row.name, route.model)
        if route.context_tokens:
            return replace(known, context_tokens=route.context_tokens)
        return replace(known, context_tokens=self._settings.embedded.context_tokens) if row.is_started_here else known

    def _price(self, name: str, row: Provider, route: Route, known: ModelFacts) -> DatedPrice | None:
        """The route's own price, else that of the settings, of their file, or the shipped one; none if its calls cost otherwise."""
        extra = {**route.media.extra, **route.parameters.extra}
        if extra and billed_otherwise(extra, BESIDE | ANSWERS if route.price else BESIDE | ANSWERS | TIERS):
            return None  # no price bounds it
        said = route.price or self._settings.prices.get(f"{row.name}/{route.model}") or self._settings.prices.get(name)
        if said:
            return DatedPrice(Price.of(said), CONFIGURED)
        if listed := self._listed.get(f"{row.name}/{route.model}"):
            return DatedPrice(Price.of(listed.price), listed.source or str(file_of(self._settings)), listed.as_of)
        return FREE if row.charging is Charging.NEVER else known.price

    def _inputs(self, name: str, row: Provider, api: Api, route: Route, known: ModelFacts) -> frozenset[int]:
        """What a route takes; documents too, unless it says otherwise, if its API does: providers read them for all of their models.

        Raises ConfigurationError if it sends videos as pictures to a model that takes no pictures.
        """
        from gateway.adapters import takes_documents

        usual = row.takes if api is row.usual_api else DEFAULT_MODALITIES
        taken = _numbers(route.input_modalities or known.modalities or TAKES.get(api, usual))
        if route.input_modalities is None and takes_documents(row, api):
            taken |= {ct.MODALITY_DOCUMENT}
        if not route.video_frames:
            return taken
        if ct.MODALITY_IMAGE not in taken:
            place = self._settings.place("routes", name, "video_frames")
            raise ConfigurationError(f"{place}: {route.model} takes no images, so no frames either; leave it out")
        return taken | {ct.MODALITY_VIDEO}

    def _outputs(self, route: str, row: Provider, api: Api, names: Iterable[str]) -> frozenset[int]:
        """What a route makes. Raises ConfigurationError for modalities that its API does not make."""
        from gateway.adapters import outputs_of

        asked, possible = _numbers(names), outputs_of(row, api)
        if wrong := asked - possible:
            what, can = (", ".join(MODALITY_NAMES[number] for number in sorted(numbers)) for numbers in (wrong, possible))
            place = self._settings.place("routes", route, "output_modalities")
            raise ConfigurationError(f"{place}: the {api} API of {row.name} makes {can}, not {what}")
        return asked


def _numbers(names: Iterable[str]) -> frozenset[int]:
    return frozenset(MODALITIES[name] for name in names)


def _fault(message: str) -> CallFailed:
    return CallFailed(ErrorClass.CALLER_FAULT, message, part="route")
