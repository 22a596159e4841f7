"""genlevel.yaml: what is accepted, and that each mistake is answered with its line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.runtime.default_settings import KNOWN, default_settings
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.settings import Settings
from genlevel.runtime.settings_file import load_settings, parse_settings

WHOLE = """\
gateway:
  http: 0.0.0.0:7411
storage:
  inline_limit_bytes: 4194304
accounts:
  local:
    provider: compatible
    base_url: http://127.0.0.1:8000/v1
    limits: {requests_per_minute: 60, concurrency: 4}
routes:
  fast:
    account: openai
    model: gpt-5-mini
    price: {input: 0.25, output: 2}
    parameters:
      send_temperature: false
  home:
    account: local
    model: "2025"
    input_modalities: [text, image]
prices:
  openai/gpt-5: {input: 1.25, output: 10, cache_read: 0.125}
"""


def test_a_whole_file_becomes_typed_settings_and_keeps_other_defaults() -> None:
    settings = parse_settings(WHOLE)
    assert settings.gateway.http == "0.0.0.0:7411"
    assert settings.gateway.grpc == Settings().gateway.grpc
    assert settings.accounts["local"].limits.concurrency == 4
    assert settings.routes["home"].model == "2025"
    assert settings.routes["fast"].price is not None
    assert settings.routes["fast"].price.input == Decimal("0.25")
    assert settings.prices["openai/gpt-5"].cache_read == Decimal("0.125")
    assert settings.runs == Settings().runs


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n", "routes:\naccounts:\n"])
def test_a_file_that_says_nothing_gives_the_defaults(text: str) -> None:
    assert parse_settings(text) == Settings()


MISTAKES = """\
routes:
  fast:
    account: openai
    modle: x
=> 4: routes.fast.modle: unknown field; did you mean 'model'? (and 1 more)
---
runs:
  attemps: 3
=> 2: runs.attemps: unknown field; did you mean 'attempts'?
---
gatway: {}
=> 1: gatway: unknown field; did you mean 'gateway'?
---
accounts:
  a:
    provider: openai
    limits:
      rpm: 3
=> 5: accounts.a.limits.rpm: unknown field; known here: requests_per_minute, tokens_per_minute, concurrency
---
gateway:
  tls:
    certificat: a
=> 3: gateway.tls.certificat: unknown field; did you mean 'certificate'?
---
routes:
  fast:
    account: openai
=> 2: routes.fast.model: is missing
---
runs:
  concurrency: '8'
=> 2: runs.concurrency: should be a valid integer, not "8"; write it without quotes
---
runs:
  concurrency: 8.5
=> 2: runs.concurrency: should be a valid integer, not 8.5
---
runs:
  concurrency: yes
=> 2: runs.concurrency: should be a valid integer, not true
---
runs:

  attempts: 0
=> 3: runs.attempts: should be greater than or equal to 1, not 0
---
routes:
  r: {account: openai, model: 5}
=> 2: routes.r.model: should be a valid string, not 5; put it in quotes
---
routes:
  r: {account: openai, model: m, api: chat, input_modalities: [text, smell]}
=> 2: routes.r.input_modalities[1]: should be 'text', 'image', 'video', 'audio', '3d' or 'document', not "smell"
---
prices:
  openai/x: {input: -1, output: 1}
=> 2: prices.openai/x.input: should be greater than or equal to 0, not -1
---
prices:
  openai/x: {input: .inf, output: 1}
=> 2: prices.openai/x.input: must be a finite number
---
prices:
  gpt: {input: 1, output: 1}
=> 2: prices.gpt: must be named provider/model, such as openai/gpt-5
---
accounts:
  a:
    provider: openai
    base_url: api.example.com
=> 4: accounts.a.base_url: must start with http:// or https://, not 'api.example.com'
---
accounts:
  a:
    provider: openai
    api_key_env: A
    api_key_file: b
