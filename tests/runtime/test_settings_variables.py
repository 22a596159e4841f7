"""Settings from environment variables: they say what a file could say, go before it, and a mistake in one is answered with its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from genlevel.runtime.default_settings import SECTIONS, are_configured
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.listening import Web
from genlevel.runtime.settings import Settings
from genlevel.runtime.settings_file import load_settings, parse_settings
from genlevel.runtime.settings_variables import misspelt, variables

# Names that are free, as variables can have them.
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,5}([-_][A-Za-z0-9]{1,3}){0,2}", fullmatch=True)
TEXTS = st.text(st.sampled_from("abz019 :#'\"{}[]&*!|>@%-_,?/é"), min_size=1, max_size=12).filter(lambda text: text not in ("''", '""'))
COUNTS = st.integers(1, 9)


def section(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields).filter(bool)


TREES = section(
    gateway=section(http=st.just("0.0.0.0:7411"), tls=st.just({"certificate": "/c.pem", "key": "/k.pem"})),
    scorer=section(weights=st.dictionaries(NAMES, TEXTS, min_size=1, max_size=2)),
    web=st.just("none") | section(hosts=st.lists(TEXTS, max_size=2)),
    storage=section(url=TEXTS, inline_limit_bytes=COUNTS, patience_s=st.floats(0, 3600), durability=st.sampled_from(["process", "power"])),
    worker=section(asks=st.booleans(), scores=st.just(["vision"])),
    suites=section(folders=st.lists(TEXTS, max_size=2)),
    auth=st.just("none") | section(certificates=st.dictionaries(NAMES, st.just(["read", "run"]), min_size=1, max_size=2)),
    grace_s=COUNTS,
    accounts=st.dictionaries(
        NAMES,
        st.fixed_dictionaries(
            {"provider": TEXTS},
            optional={"region": st.just("eu-west-1"), "limits": section(concurrency=COUNTS), "fetches_media": st.booleans()},
        ),
        min_size=1,
        max_size=2,
    ),
    routes=st.dictionaries(
        NAMES,
        st.fixed_dictionaries(
            {"account": TEXTS, "model": TEXTS},
            optional={
                "api": st.just("chat"),
                "input_modalities": st.just(["text", "3d"]),
                "price": st.just({"input": "0.1234567890123456789", "output": 2}),
                "parameters": section(
                    temperature=st.none() | st.floats(0, 2),
                    extra=st.dictionaries(NAMES, TEXTS | COUNTS | st.lists(COUNTS) | st.none(), min_size=1, max_size=2),
                ),
            },
        ),
        min_size=1,
        max_size=2,
    ),
    prices_file=TEXTS,
)


def is_free(path: tuple[str, ...]) -> bool:
    """Whether the last word of a path is no field's."""
    return path[-2:-1] in (("accounts",), ("routes",), ("weights",), ("certificates",), ("extra",))


def is_json(path: tuple[str, ...]) -> bool:
    return "extra" in path[:-1]


def named(path: tuple[str, ...]) -> str:
    words = [word if is_free(path[: number + 1]) else word.upper() for number, word in enumerate(path)]
    return "GENLEVEL_" + "__".join(words)


def as_variables(data: Any, path: tuple[str, ...], whole: st.DataObject) -> dict[str, str]:
    """The data as variables; of each section it is drawn whether it is one, as YAML, or one for each of what is in it."""
    if isinstance(data, dict) and (not path or whole.draw(st.booleans())):
        return {name: text for key, value in data.items() for name, text in as_variables(value, (*path, key), whole).items()}
    if isinstance(data, str) and not is_json(path):
        return {named(path): data}
    return {named(path): dumped(data)}


def dumped(data: Any) -> str:
    return yaml.safe_dump(data, allow_unicode=True).removesuffix("...\n").rstrip("\n")


