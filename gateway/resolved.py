"""A route with everything that a call needs to know, and how it is told to others."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.accounts.addresses import host_of
from gateway.accounts.keys import KeySource
from gateway.models import ModelFacts, nearest_priced
from gateway.pricing.otherwise import ANSWERS, BESIDE, TIERS, billed_otherwise
from gateway.pricing.prices import DatedPrice, Price
from gateway.providers import Provider
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.hosts import is_loopback_url
from genlevel.runtime.settings import Api, Limits, RouteMedia, RouteParameters
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw


@dataclass(frozen=True, slots=True)
class ResolvedRoute:
    """row: the provider's. base_url: "" = its SDK's own. charges: calls may be billed. modalities, outputs: ct.Modality numbers.
    fingerprint: of what the configuration says of it (gateway.fingerprints). boxes: as ``ModelInfo.boxes``.

    account_url: where its account's models are, each at base_url below it, or all of them.
    account: whose limits and bill a call counts against. The key itself is read when a client is made.
    """

    name: str
    row: Provider
    model: str
    api: Api
    account: str
    base_url: str
    account_url: str
    key_source: KeySource
    region: str
    project: str
    api_version: str
    charges: bool
    modalities: frozenset[int]
    outputs: frozenset[int]
    media: RouteMedia
    video_frames: int
    priced: DatedPrice | None
    facts: ModelFacts
    limits: Limits
    parameters: RouteParameters
    timeout_s: float
    idle_timeout_s: float
    fetches_media: bool
    stream: bool
    structured_output: bool
    boxes: str
    fingerprint: str
    provider: str = field(init=False)
    """The provider's name."""
    client: tuple[object, ...] = field(init=False)
    """What two routes must share to share a client: provider, address, key and what else their accounts say."""
    connections: tuple[object, ...] = field(init=False)
    """Likewise, to share their connections."""
    takes_uris: bool = field(init=False)
    """Whether it may be told to fetch media by address: a hosted provider may; a server of one's own, which stands in one's own network,
    only if its account says so."""
    bill: str = field(init=False)
    """Where its answers say what they were billed; "" = nowhere, or it is not the provider itself."""
    tells_more: bool = field(init=False)
    """Whether an answer's cost takes more than counts of tokens: its bill, or what of them was sound or pictures."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "provider", self.row.name)
        account = (self.provider, self.account_url, self.key_source, self.region, self.project, self.api_version)
        object.__setattr__(self, "connections", account)
        object.__setattr__(self, "client", (*account, self.base_url))
        hosted = self.row.is_at(self.base_url) and not self.row.is_started_here and not is_loopback_url(self.base_url)
        object.__setattr__(self, "takes_uris", hosted or self.fetches_media)
        bill = self.row.bill if self.row.is_at(self.base_url) else ""
        object.__setattr__(self, "bill", bill)
        object.__setattr__(self, "tells_more", bool(bill) or (self.priced is not None and self.priced.first.is_split))

    @property
    def given_by_address(self) -> bool:
        """Whether it is no route of the settings, but a server that a caller named by its address (Routes.add)."""
        return not self.row.implied and self.account == self.shown

    @property
    def price(self) -> Price | None:
        """What is in force today; None: it has no price."""
        return None if self.priced is None else self.priced.now

    @property
    def shown(self) -> str:
        """Who answers, as a person knows it: the provider, or host:port of an unknown server."""
        return self.provider if self.row.implied else host_of(self.base_url)

    def key(self) -> str:
        """The key, or "" if it can do without. Raises CallFailed (CREDENTIAL) with what to set if it is missing or cannot be a key."""
        return self.key_source.read(route=self.name, account=self.account, provider=self.provider)

    def problem(self) -> str:
        """Why it cannot be called on this machine, in one line; "" if it can."""
        try:
            key = self.key()
        except CallFailed as failure:
            return failure.message
        lacks_nothing = self.row.has_credentials and not self.key_source.name  # at another's address
        if key or lacks_nothing or not self.row.problem:
            return ""
        why: Callable[[], str] = pkgutil.resolve_name(self.row.problem)
        return why()

    def parameter_note(self) -> str:
        """Why a parameter is not sent as asked, in one line; empty if all are."""
        notes = []
        if self.parameters.temperature is not None:
            notes.append(f"the route fixes temperature at {self.parameters.temperature:g}")
        elif not self.parameters.send_temperature:
            notes.append("the route sends no temperature")
        refused = sorted(self.facts.omits - ({"temperature"} if self.parameters.temperature is not None else set()))
        if refused:
            names = " and ".join(name.replace("_", " ") for name in refused)
            notes.append(f"{self.model} does not take {names}; not sent")
        if self.priced is None and (name := self._billed_by()):
            notes.append(f"{name} in extra of the route makes it cost otherwise than by a price of its tokens")
        return "; ".join(notes)

    def _billed_by(self) -> str:
        return billed_otherwise({**self.media.extra, **self.parameters.extra}, BESIDE | ANSWERS | TIERS)

    def info(self) -> gw.ModelInfo:
        """The route as ListModels tells it."""
        from gateway.adapters import parameters_of, takes_seed
        from gateway.batches import APIS

        problem = self.problem()
        info = gw.ModelInfo(
            route=self.name,
            provider=self.provider,
            model=self.model,
            account=self.account,
            input_modalities=[ct.Modality.Name(modality) for modality in sorted(self.modalities)],
            output_modalities=[ct.Modality.Name(modality) for modality in sorted(self.outputs)],
            charges=self.charges,
            keyed=bool(self.key_source.name),
            context_tokens=self.facts.context_tokens,
            limits=gw.RateLimits(
                requests_per_minute=self.limits.requests_per_minute,
                tokens_per_minute=self.limits.tokens_per_minute,
                concurrency=self.limits.concurrency,
            ),
            ready=not problem,
            problem=problem,
            parameter_note=self.parameter_note(),
            max_tokens_per_image=self.facts.image_tokens,
            extra_output_tokens=self.parameters.extra_output_tokens or self.facts.extra_output_tokens,
            structured_output=self.structured_output,
            max_output_tokens_per_image=self.media.max_tokens_per_image or self.facts.output_image_tokens,
            video_frames=self.video_frames,
            max_output_seconds=self.media.max_seconds or self.media.seconds,
            fingerprint=self.fingerprint,
            parameters=parameters_of(self.row, self.api),
            takes_seed=takes_seed(self.row, self.api) and "seed" not in self.facts.omits,
            boxes=self.boxes,
        )
        if (batches := APIS.get((self.provider, self.api))) is not None:
            limits = batches.limits
            info.batch.CopyFrom(gw.BatchLimits(items=limits.items, bytes=limits.bytes, price_factor=f"{limits.price_factor:f}"))
        if self.priced is not None:
            info.price.CopyFrom(self.priced.message())
        elif self.charges:
            info.nearest_priced.extend(nearest_priced(self.provider, self.model))
        return info