=> 5: accounts.a.api_key_file: api_key_env is set too; keep one of them
---
gateway:
  grpc: '7401'
=> 2: gateway.grpc: must be host:port, such as 0.0.0.0:7401, not '7401'
---
gateway:
  tls: {certificate: a.pem}
=> 2: gateway.tls: needs both certificate and key
---
destinations:
  chat: {kind: slak}
=> 2: destinations.chat.kind: should be 'webhook', 'slack', 'teams', 'pagerduty' or 'github', not "slak"
---
destinations:
  chat:
    kind: slack
=> 3: destinations.chat.kind: slack needs url_env or url_file
---
destinations:
  hook:
    kind: webhook
=> 3: destinations.hook.kind: webhook needs url, url_env or url_file
---
destinations:
  chat:
    kind: slack
    url: https://hooks.example/services/T0/B0/abcdefgh
=> 4: destinations.chat.url: is a secret: put it into an environment variable or a file, and name that in url_env or url_file
---
destinations:
  hook:
    kind: webhook
    url: https://me:password@hooks.example
=> 4: destinations.hook.url: has a user or a password: put it into an environment variable or a file, and name that in url_env or url_file
---
destinations:
  hook:
    kind: webhook
    url: hooks.example
=> 4: destinations.hook.url: must start with http:// or https://, not 'hooks.example'
---
destinations:
  hook:
    kind: webhook
    url: https://hooks.example
    url_env: HOOK
=> 5: destinations.hook.url_env: url is set too; keep one of them
---
destinations:
  hook:
    kind: webhook
    url: https://hooks.example
    secret_env: whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD
=> 5: destinations.hook.secret_env: must be the name of an environment variable, such as MY_SECRET, and not what it holds
---
destinations:
  chat:
    kind: teams
    url_file: https://flow.example/workflows/secret
=> 4: destinations.chat.url_file: must be the path of a file, and not what it holds
---
destinations:
  chat:
    kind: slack
    url_env: CHAT
    secret_env: SECRET
=> 5: destinations.chat.secret_env: slack has no secret beside its address; remove it
---
destinations:
  pager:
    kind: pagerduty
=> 3: destinations.pager.kind: pagerduty needs secret_env or secret_file, which hold its routing key
---
destinations:
  ci:
    kind: github
    secret_env: TOKEN
=> 3: destinations.ci.kind: github needs repository: owner/name
---
destinations:
  ci:
    kind: github
    secret_env: TOKEN
    repository: owner/../name
=> 5: destinations.ci.repository: github needs repository: owner/name
---
destinations:
  pager:
    kind: pagerduty
    secret_env: KEY
    secret_file: key
=> 5: destinations.pager.secret_file: secret_env is set too; keep one of them
---
destinations:
  pager:
    kind: pagerduty
    secret_env: KEY
    repository: owner/name
=> 5: destinations.pager.repository: pagerduty has none; remove it
---
destinations:
  "my chat":
    kind: slack
    url_env: CHAT
=> 2: destinations.my chat: must be named with letters, digits, '-', '_' and '.', 64 at most
---
runs: {}
routes: {}
runs: {}
=> 3: runs: written twice (first in line 1); keep one
---
runs:
  attempts: 3
  attempts: 4