def merged(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {name: merged(below[name], value) if name in below else value for name, value in above.items()}


def leaves(data: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    return [leaf for key, value in data.items() for leaf in leaves(value, (*path, key))] if isinstance(data, dict) else [path]


@given(TREES, st.data())
def test_what_a_file_says_variables_say_as_well(tree: dict[str, Any], whole: st.DataObject) -> None:
    environment = as_variables(tree, (), whole)
    settings = parse_settings("", "", environment)
    assert settings == parse_settings(yaml.safe_dump(tree))
    assert settings.variables() == sorted(environment)
    for path in leaves(tree):
        name, _, field = settings.place(*path).partition(": ")
        assert settings.writes(*path)
        assert named(path).startswith(name)
        assert name in environment
        assert field == ".".join(path)


@given(TREES, TREES)
def test_variables_go_before_the_file_one_by_one(below: dict[str, Any], above: dict[str, Any]) -> None:
    environment = {named(path): value_of(above, path) for path in leaves(above)}
    assert parse_settings(yaml.safe_dump(below), "file", environment) == parse_settings(yaml.safe_dump(merged(below, above)))


def value_of(tree: Any, path: tuple[str, ...]) -> str:
    value = tree
    for word in path:
        value = value[word]
    return value if isinstance(value, str) and not is_json(path) else dumped(value)


def test_the_file_still_says_what_no_variable_does() -> None:
    text = "storage:\n  url: sqlite:///a.db\n  blobs: /blobs\naccounts:\n  team: {provider: openai}\n"
    environment = {"GENLEVEL_STORAGE__URL": "postgresql://db", "GENLEVEL_ACCOUNTS__team__LIMITS__CONCURRENCY": "4"}
    settings = parse_settings(text, "g.yaml", environment)
    assert (settings.storage.url, settings.storage.blobs) == ("postgresql://db", "/blobs")
    assert (settings.accounts["team"].provider, settings.accounts["team"].limits.concurrency) == ("openai", 4)
    assert settings.place("storage", "url") == "GENLEVEL_STORAGE__URL: storage.url"
    assert settings.place("storage", "blobs") == "g.yaml:3: storage.blobs"
    assert settings.place("accounts", "team", "limits", "concurrency").startswith("GENLEVEL_ACCOUNTS__team__LIMITS__CONCURRENCY: ")


def test_a_whole_section_takes_the_place_of_the_file_s() -> None:
    settings = parse_settings("storage: {url: a, blobs: b}\n", "g.yaml", {"GENLEVEL_STORAGE": "{url: c}"})
    assert (settings.storage.url, settings.storage.blobs) == ("c", "")
    assert not settings.writes("storage", "blobs")


def test_words_of_fields_may_be_in_any_case_and_free_names_stand_as_they_are() -> None:
    settings = parse_settings("", "", {"GENLEVEL_Accounts__myTeam__provider": "openai", "GENLEVEL_log__FORMAT": "json"})
    assert (list(settings.accounts), settings.log.format) == (["myTeam"], "json")


def test_a_section_that_is_a_word_in_the_file_gets_the_parts_that_variables_say() -> None:
    assert parse_settings("web: none\n", "f", {"GENLEVEL_WEB__HTTP": "0.0.0.0:1"}).web == Web(http="0.0.0.0:1")


ACCOUNTS = "GENLEVEL_ACCOUNTS__"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GENLEVEL_STORAGE__URI", "x", "storage has no setting 'uri'; did you mean GENLEVEL_STORAGE__URL?"),
        ("GENLEVEL_STORAG__URL", "x", "there is no setting 'storag'; did you mean GENLEVEL_STORAGE__URL?"),
        ("GENLEVEL_STORAGE_URL", "x", "is no setting; did you mean GENLEVEL_STORAGE__URL?"),
        ("GENLEVEL_GATEWAY__TLS_KEY", "x", "gateway has no setting 'tls_key'; did you mean GENLEVEL_GATEWAY__TLS__KEY?"),
        ("GENLEVEL_LOG__COLOUR", "x", "log has no setting 'colour'; known here: format, level"),
        (ACCOUNTS + "team__PROVIDR", "x", "accounts.team has no setting 'providr'; did you mean GENLEVEL_ACCOUNTS__team__PROVIDER?"),
        (ACCOUNTS + "__PROVIDER", "x", "the name after GENLEVEL_ACCOUNTS is empty"),
        ("GENLEVEL_SUITES__FOLDERS__0", "/a", "suites.folders is a list: give all of it in GENLEVEL_SUITES__FOLDERS"),
        ("GENLEVEL_GRACE_S__X", "1", "grace_s is a single value: give it in GENLEVEL_GRACE_S"),
        ("GENLEVEL_RUNS__ATTEMPTS", "0", "runs.attempts: should be greater than or equal to 1, not 0"),
        ("GENLEVEL_RUNS__ATTEMPTS", "three", 'runs.attempts: should be a valid integer, not "three"'),
        ("GENLEVEL_RUNS", "{attempts: 3, attemps: 2}", "runs.attemps: unknown field; did you mean 'attempts'?"),
        ("GENLEVEL_SUITES__FOLDERS", "[a", "not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("GENLEVEL_GATEWAY__HTTP", "7411", "gateway.http: must be host:port, such as 0.0.0.0:7401, not '7411'"),
        ("GENLEVEL_QUEUE", "localhost:4222", "queue: the address should begin with nats:// or tls://, such as nats://localhost:4222"),
        (
            "GENLEVEL_QUEUE",
            "nats://a:hunter22@b:4222",
            "queue: needs a database that all evaluators share: set storage.url to postgresql+psycopg://...",
        ),
        ("GENLEVEL_STORAGE__BLOBS", "\udcff", "is not UTF-8 text"),
        (ACCOUNTS + "\udcff__PROVIDER", "x", "is not UTF-8 text"),
        ("GENLEVEL_MONITORS__m__MODEL", "x", "monitors.m.suite: is missing (and 1 more)"),
    ],
)
def test_a_mistake_is_answered_with_the_variable(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_settings("log: {level: INFO}\n", "g.yaml", {name: value})
    assert str(error.value) == f"{name}: {said}".replace("\udcff", "?")


def test_two_variables_do_not_say_one_thing() -> None:
    with pytest.raises(ConfigurationError, match=r"^GENLEVEL_LOG__level: log\.level is set by GENLEVEL_LOG__LEVEL, too; keep one"):
        variables({"GENLEVEL_LOG__LEVEL": "INFO", "GENLEVEL_LOG__level": "ERROR"})
    with pytest.raises(ConfigurationError, match=r"^GENLEVEL_AUTH__TOKENS: GENLEVEL_AUTH has no such part; keep one of them$"):
        parse_settings("", "", {"GENLEVEL_AUTH": "none", "GENLEVEL_AUTH__TOKENS": "t.yaml"})


def test_no_error_shows_the_password_of_an_address() -> None:
    secret = "postgresql://genlevel:hunter22@db/genlevel"
    for environment in (
        {"GENLEVEL_STORAGE__URI": secret},
        {"GENLEVEL_STORAGE_URL": secret},
        {"GENLEVEL_GATEWAY__GRPC": secret},
        {"GENLEVEL_STORAGE__PATIENCE_S": secret},
        {"GENLEVEL_STORAGE__DURABILITY": secret},
        {"GENLEVEL_STORAGE": f"{{url: {secret}, x: [}}"},
    ):
        with pytest.raises(ConfigurationError) as error:
            parse_settings("", "", environment)
        assert "hunter22" not in str(error.value), environment


# What a kubelet sets in each container for services called genlevel, genlevel-gateway, genlevel-web, genlevel-queue and genlevel--storage.
KUBERNETES = {
    f"{service}_{suffix}": value
    for service in ("GENLEVEL", "GENLEVEL_GATEWAY", "GENLEVEL_WEB", "GENLEVEL_QUEUE", "GENLEVEL__STORAGE", "GENLEVEL_STORAGE__URL")
    for suffix, value in {
        "SERVICE_HOST": "10.0.0.7",
        "SERVICE_PORT": "7401",
        "SERVICE_PORT_GRPC": "7401",
        "PORT": "tcp://10.0.0.7:7401",
        "PORT_7401_TCP": "tcp://10.0.0.7:7401",
        "PORT_7401_TCP_PROTO": "tcp",
        "PORT_7401_TCP_PORT": "7401",
        "PORT_7401_TCP_ADDR": "10.0.0.7",
    }.items()
}


def test_variables_of_kubernetes_and_of_ourselves_are_no_settings() -> None:
    ours = [
        "CONFIG",
        "TOKEN",
        "CACHE",
        "BENCH",
        "EVALUATOR_TOKEN",
        "TEST_AUTH",
        "TEST_KEY",
        "NO_SKIP",
        "REFERENCE",
        "ANSWERS",
        "WIRE",
        "WEIGHTS_CLIP",
    ]
    environment = KUBERNETES | {f"GENLEVEL_{name}": "x" for name in ours} | {"PATH": "/bin", "STORAGE__URL": "x"}
    assert variables(environment) == []
    assert misspelt(environment) == {}


def test_what_is_nearly_called_as_a_setting_is_known_to_be_none() -> None:
    assert misspelt({"GENLEVEL_PRICE_FILE": "x", "GENLEVEL_STORAGE_URI": "x", "GENLEVEL_MINE": "x"}) == {
        "GENLEVEL_PRICE_FILE": "GENLEVEL_PRICES_FILE",
        "GENLEVEL_STORAGE_URI": "GENLEVEL_STORAGE__URL",
    }


def test_an_empty_variable_is_not_set_and_two_quotes_are_an_empty_text() -> None:
    text = "storage: {url: a}\n"
    assert parse_settings(text, "f", {"GENLEVEL_STORAGE__URL": "", "GENLEVEL_RUNS__ATTEMPTS": ""}).storage.url == "a"
    assert parse_settings(text, "f", {"GENLEVEL_STORAGE__URL": "''"}).storage.url == ""


def test_the_end_of_a_line_behind_a_value_is_no_part_of_it() -> None:
    assert parse_settings("", "", {"GENLEVEL_STORAGE__URL": "postgresql://db/genlevel\n", "GENLEVEL_QUEUE": "\n"}).storage.url == (
        "postgresql://db/genlevel"
    )


def test_the_process_s_own_variables_are_read_whether_there_is_a_file_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GENLEVEL_CONFIG", raising=False)
    assert not are_configured(None)
    monkeypatch.setenv("GENLEVEL_GRACE_S", "3")
    assert are_configured(None)
    assert load_settings().grace_s == 3
    (tmp_path / "genlevel.yaml").write_text("grace_s: 4\nlog: {level: ERROR}\n")
    assert (load_settings().grace_s, load_settings().log.level) == (3, "ERROR")


def test_the_sections_that_are_known_without_the_settings_are_theirs() -> None:
    assert set(SECTIONS) == set(Settings.model_fields)
