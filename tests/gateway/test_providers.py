"""The providers: what each row says, what follows from it, and that one row is all that a compatible provider takes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway import providers
from gateway.accounts.keys import KeySource
from gateway.adapters import ADAPTERS, MAKERS, OWN_MAKERS
from gateway.providers import PROVIDERS, Charging, Dialect, Provider
from gateway.routes import Routes
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed, ConfigurationError
from genlevel.runtime.logs import redact
from genlevel.runtime.settings import Account, Limits, Route, Settings
from genlevel.runtime.settings_file import parse_settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

MEDIA = ("images", "speech", "video", "transcription")
# A row here for each row there: name, key variable, address, APIs, and whether a plain provider/MODEL is billed.
TABLE: list[tuple[str, str, str, tuple[str, ...], bool]] = [
    ("openai", "OPENAI_API_KEY", "", ("chat", "responses", "compact", *MEDIA), True),
    ("anthropic", "ANTHROPIC_API_KEY", "", ("messages",), True),
    ("gemini", "GEMINI_API_KEY", "https://generativelanguage.googleapis.com/v1beta", ("generate", "video"), True),
    ("vertex", "GOOGLE_VERTEX_API_KEY", "", ("generate", "video"), True),
    ("anthropic-vertex", "GOOGLE_VERTEX_API_KEY", "", ("messages",), True),
    ("bedrock", "AWS_BEARER_TOKEN_BEDROCK", "", ("converse",), True),
    ("azure", "AZURE_OPENAI_API_KEY", "", ("chat", "responses", "images", "speech", "transcription"), True),
    ("azure-ai", "AZURE_OPENAI_API_KEY", "", ("chat",), True),
    ("cohere", "CO_API_KEY", "https://api.cohere.com", ("chat", "generate"), True),
    ("openrouter", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1", ("chat", "responses", "speech", "transcription"), True),
    ("mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1", ("chat", "speech", "transcription"), True),
    ("groq", "GROQ_API_KEY", "https://api.groq.com/openai/v1", ("chat", "responses", "speech", "transcription"), True),
    ("together", "TOGETHER_API_KEY", "https://api.together.ai/v1", ("chat", "images", "speech", "transcription"), True),
    ("deepseek", "DEEPSEEK_API_KEY", "https://api.deepseek.com/v1", ("chat", "responses"), True),
    ("xai", "XAI_API_KEY", "https://api.x.ai/v1", ("chat", "responses", "images", "speech", "video", "transcription"), True),
    ("fireworks", "FIREWORKS_API_KEY", "https://api.fireworks.ai/inference/v1", ("chat",), True),
    ("cerebras", "CEREBRAS_API_KEY", "https://api.cerebras.ai/v1", ("chat",), True),
    ("perplexity", "PERPLEXITY_API_KEY", "https://api.perplexity.ai", ("chat",), True),
    ("huggingface", "HF_TOKEN", "https://router.huggingface.co/v1", ("chat",), True),
    ("zai", "ZAI_API_KEY", "https://api.z.ai/api/paas/v4", ("chat",), True),
    ("moonshot", "MOONSHOT_API_KEY", "https://api.moonshot.ai/v1", ("chat",), True),
    ("writer", "WRITER_API_KEY", "https://api.writer.com/v1", ("chat",), True),
    ("deepgram", "DEEPGRAM_API_KEY", "https://api.deepgram.com/v1", ("transcription",), True),
    ("vllm", "", "http://localhost:8000/v1", ("chat", "responses", *MEDIA), False),
    ("sglang", "", "http://localhost:30000/v1", ("chat", "images", "video"), False),
    ("ollama", "", "http://localhost:11434/v1", ("chat",), False),
    ("ollama-native", "", "http://localhost:11434", ("chat", "generate"), False),
    ("lmstudio", "", "http://localhost:1234/v1", ("chat",), False),
    ("tgi", "", "http://localhost:8080/v1", ("chat",), False),
    ("compatible", "", "", ("chat", "responses", *MEDIA), False),
    ("embedded", "", "", ("chat",), False),
]
SEEDLESS = {"deepseek", "perplexity", "zai", "moonshot"}
ADDRESSED = ("compatible", "azure", "azure-ai")
HOSTED = [row for row in TABLE if row[1]]
NAMED = [row for row in TABLE if row[0] not in (*ADDRESSED, "embedded")]
COMPATIBLE = [row for row in NAMED if PROVIDERS[row[0]].dialect is Dialect.COMPATIBLE]


def test_every_provider_has_a_row_here() -> None:
    assert [row[0] for row in TABLE] == list(PROVIDERS)
    assert all(name == row.name for name, row in PROVIDERS.items())


@pytest.mark.parametrize(("name", "variable", "address", "apis", "charges"), TABLE)
def test_a_row_says_what_its_provider_documents(name: str, variable: str, address: str, apis: tuple[str, ...], charges: bool) -> None:
    row = PROVIDERS[name]
    assert (row.key_variable, row.base_url, row.apis) == (variable, address, apis)
    assert row.usual_api == apis[0]
    assert row.charges(address, keyed=bool(variable)) is charges
    assert row.implied is (name not in ADDRESSED)
    assert all((row.dialect, api) in {*ADAPTERS, *MAKERS} or (name, api) in OWN_MAKERS for api in row.apis)


@pytest.mark.parametrize(("name", "variable", "address", "apis", "charges"), NAMED)
def test_provider_and_model_need_no_configuration(
    *, name: str, variable: str, address: str, apis: tuple[str, ...], charges: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable or "UNSET", raising=False)
    route = Routes(Settings()).resolve(f"{name}/maker/model:7b")
    info = route.info()
    assert (info.provider, info.model, info.account, info.charges, info.keyed) == (name, "maker/model:7b", name, charges, bool(variable))
    assert (route.base_url, route.api, route.shown, info.fingerprint) == (address, apis[0], name, "")
    assert not info.HasField("price")
    if not PROVIDERS[name].has_credentials:  # those of a machine are looked for by its first call
        assert info.ready is not bool(variable)
        assert variable in info.problem
    if variable:
        monkeypatch.setenv(variable, "k-1")
        assert route.key() == "k-1"
        assert route.info().ready


@pytest.mark.parametrize("name", [row[0] for row in HOSTED if row[2]])
def test_a_hosted_provider_charges_wherever_it_is_but_on_this_machine(name: str) -> None:
    def charges(base_url: str) -> bool:
        accounts = {"a": Account(provider=name, base_url=base_url)}
        return Routes(Settings(accounts=accounts, routes={"r": Route(account="a", model="m")})).resolve("r").charges

    assert charges("")
    assert charges("https://eu.example.com/v1")
    assert not charges("http://127.0.0.1:9/v1")


@pytest.mark.parametrize("name", [row[0] for row in COMPATIBLE if not row[1]])
@pytest.mark.parametrize(
    ("base_url", "key", "charges"), [("http://gpu.example:8000/v1", "", False), ("http://gpu.example:8000/v1", "K", True)]
)
def test_a_server_of_ones_own_charges_only_elsewhere_and_with_a_key(name: str, base_url: str, key: str, charges: bool) -> None:
    accounts = {name: Account(provider=name, base_url=base_url, api_key_env=key)}
    assert Routes(Settings(accounts=accounts)).resolve(f"{name}/m").charges is charges


@pytest.mark.parametrize(("name", "variable", "address", "apis", "charges"), COMPATIBLE)
async def test_an_accounts_address_goes_before_the_usual_one_and_gets_only_a_key_that_is_named(
    *,
    name: str,
    variable: str,
    address: str,
    apis: tuple[str, ...],
    charges: bool,
    stub: Any,
    make_gateway: Callable[[Settings], Gateway],
    asking: Callable[..., gw.GenerateRequest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if variable:
        monkeypatch.setenv(variable, f"key-of-{name}")
    monkeypatch.setenv("NAMED_KEY", "key-that-is-named")
    keyed = Account(provider=name, base_url=f"{stub.url}/v1", api_key_env="NAMED_KEY")
    routes = {"keyed": Route(account="keyed", model="m")}
    gateway = make_gateway(Settings(accounts={name: Account(provider=name, base_url=f"{stub.url}/v1/"), "keyed": keyed}, routes=routes))
    try:
        (listed,) = (await gateway.list_models(gw.ListModelsRequest(route=f"{name}/maker/model"))).models
        answer = await gateway.generate(asking(f"{name}/maker/model", **({"seed": 7} if listed.takes_seed else {})))
        await gateway.generate(asking("keyed"))
    finally:
        await gateway.close()
    path, headers, body = stub.requests[0]
    assert path == "/v1/chat/completions"
    assert f"key-of-{name}" not in str(headers)
    assert "authorization" not in headers
    assert stub.requests[1][1]["authorization"] == "Bearer key-that-is-named"
    assert body["model"] == "maker/model"
    assert listed.takes_seed is (name not in SEEDLESS)
    assert {key: body[key] for key in ("seed", "random_seed") if key in body} == (
        {} if name in SEEDLESS else {"random_seed" if name == "mistral" else "seed": 7}
    )
    assert (answer.provider, answer.parts[0].text, answer.HasField("cost_nano_usd")) == (name, "Paris", False)
    assert len(listed.fingerprint) == 16, "another address is another run"


@pytest.mark.parametrize(("name", "address"), [(row[0], row[2]) for row in COMPATIBLE])
def test_writing_the_usual_address_down_changes_no_run(name: str, address: str) -> None:
    for written in (address, f"{address}/"):
        accounts = {name: Account(provider=name, base_url=written)}
        assert Routes(Settings(accounts=accounts)).resolve(f"{name}/m").fingerprint == ""


def test_the_fingerprints_of_before_there_were_rows_stay() -> None:
    def fingerprint(provider: str, base_url: str, **route: Any) -> str:
        accounts = {"a": Account(provider=provider, base_url=base_url)}
        return Routes(Settings(accounts=accounts, routes={"r": Route(account="a", model="m", **route)})).resolve("r").fingerprint

    assert fingerprint("openai", "https://api.openai.com/v1") == "da81c8e85eeca9c3"
    assert fingerprint("openai", "", api="responses") == "99871c7f34bdc1cd"
    assert fingerprint("anthropic", "https://proxy.example", parameters={"temperature": 0.5}) == "275f1a8c7c6be516"
    assert (
        fingerprint("compatible", "http://127.0.0.1:8080/v1", media={"quality": "high"}, output_modalities=["text", "image"])
        == "98ef0a453d71a49d"
    )


async def test_a_compatible_provider_is_one_row(
    stub: Any,
    make_gateway: Callable[[Settings], Gateway],
    asking: Callable[..., gw.GenerateRequest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = Provider("madeup", Dialect.COMPATIBLE, Charging.ALWAYS, key_variable="MADEUP_API_KEY", base_url=f"{stub.url}/v1")
    monkeypatch.setitem(providers.PROVIDERS, row.name, row)
    monkeypatch.setenv("MADEUP_API_KEY", "sk-made-up")
    settings = parse_settings("routes: {mine: {account: madeup, model: maker/large}}")
    gateway = make_gateway(settings)
    try:
        answer = await gateway.generate(asking("madeup/maker/large"))
        listed = {model.route: model for model in (await gateway.list_models(gw.ListModelsRequest())).models}
    finally:
        await gateway.close()
    ((path, headers, body),) = stub.requests
    assert (path, headers["authorization"], body["model"]) == ("/v1/chat/completions", "Bearer sk-made-up", "maker/large")
    assert (answer.provider, answer.parts[0].text) == ("madeup", "Paris")
    assert not answer.HasField("cost_nano_usd")
    assert (listed["mine"].provider, listed["mine"].ready, listed["mine"].charges) == ("madeup", True, True)
    assert not listed["mine"].HasField("price"), "unpriced, and not free"
    with pytest.raises(CallFailed, match="madeup"):
        Routes(Settings()).resolve("nothing/of-the-kind")


async def test_a_providers_error_names_it_and_the_variable_to_check(
    stub: Any,
    make_gateway: Callable[[Settings], Gateway],
    asking: Callable[..., gw.GenerateRequest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-bad")
    stub.replies({"error": {"message": "Invalid API Key", "type": "invalid_request_error", "code": "invalid_api_key"}}, 401)
    accounts = {
        "groq": Account(provider="groq", base_url=stub.url, api_key_env="GROQ_API_KEY"),
        "bare": Account(provider="groq", base_url=stub.url),
    }
    gateway = make_gateway(Settings(accounts=accounts, routes={"bare": Route(account="bare", model="m")}))
    try:
        with pytest.raises(CallFailed, match="groq refused the key; check GROQ_API_KEY") as caught:
            await gateway.generate(asking("groq/m"))
        with pytest.raises(CallFailed, match="that of GROQ_API_KEY is sent to groq's own address alone; name the variable"):
            await gateway.generate(asking("bare"))
    finally:
        await gateway.close()
    assert (caught.value.reason, caught.value.provider) == ("CREDENTIAL", "groq")


OPENAI, ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com"
ITS_OWN = [
    *[(name, address) for name, _, address, _, _ in HOSTED],
    ("openai", OPENAI), ("openai", "https://eu.api.openai.com/v1/"), ("anthropic", f"{ANTHROPIC}/"), ("mistral", "https://api.mistral.ai/other"),
]  # fmt: skip
ANOTHERS = [
    "http://api.openai.com/v1", "https://api.openai.com.evil.example/v1", "https://evilapi.openai.com/v1", "https://openai.com/v1",
    "https://evil.example/api.openai.com", "https://evil.example/?u=https://api.openai.com", "http://127.0.0.1:8000/v1",
    "https://api.openai.com@evil.example/v1", "https:///v1",
]  # fmt: skip


@pytest.mark.parametrize(("name", "address"), ITS_OWN)
def test_the_usual_key_goes_to_the_providers_own_address(name: str, address: str) -> None:
    assert KeySource.of(Account(provider=name, base_url=address), PROVIDERS[name]).name == PROVIDERS[name].key_variable != ""


@pytest.mark.parametrize("name", [row[0] for row in HOSTED])
@pytest.mark.parametrize("address", ANOTHERS)
def test_the_usual_key_goes_nowhere_else(name: str, address: str) -> None:
    assert KeySource.of(Account(provider=name, base_url=address), PROVIDERS[name]).name == ""


@pytest.mark.parametrize("name", ["openai", "anthropic"])
@pytest.mark.parametrize("is_set", [True, False])
async def test_an_sdk_sends_no_key_of_its_own_making_to_another_address(
    *,
    name: str,
    is_set: bool,
    stub: Any,
    make_gateway: Callable[[Settings], Gateway],
    asking: Callable[..., gw.GenerateRequest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        if is_set:
            monkeypatch.setenv(variable, "not-for-strangers")
        else:
            monkeypatch.delenv(variable, raising=False)
    gateway = make_gateway(Settings(accounts={name: Account(provider=name, base_url=stub.url)}))
    try:
        with contextlib.suppress(CallFailed):
            await gateway.generate(asking(f"{name}/m"))
    finally:
        await gateway.close()
    ((_, headers, _),) = stub.requests
    assert "not-for-strangers" not in str(headers)
    assert not {"authorization", "x-api-key"} & set(headers)


MISTAKES = """\
accounts:
  team:
    provider: mistrl