=> 3: runs.attempts: written twice (first in line 2); keep one
---
runs: [
=> 1: not valid YAML: expected the node content, but found '<stream end>'
---
- runs
=> 1: must hold sections such as 'routes:', not a single value or list
---
runs: 3
=> 1: runs: should be an object, not 3
---
runs: !!python/name:os.system
=> 1: runs: the tag tag:yaml.org,2002:python/name:os.system is not known here; write a plain value
---
runs: &a
  attempts: *a
=> 1: runs.attempts: refers to itself
---
runs:
  judge: "\\udcff"
=> 2: runs.judge: has half a character (\\ud800 to \\udfff)
---
? [a, b]
: 1
=> 1: the file: a field's name must be plain text
"""


@pytest.mark.parametrize("case", MISTAKES.rstrip("\n").split("\n---\n"))
def test_a_mistake_is_named_with_its_line_and_what_to_do(case: str) -> None:
    text, _, message = case.rpartition("\n=> ")
    with pytest.raises(ConfigurationError) as raised:
        parse_settings(text)
    assert str(raised.value) == f"genlevel.yaml:{message}"


def test_what_a_route_may_say_of_coordinates_is_listed() -> None:
    written = "routes:\n  r:\n    account: openai\n    model: m\n    boxes: thousands\n"
    with pytest.raises(
        ConfigurationError, match=r"^genlevel\.yaml:5: routes\.r\.boxes: should be 'pixels', 'pixels corners', 'fractions', "
    ):
        parse_settings(written)


def test_a_tab_is_named_with_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"^genlevel\.yaml:2: not valid YAML: found character '\\t'"):
        parse_settings("runs:\n\tattempts: 3\n")


def test_what_is_nested_without_end_is_refused_in_a_line() -> None:
    with pytest.raises(ConfigurationError, match=r"^genlevel\.yaml:1: nested too deeply$"):
        parse_settings("routes: " + "[" * 50_000)


@given(st.text(alphabet=st.sampled_from("rouns:-[]{}&*!|>'\"\n #,?%@`\t0a\x00\x85é"), max_size=40))
def test_no_text_raises_anything_but_a_configuration_error_of_one_line(text: str) -> None:
    problem = ""
    try:
        parse_settings(text)
    except ConfigurationError as error:
        problem = str(error)
    assert len(problem.splitlines()) <= 1


def test_sections_can_be_shared_by_an_anchor() -> None:
    settings = parse_settings(
        "routes:\n  a: &base {account: openai, model: m, context_tokens: 5}\n  b:\n    <<: *base\n    model: n\n",
    )
    assert (settings.routes["b"].model, settings.routes["b"].context_tokens) == ("n", 5)


def test_the_file_is_found_by_argument_then_environment_then_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GENLEVEL_CONFIG", raising=False)
    assert load_settings() == Settings()
    for attempts, name in enumerate(("genlevel.yaml", "environment.yaml", "argument.yaml"), start=1):
        (tmp_path / name).write_text(f"runs: {{attempts: {attempts}}}\n")
    assert load_settings().runs.attempts == 1
    monkeypatch.setenv("GENLEVEL_CONFIG", "environment.yaml")
    assert load_settings().runs.attempts == 2
    assert load_settings(tmp_path / "argument.yaml").runs.attempts == 3


def test_a_file_that_is_named_but_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing.yaml"
    with pytest.raises(ConfigurationError, match=r"^--config: cannot read .*missing.yaml \(No such file or directory\)$"):
        load_settings(missing)
    monkeypatch.setenv("GENLEVEL_CONFIG", str(missing))
    with pytest.raises(ConfigurationError, match=r"^GENLEVEL_CONFIG: cannot read .*missing.yaml"):
        load_settings()
    with pytest.raises(ConfigurationError, match=r"cannot read .* \(Is a directory\)"):
        load_settings(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"runs: \xe9\n")
    with pytest.raises(ConfigurationError, match=r"latin\.yaml: is not UTF-8 text$"):
        load_settings(tmp_path / "latin.yaml")


def test_what_is_known_of_the_defaults_without_them_is_what_they_say() -> None:
    made = Settings()
    for section, known in KNOWN.items():
        for name, value in known.items():
            assert getattr(getattr(made, section), name) == value == getattr(getattr(default_settings(), section), name)
    assert default_settings().runs == made.runs
    assert default_settings().storage.inline_limit_bytes == made.storage.inline_limit_bytes
    with pytest.raises(AttributeError, match="nothing"):
        getattr(default_settings().storage, "nothing")  # noqa: B009 - what has no such attribute must say so
