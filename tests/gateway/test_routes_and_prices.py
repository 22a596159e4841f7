"""What a route name means, who pays, and what an answer costs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters import ADAPTERS, MAKERS, OWN_MAKERS, adapter_of, maker_of
from gateway.adapters.base import Capabilities
from gateway.asking.parameters import applied
from gateway.models import known_models, providers_known
from gateway.pricing.prices import Price, cost_nano_usd
from gateway.providers import PROVIDERS
from gateway.routes import EMBEDDED_ROUTE, MAX_RESOLVED, Routes
from genlevel.runtime.errors import CallFailed, ConfigurationError
from genlevel.runtime.settings import Account, Limits, ModelPrice, Route, RouteParameters, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

COUNTS = st.integers(0, 10**7)
NAMES = [f"{provider}/{model}" for provider in providers_known() for model in known_models(provider)]
DOLLARS = st.decimals(0, 200, places=6)


def settings(**fields: Any) -> Settings:
    accounts = {
        "work": Account(
            provider="openai", api_key_env="WORK_KEY", limits=Limits(requests_per_minute=60, tokens_per_minute=9000, concurrency=4)
        ),
        "local": Account(provider="compatible", base_url="http://127.0.0.1:8080/v1/"),
    }
    return Settings(accounts=accounts, **fields)


def test_a_configured_name_goes_before_provider_and_model() -> None:
    routes = Routes(settings(routes={"openai/gpt-6-luna": Route(account="local", model="mine")}))
    assert routes.resolve("openai/gpt-6-luna").provider == "compatible"


def test_a_hosted_model_needs_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    info = Routes(Settings()).resolve("openai/gpt-4.1-mini").info()
    assert (info.provider, info.model, info.account, info.charges, info.ready) == ("openai", "gpt-4.1-mini", "openai", True, True)
    assert (info.price.input, info.price.output, info.price.cache_read) == ("0.4", "1.6", "0.1")
    assert info.context_tokens == 1047576
    assert list(info.input_modalities) == [ct.MODALITY_TEXT, ct.MODALITY_IMAGE, ct.MODALITY_DOCUMENT]
    assert list(info.output_modalities) == [ct.MODALITY_TEXT]


@pytest.mark.parametrize(
    ("account", "fields", "takes"),
    [
        ({"provider": "openai"}, {"model": "gpt-4.1-mini"}, True),
        ({"provider": "openai"}, {"model": "gpt-4.1-mini", "api": "responses"}, False),
        ({"provider": "openai"}, {"model": "gpt-image-1", "api": "images"}, False),
        ({"provider": "anthropic"}, {"model": "claude"}, False),
        ({"provider": "mistral"}, {"model": "large"}, True),
        ({"provider": "vllm"}, {"model": "any"}, True),
        ({"provider": "vllm"}, {"model": "any", "api": "images"}, True),
    ],
)
def test_a_route_says_whether_calls_may_have_a_seed(account: dict[str, Any], fields: dict[str, Any], takes: bool) -> None:
    routes = {"r": Route.model_validate({"account": "a", **fields})}
    found = Routes(Settings(accounts={"a": Account.model_validate(account)}, routes=routes)).resolve("r")
    assert found.info().takes_seed is takes
    capable = (maker_of(found.row, found.api) or adapter_of(found.row, found.api)).capabilities
    if takes:
        assert applied(gw.GenerateRequest(parameters=gw.GenerationParameters(seed=3)), found, capable).parameters.seed == 3
    else:
        with pytest.raises(CallFailed, match="no parameter seed"):
            applied(gw.GenerateRequest(parameters=gw.GenerationParameters(seed=3)), found, capable)


PLAIN = {"account": "work", "model": "gpt-4.1-mini"}


def fingerprint_of(account: dict[str, Any] | None = None, **fields: Any) -> str:
    """The fingerprint of a route of these fields at an OpenAI account of these."""
    accounts = {"work": Account.model_validate({"provider": "openai", **(account or {})})}
    return Routes(Settings(accounts=accounts, routes={"r": Route.model_validate({**PLAIN, **fields})})).resolve("r").info().fingerprint


def test_what_decides_a_routes_answers_is_in_its_fingerprint() -> None:
    changes: list[dict[str, Any]] = [
        {"account": {"base_url": "https://proxy.example/v1"}},
        {"account": {"base_url": "https://other.example/v1"}},
        {"api": "responses"},
        {"api": "images"},
        {"media": {"quality": "high"}},
        {"media": {"extra": {"steps": 4}}},
        {"parameters": {"temperature": 0.5}},
        {"parameters": {"send_temperature": False}},
        {"parameters": {"extra_output_tokens": 4096}},
        {"input_modalities": ["text"]},
        {"output_modalities": ["text", "audio"]},
    ]
    found = {fingerprint_of(**change) for change in changes}
    assert len(found) == len(changes)
    assert all(len(fingerprint) == 16 for fingerprint in found)
    assert fingerprint_of(media={"extra": {"b": 1, "a": 2}}) == fingerprint_of(media={"extra": {"a": 2, "b": 1}})
    assert fingerprint_of({"base_url": "https://x.example/v1/"}) == fingerprint_of({"base_url": "https://x.example/v1"})


def test_a_plain_route_has_no_fingerprint_nor_has_what_decides_no_answer() -> None:
    for change in (
        {},
        {"account": {"api_key_env": "K", "limits": {"concurrency": 3}, "timeout_s": 5}},
        {"api": "chat"},
        {"price": {"input": 1, "output": 2}},
        {"context_tokens": 9},
        {"media": {"max_seconds": 8, "max_tokens_per_image": 5}},
        {"video_frames": 4},
        {"structured_output": False},
        {"boxes": "thousandths corners"},
    ):
        assert fingerprint_of(**change) == "", change
    routes = Routes(settings())
    assert {routes.resolve(name).fingerprint for name in ("openai/x", "anthropic/x", "embedded/generalist", *NAMES)} == {""}
    assert routes.add("m at http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1", "m", api="images").fingerprint == ""
    assert Routes(settings(routes={"r": Route(account="local", model="m")})).resolve("r").fingerprint


@pytest.mark.parametrize(("route", "variable"), [("openai/x", "OPENAI_API_KEY"), ("anthropic/x", "ANTHROPIC_API_KEY")])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_key_is_told_with_the_variable_to_set(
    route: str, variable: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable, raising=False)
    if value is not None:
        monkeypatch.setenv(variable, value)
    info = Routes(Settings()).resolve(route).info()
    assert not info.ready
    assert variable in info.problem
    with pytest.raises(CallFailed, match=variable) as caught:
        Routes(Settings()).resolve(route).key()
    assert caught.value.reason == "CREDENTIAL"


def test_a_key_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    account = Account(provider="openai", api_key_file=file)
    route = Routes(Settings(accounts={"openai": account})).resolve("openai/x")
    assert str(file) in route.info().problem
    file.write_text("sk-secret\n")
    assert route.key() == "sk-secret"
    assert route.info().ready


@pytest.mark.parametrize("odd", ["sk-one\nsk-two", "sk-\u043alju\u010d", "sk-\x00nul", "sk-\x7f", "\ufeffsk-bom", "sk-\udcff"])
def test_what_cannot_be_a_key_is_told_with_its_place_and_never_shown(odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_bytes(odd.encode("utf-8", "surrogateescape"))
    if "\0" not in odd:
        monkeypatch.setenv("ODD_KEY", odd)
    for fields, place in (({"api_key_env": "ODD_KEY"}, "ODD_KEY"), ({"api_key_file": file}, str(file))):
        route = Routes(Settings(accounts={"openai": Account.model_validate({"provider": "openai", **fields})})).resolve("openai/x")
        with pytest.raises(CallFailed) as caught:
            route.key()
        assert caught.value.reason == "CREDENTIAL"
        assert place in caught.value.message
        assert "sk-" not in caught.value.message
        assert len(caught.value.message.splitlines()) == 1
        assert route.info().problem == caught.value.message


def test_a_configured_route_carries_its_account() -> None:
    info = Routes(settings(routes={"smart": Route(account="work", model="gpt-6.2-sol")})).resolve("smart").info()
    assert info.account == "work"
    assert (info.limits.requests_per_minute, info.limits.tokens_per_minute, info.limits.concurrency) == (60, 9000, 4)
    assert "WORK_KEY" in info.problem
    assert info.extra_output_tokens == 25000
    assert "temperature" in info.parameter_note


@pytest.mark.parametrize(
    "name", ["", "nothing", "unheard-of/large", "openai/", "groq", "together/", "compatible/x", "embedded/other", "/x"]
)
def test_an_unknown_route_says_what_to_write(name: str) -> None:
    with pytest.raises(CallFailed) as caught:
        Routes(Settings()).resolve(name)
    assert (caught.value.reason, caught.value.part) == ("CALLER_FAULT", "route")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"routes": {"a": Route(account="nobody", model="m")}}, r"routes\.a\.account.*nobody"),
        ({"routes": {"a": Route(account="work", model="m", api="messages")}}, r"routes\.a\.api.*chat and responses"),
    ],
)
def test_a_wrong_route_is_refused_at_start_naming_the_setting(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Routes(settings(**fields))


def test_a_compatible_account_without_an_address_is_refused() -> None:
    broken = Settings(accounts={"a": Account(provider="compatible")}, routes={"r": Route(account="a", model="m")})
    with pytest.raises(ConfigurationError, match=r"accounts\.a\.base_url"):
        Routes(broken)


@pytest.mark.parametrize(
    ("url", "key", "charges"),
    [
        ("http://127.0.0.1:8080/v1", "", False),
        ("http://127.0.0.1:8080/v1", "KEY", False),
        ("http://localhost:8080/v1", "KEY", False),
        ("http://[::1]:8080/v1", "KEY", False),
        ("https://api.example.com/v1", "", False),
        ("https://api.example.com/v1", "KEY", True),
        ("http://192.168.1.5:8000/v1", "KEY", True),
    ],
)
def test_a_compatible_server_charges_where_it_is_elsewhere_and_wants_a_key(url: str, key: str, charges: bool) -> None:
    info = Routes(Settings()).add("x", url, "m", key).info()
    assert (info.charges, info.keyed) == (charges, bool(key))


def test_an_added_route_takes_the_models_name_literally_and_its_host_as_account() -> None:
    routes = Routes(Settings())
    added = routes.add("mine", "http://127.0.0.1:8080/v1", "openai/gpt-4.1-mini")
    assert (added.provider, added.model, added.account, added.price) == ("compatible", "openai/gpt-4.1-mini", "127.0.0.1:8080", None)
    assert routes.resolve("mine") is added
    assert added.info().ready


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8080",
        "ftp://x/v1",
        "http://",
        "http://user:pass@host/v1",
        "http://host:port/v1",
        "http://host:65536/v1",
        "http://ho st/v1",
        "http://host/v1\n",
        "http://host/\x01",
        "http://\u2028host/v1",
        "http://a..b/v1",
        f"http://{'a' * 70}.example/v1",
        "http://host/v1?key=1",
        "http://host/v1#there",
    ],
)
def test_what_is_not_an_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--base-url .*http://") as caught:
        Routes(Settings()).add("x", url, "m")
    assert "pass@" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("url", ["http://[::1]:8080/v1", "https://\xfc.example/v1", "HTTP://host", "http://10.0.0.1:1/a/b/v1/"])
def test_an_address_of_any_other_form_is_taken(url: str) -> None:
    assert Routes(Settings()).add("x", url, "m").base_url == url.rstrip("/")


def test_names_that_callers_choose_do_not_pile_up() -> None:
    routes = Routes(Settings())
    for number in range(2 * MAX_RESOLVED + 10):
        routes.resolve(f"openai/m{number}")
    assert len(routes._resolved) <= MAX_RESOLVED
    assert [route.name for route in routes.configured()] == ["embedded/generalist"]


def test_the_embedded_model_has_the_configured_context_and_costs_nothing() -> None:
    info = Routes(Settings()).resolve("embedded/generalist").info()
    assert (info.context_tokens, info.charges) == (8192, False)
    assert (info.price.input, info.price.output) == ("0", "0")
    assert info.limits.concurrency == 2


def test_a_price_of_the_route_goes_before_the_settings_and_these_before_the_table() -> None:
    def price(value: str) -> ModelPrice:
        return ModelPrice(input=Decimal(value), output=Decimal(value))

    shipped = Routes(settings()).resolve("openai/gpt-4.1-mini").price
    assert shipped is not None
    assert shipped.input == Decimal("0.4")
    listed = settings(
        prices={"openai/gpt-4.1-mini": price("7")}, routes={"a": Route(account="work", model="gpt-4.1-mini", price=price("8"))}
    )
    assert Routes(listed).resolve("openai/gpt-4.1-mini").price == Price.of(price("7"))
    assert Routes(listed).resolve("a").price == Price.of(price("8"))


def test_a_file_of_prices_goes_before_what_is_shipped_and_after_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(
        '{"prices": {"openai/gpt-4.1-mini": {"as_of": "2026-12-24", "source": "a page", "price": {"input": "5", "output": "6"}},'
        ' "groq/newest": {"price": {"input": "1", "output": "2"}}}}'
    )
    routes = Routes(settings(prices_file=file))
    info = routes.resolve("openai/gpt-4.1-mini").info()
    assert (info.price.input, info.price.source, info.price.as_of) == ("5", "a page", "2026-12-24")
    assert routes.resolve("groq/newest").info().price.source == str(file)
    assert "groq/newest" in [route.name for route in routes.known()]
    elsewhere = {"azure/mine": ModelPrice(per_call=Decimal(1)), "ollama/mine": ModelPrice(per_call=Decimal(1))}
    listed = [route.name for route in Routes(settings(prices=elsewhere), served=True).known()]
    assert not {*elsewhere} & {*listed}, "these need an account, and are listed as its routes"
    over = {"openai/gpt-4.1-mini": ModelPrice(input=Decimal(7), output=Decimal(7))}
    info = Routes(settings(prices_file=file, prices=over)).resolve("openai/gpt-4.1-mini").info()
    assert (info.price.input, info.price.source, info.price.as_of) == ("7", "configuration", "")


def test_without_a_name_the_file_in_the_working_folder_is_read_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Routes(Settings()).resolve("groq/newest").price is None
    Path("genlevel-prices.json").write_text('{"prices": {"groq/newest": {"price": {"input": "1", "output": "2"}}}}')
    assert Routes(Settings()).resolve("groq/newest").price == Price.of(ModelPrice(input=Decimal(1), output=Decimal(2)))
    with pytest.raises(ConfigurationError, match=r"cannot read .*missing\.json"):
        Routes(Settings(prices_file=Path("missing.json")))


def test_an_unpriced_model_names_the_nearest_that_have_a_price_and_guesses_none() -> None:
    info = Routes(Settings()).resolve("openai/gpt-5.6-moon").info()
    assert not info.HasField("price")
    assert set(info.nearest_priced) & {"openai/gpt-5.6-luna", "openai/gpt-5.6-sol"}
    assert not Routes(Settings()).resolve("openai/unheard-of").info().nearest_priced
    assert not Routes(Settings()).resolve("ollama/gpt-5.6-moon").info().nearest_priced


def asked(**fields: Any) -> gw.GenerationParameters:
    return gw.GenerationParameters(**fields)


def test_what_its_api_does_not_take_is_refused_or_left_out_by_name() -> None:
    route = Routes(Settings()).resolve("openai/unknown")
    capabilities = Capabilities(parameters={"temperature": "temperature"}, special=frozenset({"logprobs"}))
    parameters = gw.GenerationParameters(temperature=0, seed=0, stop=["x"], reasoning_effort="low", logprobs=0)
    for name in ("seed", "stop", "reasoning_effort"):
        others = {"seed", "stop", "reasoning_effort"} - {name}
        with pytest.raises(CallFailed) as caught:
            applied(gw.GenerateRequest(parameters=parameters, droppable=others), route, capabilities)
        assert (caught.value.reason, caught.value.part) == ("CALLER_FAULT", f"parameters.{name}")
    left = applied(gw.GenerateRequest(parameters=parameters, droppable=["seed", "stop", "reasoning_effort"]), route, capabilities)
    assert left.parameters == gw.GenerationParameters(temperature=0, logprobs=0)
    assert left.dropped == ["reasoning_effort", "seed", "stop"]


@pytest.mark.parametrize("name", ["openai/gpt-x", "anthropic/claude-x", "gemini/x", "deepseek/x", "bedrock/x"])
def test_a_route_tells_the_parameters_that_its_api_takes(name: str) -> None:
    route = Routes(Settings()).resolve(name)
    told = set(route.info().parameters)
    capabilities = adapter_of(route.row, route.api).capabilities
    for field in gw.GenerationParameters.DESCRIPTOR.fields_by_name:
        taken = capabilities.response_schema if field == "response_schema_json" else capabilities.takes(field)
        assert (field in told) is taken, field


def test_a_schema_may_be_left_out_too_and_more_stops_than_it_takes_are_never() -> None:
    route = Routes(Settings()).resolve("openai/unknown")
    request = gw.GenerateRequest(droppable=["response_schema_json", "stop"])
    request.parameters.response_schema_json = '{"type": "object"}'
    left = applied(request, route, Capabilities(parameters={}))
    assert (left.parameters, left.dropped) == (gw.GenerationParameters(), ["response_schema_json"])
    request.parameters.stop.extend("abc")
    with pytest.raises(CallFailed, match="at most 2 stop sequences"):
        applied(request, route, Capabilities(parameters={"stop": "stop"}, max_stop=2))


def test_a_route_fixes_how_much_is_thought_and_adds_fields() -> None:
    parameters = {"reasoning_effort": "high", "reasoning_tokens": 0}
    route = Routes(settings(routes={"a": Route(account="work", model="m", parameters=RouteParameters(**parameters))})).resolve("a")
    capabilities = Capabilities(parameters={}, special=frozenset({"reasoning_effort", "reasoning_tokens"}))
    asked_less = gw.GenerateRequest(parameters=gw.GenerationParameters(reasoning_effort="low"))
    assert applied(asked_less, route, capabilities).parameters == gw.GenerationParameters(**parameters)


def sent(parameters: gw.GenerationParameters, name: str = "openai/unknown", **route: Any) -> gw.GenerationParameters:
    configured = settings(routes={"a": Route(account="work", model="m", parameters=RouteParameters(**route))}) if route else Settings()
    resolved = Routes(configured).resolve("a" if route else name)
    capabilities = adapter_of(resolved.row, resolved.api).capabilities
    return applied(gw.GenerateRequest(parameters=parameters), resolved, capabilities).parameters


def test_parameters_are_applied_as_asked() -> None:
    everything = asked(temperature=0, max_output_tokens=5, top_p=0.3, seed=2, stop=["a"])
    assert sent(everything) == everything


@pytest.mark.parametrize(
    ("route", "configured", "can"),
    [
        ("openai/gpt-4.1-mini", None, True),
        ("anthropic/claude-haiku-5-5", None, True),
        ("openai/unlisted", None, False),
        ("embedded/generalist", None, False),
        ("gpt-4.1-mini", False, False),
        ("unlisted", True, True),
    ],
)
def test_structured_output_is_known_of_hosted_models_and_set_by_the_route(route: str, configured: bool | None, can: bool) -> None:
    named = {} if configured is None else {route: Route(account="work", model=route, structured_output=configured)}
    assert Routes(settings(routes=named)).resolve(route).info().structured_output is can


def test_a_server_by_its_address_is_held_to_no_schema_unless_the_route_says_so() -> None:
    assert not Routes(Settings()).add("m at here", "http://127.0.0.1:1/v1", "m").info().structured_output


@pytest.mark.parametrize(
    ("route", "schema", "reason", "said"),
    [
        ("embedded/generalist", '{"type": "object"}', "UNSUPPORTED", "embedded cannot be held to a JSON schema in its chat API"),
        ("openai/x", "{", "CALLER_FAULT", "not JSON"),
        ("openai/x", '{"type": "array"}', "CALLER_FAULT", "not a schema of an object"),
        ("anthropic/x", "[]", "CALLER_FAULT", "not a schema of an object"),
        ("openai/x", '{"type": "object", "x": ' + "[" * 100 + "]" * 100 + "}", "CALLER_FAULT", "take at most 100 levels"),
    ],
)
def test_a_schema_that_cannot_be_sent_is_refused_by_name(route: str, schema: str, reason: str, said: str) -> None:
    with pytest.raises(CallFailed) as caught:
        sent(asked(response_schema_json=schema), route)
    assert (caught.value.reason, caught.value.part) == (reason, "parameters.response_schema_json")
    assert said in caught.value.message


def test_a_schema_of_many_levels_can_be_written_as_json() -> None:
    schema = '{"type": "object", "x": ' + "[" * 99 + "]" * 99 + "}"
    assert sent(asked(response_schema_json=schema), "openai/x").response_schema_json == schema


def test_a_reasoning_model_gets_no_temperature_and_says_so() -> None:
    assert sent(asked(temperature=0, top_p=0.5, max_output_tokens=5), "openai/gpt-6.2-sol") == asked(max_output_tokens=5)
    assert "does not take temperature and top p" in Routes(Settings()).resolve("openai/gpt-6.2-sol").parameter_note()


def test_a_route_may_fix_or_withhold_the_temperature() -> None:
    assert sent(asked(temperature=0), temperature=0.7) == asked(temperature=0.7)
    assert sent(asked(temperature=0), send_temperature=False) == asked()
    assert (
        "fixes temperature at 0.7"
        in Routes(settings(routes={"a": Route(account="work", model="m", parameters=RouteParameters(temperature=0.7))}))
        .resolve("a")
        .parameter_note()
    )


@pytest.mark.parametrize(
    ("name", "parameters", "part"),
    [
        ("anthropic/unknown", {"seed": 1}, "parameters.seed"),
        ("openai/unknown", {"stop": ["a", "b", "c", "d", "e"]}, "parameters.stop"),
        ("openai/unknown", {"max_output_tokens": 0}, "parameters.max_output_tokens"),
    ],
)
def test_a_parameter_that_cannot_be_sent_is_refused_by_name(name: str, parameters: dict[str, Any], part: str) -> None:
    with pytest.raises(CallFailed) as caught:
        sent(asked(**parameters), name)
    assert (caught.value.reason, caught.value.part) == ("CALLER_FAULT", part)


def test_every_provider_and_api_has_an_adapter() -> None:
    assert {*ADAPTERS, *MAKERS} == {(row.dialect, api) for row in PROVIDERS.values() for api in row.apis}
    assert all(api in PROVIDERS[name].apis for name, api in OWN_MAKERS)
    for (_, api), adapter in [*ADAPTERS.items(), *MAKERS.items(), *OWN_MAKERS.items()]:
        assert adapter.api == api


@given(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS), st.tuples(DOLLARS, DOLLARS, DOLLARS, DOLLARS))
def test_cost_is_the_exact_sum_rounded_half_up(tokens: tuple[int, ...], dollars: tuple[Decimal, ...]) -> None:
    plain, read, write, output, reasoning = tokens
    price = Price(dollars[0], dollars[1], dollars[2], dollars[3])
    usage = gw.Usage(input_tokens=plain, cache_read_tokens=read, cache_write_tokens=write, output_tokens=output, reasoning_tokens=reasoning)
    micros = [int(value * 10**6) for value in (price.input, price.output, price.cache_read, price.cache_write)]
    exact = plain * micros[0] + (output + reasoning) * micros[1] + read * micros[2] + write * micros[3]  # in 1/1000 nano-dollars
    assert cost_nano_usd(usage, price) == (exact + 500) // 1000


def test_half_a_nano_dollar_is_rounded_up() -> None:
    price = Price(Decimal("0.0005"), Decimal(0), Decimal(0), Decimal(0))
    assert cost_nano_usd(gw.Usage(input_tokens=1), price) == 1
    assert cost_nano_usd(gw.Usage(input_tokens=0), price) == 0


def test_a_long_request_costs_more_as_a_whole() -> None:
    price = Price(Decimal(2), Decimal(10), Decimal("0.1"), Decimal("2.5"), 272000, Decimal(2), Decimal("1.5"))
    short = gw.Usage(input_tokens=200000, cache_read_tokens=70000, cache_write_tokens=2000, output_tokens=100)
    longer = gw.Usage(input_tokens=200000, cache_read_tokens=70000, cache_write_tokens=2001, output_tokens=100)
    assert cost_nano_usd(short, price) == 200000 * 2000 + 70000 * 100 + 2000 * 2500 + 100 * 10000
    assert cost_nano_usd(longer, price) == 200000 * 4000 + 70000 * 200 + 2001 * 5000 + 100 * 15000


def test_what_is_billed_apart_costs_its_own_price_within_its_bucket() -> None:
    """By hand: 700 of text, 300 of sound; 40 of text, 60 of a picture; of 500 written 200 for an hour."""
    said = {"input": "0.3", "output": "2.5", "cache_write": "0.375", "cache_write_hour": "0.6", "audio_input": "1", "image_output": "30"}
    price = Price.of(ModelPrice.model_validate(said))
    details = gw.UsageDetails(input_audio_tokens=300, output_image_tokens=60, cache_write_hour_tokens=200)
    usage = gw.Usage(input_tokens=1000, cache_write_tokens=500, output_tokens=100, details=details)
    assert cost_nano_usd(usage, price) == 700 * 300 + 300 * 1000 + 300 * 375 + 200 * 600 + 40 * 2500 + 60 * 30000
    plain = Price.of(ModelPrice(input=Decimal("0.3"), output=Decimal("2.5")))
    assert cost_nano_usd(usage, plain) == 1500 * 300 + 100 * 2500, "without prices of their own they cost what their bucket does"


def test_sound_that_goes_in_and_text_to_read_aloud_cost_by_the_piece() -> None:
    """$0.006 a minute, as whisper-1; $15 a million characters, as tts-1."""
    heard = Price.of(ModelPrice(per_input_second=Decimal("0.0001")))
    assert cost_nano_usd(gw.Usage(details=gw.UsageDetails(input_milliseconds=90_500)), heard) == 9_050_000
    read = Price.of(ModelPrice(characters=Decimal(15)))
    assert cost_nano_usd(gw.Usage(details=gw.UsageDetails(input_characters=1234)), read) == 18_510_000


@given(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS), st.tuples(DOLLARS, DOLLARS, DOLLARS, DOLLARS), st.integers(0, 100))
def test_in_a_batch_all_of_a_price_is_multiplied(tokens: tuple[int, ...], dollars: tuple[Decimal, ...], images: int) -> None:
    price = Price(*dollars, per_image=Decimal("0.04"), audio_input=Decimal(3), long_above=1000, long_input=Decimal(2))
    usage = gw.Usage(
        input_tokens=tokens[0], cache_read_tokens=tokens[1], cache_write_tokens=tokens[2], output_tokens=tokens[3], output_images=images
    )
    usage.details.input_audio_tokens = tokens[0] // 2
    assert abs(2 * cost_nano_usd(usage, price.batched(Decimal("0.5"))) - cost_nano_usd(usage, price)) <= 1
    assert price.batched(Decimal(1)) == price


def test_a_price_travels_whole_as_decimals() -> None:
    pieces = {"per_image": "0.04", "per_second": "0.10", "per_call": "3", "image_input": "8", "audio_output": "64", "characters": "15"}
    message = Price.of(ModelPrice.model_validate({"input": "2.50", "output": "10", "cache_read": "0.1", **pieces})).message()
    assert (message.input, message.output, message.cache_read, message.cache_write) == ("2.5", "10", "0.1", "2.5")
    assert (message.per_image, message.per_second, message.per_call, message.image_input) == ("0.04", "0.1", "3", "8")
    assert (message.audio_output, message.characters, message.audio_input) == ("64", "15", "")
    plain = Price.of(ModelPrice(input=Decimal(1), output=Decimal(2))).message()
    assert (plain.per_image, plain.per_second, plain.per_call, plain.image_input) == ("", "", "", ""), "not billed so"
    free = Price.of(ModelPrice(per_image=Decimal(0), per_call=Decimal(1))).message()
    assert (free.per_image, free.per_second, free.per_call) == ("0", "", "1")


@pytest.mark.parametrize("name", ["vllm", "sglang", "ollama", "lmstudio", "tgi"])
def test_who_calls_a_service_cannot_make_it_call_its_own_machine(name: str) -> None:
    assert Routes(Settings()).resolve(f"{name}/m").base_url.startswith("http://localhost:")
    with pytest.raises(CallFailed, match=f"add `{name}: {{provider: {name}}}` to accounts in the gateway's genlevel.yaml") as caught:
        Routes(Settings(), served=True).resolve(f"{name}/m")
    assert caught.value.reason == "CALLER_FAULT"
    configured = Settings(accounts={name: Account(provider=name)})
    assert Routes(configured, served=True).resolve(f"{name}/m").provider == name


def test_a_service_asks_hosted_providers_and_the_embedded_model_without_configuration() -> None:
    routes = Routes(Settings(), served=True)
    assert [routes.resolve(name).provider for name in ("openai/x", "groq/x", EMBEDDED_ROUTE)] == ["openai", "groq", "embedded"]
    assert len(routes.configured()) == 1
    assert [route.name for route in routes.known()] == NAMES
    with pytest.raises(CallFailed) as caught:
        routes.resolve("x" * 10_000)
    assert len(caught.value.message) < 500
    assert "--base-url" not in caught.value.message


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "http://127.0.0.1:1/v1", "m at http://127.0.0.1:1/v1", "openai", "", "\0"])
def test_a_route_is_a_name_and_neither_an_address_nor_a_path(name: str) -> None:
    with pytest.raises(CallFailed, match="no route"):
        Routes(Settings(), served=True).resolve(name)


def test_a_name_that_a_caller_makes_up_is_not_kept_if_it_is_long() -> None:
    routes = Routes(Settings(), served=True)
    assert routes.resolve("openai/" + "x" * 193).model == "x" * 193
    with pytest.raises(CallFailed, match="at most 200 characters; this one has 201"):
        routes.resolve("openai/" + "x" * 194)


def test_only_a_hosted_provider_at_its_own_address_is_told_to_fetch_media_or_who_an_account_says() -> None:
    """Another server would fetch them in the network that it stands in."""
    accounts = {
        "proxy": Account(provider="openai", base_url="https://proxy.example/v1", api_key_env="K"),
        "region": Account(provider="openai", base_url="https://eu.api.openai.com/v1"),
        "local": Account(provider="compatible", base_url="http://127.0.0.1:8080/v1"),
        "usual": Account(provider="vllm", base_url="http://localhost:8000/v1"),
        "trusted": Account(provider="openai", base_url="http://127.0.0.1:4000/v1", api_key_env="K", fetches_media=True),
    }
    routes = Routes(Settings(accounts=accounts, routes={name: Route(account=name, model="m") for name in accounts}))
    names = [*accounts, "openai/m", "anthropic/m", "groq/m", "ollama/m", EMBEDDED_ROUTE]
    assert [name for name in names if routes.resolve(name).takes_uris] == ["region", "trusted", "openai/m", "anthropic/m", "groq/m"]


def test_documents_go_to_those_that_are_known_to_read_them() -> None:
    routes = Routes(settings(routes={"told": Route(account="local", model="m", input_modalities=["text", "document"])}))
    names = ["told", "openai/m", "anthropic/m", "openrouter/m", "mistral/m", "groq/m", "vllm/m", "huggingface/m"]
    readers = [name for name in names if ct.MODALITY_DOCUMENT in routes.resolve(name).modalities]
    assert readers == ["told", "openai/m", "anthropic/m", "openrouter/m", "mistral/m"]


def test_a_route_says_in_what_it_writes_coordinates() -> None:
    routes = Routes(settings(routes={"r": Route(account="local", model="m", boxes="thousandths corners")}))
    assert routes.resolve("r").info().boxes == "thousandths corners"
    assert not routes.resolve("openai/x").info().boxes