=> 3: accounts.team.provider: 'mistrl' is not a provider; did you mean 'mistral'? known:
---
accounts:
  team: {provider: "", api_key_env: K}
=> 2: accounts.team.provider: '' is not a provider; known:
---
routes:
  r:
    account: lcoal
    model: m
accounts:
  local: {provider: compatible, base_url: http://x/v1}
=> 3: routes.r.account: no account is named 'lcoal'; did you mean 'local'?
---
routes:
  r: {account: nobody, model: m}
=> 2: routes.r.account: no account is named 'nobody'; configured: none
---
routes:
  r: {account: compatible, model: m}
=> 2: routes.r.account: no account is named 'compatible'; configured: none
---
accounts:
  local:
    provider: compatible
=> 2: accounts.local.base_url: an account of compatible needs base_url, such as http://127.0.0.1:8000/v1
---
routes:
  r:
    account: deepseek
    model: m
    api: images
=> 5: routes.r.api: deepseek has chat and responses, not images; choose one of them
---
routes:
  r: {account: xai, model: m, api: images, output_modalities: [audio]}
=> 2: routes.r.output_modalities: the images API of xai makes image, not audio
---
routes:
  r:
    account: ollama
    model: m
    video_frames: 3
    input_modalities: [text]
=> 5: routes.r.video_frames: m takes no images, so no frames either; leave it out
---
accounts:
  openai: {provider: openai}
  europe:
    provider: openai
    region: eu
=> 5: accounts.europe.region: openai has no use for it; leave it out
---
accounts:
  frankfurt: {provider: bedrock, region: eu-central-1, project: mine}
=> 2: accounts.frankfurt.project: bedrock has no use for it; leave it out
---
accounts:
  cloud:
    provider: vertex
    project: my project
=> 4: accounts.cloud.project: should be letters, digits and . _ : - alone, not "my project"
"""


@pytest.mark.parametrize("case", MISTAKES.split("---\n"))
def test_a_mistake_in_the_settings_is_told_with_its_line(case: str) -> None:
    text, _, message = case.rpartition("\n=> ")
    with pytest.raises(ConfigurationError) as caught:
        Routes(parse_settings(text))
    assert str(caught.value).startswith(f"genlevel.yaml:{message.strip()}")
    assert len(str(caught.value).splitlines()) == 1


def test_settings_that_come_from_no_file_name_the_field_alone() -> None:
    with pytest.raises(ConfigurationError, match=r"^accounts\.a\.provider: 'x' is not a provider; known: "):
        Routes(Settings(accounts={"a": Account(provider="x")}))


def test_a_key_that_was_read_is_in_no_log_line(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-file-0123\r\n")
    route = Routes(Settings(accounts={"groq": Account(provider="groq", api_key_file=file)})).resolve("groq/m")
    assert redact(f"sent {route.key()}") == "sent ***"
    file.write_text("EMPTY")
    route.key()
    assert redact("EMPTY") == "EMPTY", "a placeholder is no secret, and may be an ordinary word"


def test_an_empty_key_file_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("\n")
    route = Routes(Settings(accounts={"groq": Account(provider="groq", api_key_file=file)})).resolve("groq/m")
    with pytest.raises(CallFailed, match=f"no key for groq; write the key into {file}"):
        route.key()


def test_who_calls_a_service_is_told_whose_environment_lacks_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    for served, where in ((True, " of the gateway"), (False, "")):
        with pytest.raises(CallFailed) as caught:
            Routes(Settings(), served=served).resolve("groq/m").key()
        assert caught.value.message == f"groq/m: no key for groq; set the environment variable GROQ_API_KEY{where}"


def test_an_accounts_own_limits_go_before_its_providers() -> None:
    accounts = {"embedded": Account(provider="embedded", limits=Limits(concurrency=1))}
    assert Routes(Settings(accounts=accounts)).resolve("embedded/generalist").limits.concurrency == 1
    assert Routes(Settings()).resolve("embedded/generalist").limits.concurrency == 2
    assert Routes(Settings()).resolve("ollama/m").limits == Limits()


@pytest.mark.parametrize("name", ["gemini/gemini-of-tomorrow", "vertex/gemini-of-tomorrow", "groq/llama", "gemini/gemini-omni-1.2-flash"])
def test_a_model_that_nobody_knows_takes_what_those_of_its_provider_do(name: str) -> None:
    taken = {ct.Modality.Name(one).removeprefix("MODALITY_") for one in Routes(Settings()).resolve(name).modalities}
    assert ({"AUDIO", "VIDEO"} <= taken) == name.endswith("tomorrow")


def test_a_price_makes_a_named_provider_priced() -> None:
    settings = parse_settings('prices: {groq/llama: {input: "0.5", output: "1"}}')
    price = Routes(settings).resolve("groq/llama").price
    assert price is not None
    assert (price.input, price.output) == (Decimal("0.5"), Decimal(1))


@pytest.mark.parametrize("module", ["providers", "pricing.prices", "answering.retry_after", "fingerprints", "accounts.addresses", "models"])
def test_what_only_decides_imports_no_client(module: str) -> None:
    heavy = ("grpc", "aiohttp", "httpx", "httpx2", "openai", "anthropic", "sqlalchemy", "uvicorn")
    code = f"import sys, gateway.{module}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_documented_table_is_that_of_the_rows() -> None:
    page = Path(__file__).parents[2] / "docs/providers.md"
    table = page.read_text().partition("| provider |")[2].partition("\n\n")[0]
    documented = [line for line in table.splitlines() if line.startswith("| `")]
    elsewhere = {
        "openai": "its SDK's",
        "anthropic": "its SDK's",
        "vertex": "that of its account's `region`",
        "anthropic-vertex": "that of its account's `region`",
        "bedrock": "that of its region",
        "azure": "an account's `base_url`",
        "azure-ai": "an account's `base_url`",
        "compatible": "an account's `base_url`",
        "embedded": "started by the gateway",
    }
    expected = []
    for name, variable, address, apis, charges in TABLE:
        key, where = f"`{variable}`" if variable else "none", elsewhere.get(name, f"`{address}`" if address else "its SDK's")
        expected.append(f"| `{name}` | {key} | {where} | {', '.join(apis)} | {'yes' if charges else 'no'} |")
    assert documented == expected
