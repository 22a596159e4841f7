"""The deployment files agree with the code: ports, names, configuration, and every metric that a rule asks for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml
from prometheus_client import CollectorRegistry

from genlevel.runtime.callers import Role
from genlevel.runtime.callers.tokens import hash_of, read_rows
from genlevel.runtime.listening import ServiceListen, Web
from genlevel.runtime.readiness import Life
from genlevel.runtime.settings import Settings
from genlevel.runtime.settings_file import load_settings, parse_settings
from tests.deploy.pages import show_queue

if TYPE_CHECKING:
    from evaluator.journal.monitor_store import MonitorStore

SERVICES = ("gateway", "evaluator", "scorer")
OURS = (*SERVICES, "web", "cli", "demo", "setup")
ONCE = ("cli", "demo", "setup")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count"), "gauge": ("",)}


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def default_ports(service: str) -> dict[str, int]:
    listen: ServiceListen = getattr(Settings(), service)
    return {"grpc": port_of(listen.grpc), "http": port_of(listen.http)}


def pages_port() -> int:
    return port_of(Web().http)


def read_all(file: Path) -> list[Any]:
    return list(yaml.safe_load_all(file.read_text("utf-8")))


def read_text(file: Path) -> str:
    return file.read_text("utf-8")


def rule_files(repository: Path) -> list[Path]:
    """The files of Prometheus' rules."""
    folder = repository / "deploy/prometheus"
    return sorted(file for file in folder.glob("*.yml") if file.name != "prometheus.yml" and not file.stem.endswith("_test"))


def rules_of(repository: Path) -> list[dict[str, Any]]:
    """All rules, recording and alerting ones."""
    return [rule for file in rule_files(repository) for group in read_all(file)[0]["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def compose(repository: Path) -> dict[str, Any]:
    document: dict[str, Any] = read_all(repository / "docker-compose.yml")[0]
    return document


def mounts_of(definition: dict[str, Any]) -> dict[str, str]:
    """What a container of Compose mounts, by its path there; ":ro" stays at what is only read."""
    found = {}
    for volume in definition.get("volumes", []):
        source, path = re.fullmatch(r"(.*?):(/[^:]*(?::ro)?)", volume).groups()  # type: ignore[union-attr]
        found[path.removesuffix(":ro")] = source + (":ro" if path.endswith(":ro") else "")
    return found


TOKENS = "${GENLEVEL_EVALUATOR_TOKEN:+./deploy/compose/}access"
"""A volume, or the folder beside it if tokens are made by hand."""


@pytest.fixture(scope="module")
def base(repository: Path) -> Path:
    return repository / "deploy/kubernetes/base"


@pytest.fixture(scope="module")
def exported_names() -> set[str]:
    """Every series name that the three services can show, and Prometheus' own."""
    from evaluator.monitors.series import DeliveryCounter, MonitorSeries
    from evaluator.telemetry import EvaluatorTelemetry
    from gateway.telemetry import Telemetry
    from genlevel.runtime.http import create_app
    from scorer.runs.exporter import ScoreExporter

    registry = CollectorRegistry()
    Telemetry(registry)
    EvaluatorTelemetry(registry)
    registry.register(ScoreExporter())
    registry.register(MonitorSeries(cast("MonitorStore", None), time.time))
    DeliveryCounter(registry, ["ops"])
    show_queue(registry)
    create_app(registry, ready=Life())
    names = {"up"}
    for family in registry.collect():
        names |= {family.name + suffix for suffix in SUFFIXES[family.type]}
    return names


@pytest.mark.parametrize("service", SERVICES)
def test_compose_listens_where_the_settings_say_and_publishes_it_only_if_asked(
    compose: dict[str, Any], repository: Path, service: str
) -> None:
    settings = load_settings(repository / "deploy/compose/genlevel.yaml")
    ports = default_ports(service)
    listen: ServiceListen = getattr(settings, service)
    assert {"grpc": port_of(listen.grpc), "http": port_of(listen.http)} == ports
    assert getattr(settings.addresses, service) == f"{service}:{ports['grpc']}"
    definition = compose["services"][service]
    assert definition["command"] == [service]
    assert "ports" not in definition, "there may be several of it"
    published = read_all(repository / "deploy/compose/ports.yaml")[0]["services"]
    assert published[service] == {"ports": [f"127.0.0.1:{ports['grpc']}:{ports['grpc']}"]}


def test_compose_serves_the_pages_to_this_machine_with_each_visitor_s_token(compose: dict[str, Any], repository: Path) -> None:
    settings = load_settings(repository / "deploy/compose/genlevel.yaml")
    assert settings.web is not None
    assert settings.auth is not None
    assert port_of(settings.web.http) == pages_port()
    definition = compose["services"]["web"]
    assert (definition["command"], definition["ports"]) == (["web"], [f"127.0.0.1:{pages_port()}:{pages_port()}"])
    assert not [name for name in definition["environment"] if "TOKEN" in name]
    assert set(mounts_of(definition)) == {"/etc/genlevel/genlevel.yaml", "/access/tokens"}


def test_every_container_of_compose_has_no_rights_a_limit_and_a_check_and_is_reached_from_this_machine_alone(
    compose: dict[str, Any],
) -> None:
    for name, definition in compose["services"].items():
        assert definition["read_only"] is True, name
        assert definition["cap_drop"] == ["ALL"], name
        assert definition["security_opt"] == ["no-new-privileges:true"], name
        assert "/tmp" in definition["tmpfs"], name
        assert re.fullmatch(r"\d+[mg]", definition["mem_limit"]), name
        assert {"max-size", "max-file"} <= definition["logging"]["options"].keys(), "else the log fills the disk"
        assert "container_name" not in definition, "there could be only one of it"
        assert name in OURS or not definition["user"].startswith(("0", "root")), name
        assert all(port.startswith("127.0.0.1:") for port in definition.get("ports", [])), name
        if name in ONCE:
            assert (definition["restart"], definition["healthcheck"]) == ("no", {"disable": True})
        else:
            assert definition["restart"] == "unless-stopped"
            assert definition["healthcheck"]["test"][0] == "CMD"
    assert [compose["services"][name]["healthcheck"]["test"] for name in (*SERVICES, "web")] == [["CMD", "genlevel", "health"]] * 4


def test_in_compose_stores_are_reached_by_those_alone_who_keep_something_there(compose: dict[str, Any], repository: Path) -> None:
    settings = load_settings(repository / "deploy/compose/genlevel.yaml")
    for network, who in (("database", {"evaluator", "scorer"}), ("queue", {"evaluator"})):
        inside = {name for name, definition in compose["services"].items() if network in definition.get("networks", [])}
        assert inside == {*who, network}
        assert compose["networks"][network] == {"internal": True}
        assert compose["services"][network]["networks"] == [network]
    database = compose["services"]["database"]["environment"]
    assert settings.storage.url == f"postgresql+psycopg://{database['POSTGRES_USER']}@database/{database['POSTGRES_DB']}"
    assert settings.queue == "nats://queue:4222"
    held = read_text(repository / "deploy/compose/nats.conf")
    assert "listen: 0.0.0.0:4222" in held
    for service in SERVICES:
        definition = compose["services"][service]
        waited = {name for name, until in definition["depends_on"].items() if until == {"condition": "service_healthy"}}
        assert waited & {"database", "queue"} == set(definition.get("networks", [])) - {"default"}
        password = definition["environment"].get("PGPASSFILE", "")
        assert (password != "") == ("database" in waited)
        assert not password or str(Path(password).parent) in mounts_of(definition)


def test_with_sqlite_instead_services_keep_what_they_kept(repository: Path) -> None:
    written = read_all(repository / "deploy/compose/sqlite.yaml")[0]
    for service in SERVICES:
        environment = written["services"][service]["environment"]
        settings = parse_settings(read_text(repository / "deploy/compose/genlevel.yaml"), "genlevel.yaml", environment)
        assert (settings.storage.url, settings.queue, settings.storage.blobs) == ("", "", "/blobs")
    for service in ("evaluator", "scorer"):
        assert written["services"][service]["volumes"] == [f"{service}-data:/data"]
        assert f"{service}-data" in written["volumes"]


@pytest.fixture
def setup(repository: Path, tmp_path: Path) -> Callable[..., Path]:
    """Runs what makes tokens and passwords, below a folder of ours."""
    script = read_text(repository / "deploy/compose/setup.sh").replace("/access/", f"{tmp_path}/access/")
    for name in ("caller", "database", "evaluator", "storage", "tokens"):
        (tmp_path / "access" / name).mkdir(parents=True)

    def run(**environment: str) -> Path:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GENLEVEL_")}
        environment = inherited | environment | {"PATH": path}
        done = subprocess.run(["sh", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert "gl_" not in done.stdout + done.stderr
        return tmp_path / "access"

    return run


def test_a_first_start_makes_tokens_and_a_password_and_a_second_keeps_them(setup: Callable[..., Path]) -> None:
    access = setup()
    rows = {row.name: row for row in read_rows(access / "tokens/tokens.yaml", "tokens")}
    assert {name: set(row.roles) for name, row in rows.items()} == {"evaluator": {Role.ADMIN}, "you": {Role.RUN, Role.CALL}}
    for name, folder in (("evaluator", "evaluator"), ("you", "caller")):
        assert hash_of((access / folder / "token").read_text().strip()) == rows[name].sha256
    password = (access / "database/password").read_text().strip()
    assert len(password) >= 32
    assert (access / "storage/pgpass").read_text() == f"database:5432:genlevel:genlevel:{password}\n"
    files = {file.relative_to(access).as_posix(): file for file in access.rglob("*") if file.is_file()}
    assert {name: file.stat().st_mode & 0o777 for name, file in files.items()} == {
        "tokens/tokens.yaml": 0o600,
        "evaluator/token": 0o400,
        "caller/token": 0o400,
        "database/password": 0o444,  # of a volume that the database alone mounts, which runs as another user
        "storage/pgpass": 0o400,  # libpq takes no other
    }
    before = {name: file.read_text() for name, file in files.items()}
    setup()
    assert {name: file.read_text() for name, file in files.items()} == before


def test_tokens_that_were_made_by_hand_are_used_and_none_are_made(setup: Callable[..., Path]) -> None:
    access = setup(GENLEVEL_EVALUATOR_TOKEN="by-hand", GENLEVEL_TOKEN="mine")
    assert [(access / name / "token").read_text() for name in ("evaluator", "caller")] == ["by-hand\n", "mine\n"]
    assert list((access / "tokens").iterdir()) == []
    assert (access / "database/password").exists()


def test_tokens_by_hand_can_be_taken_back(setup: Callable[..., Path]) -> None:
    """Else the evaluator would show for ever what the file of tokens, which is the first one again, does not know."""
    access = setup()
    made = [(access / name / "token").read_text() for name in ("evaluator", "caller")]
    for evaluator in ("by-hand", "another"):
        setup(GENLEVEL_EVALUATOR_TOKEN=evaluator, GENLEVEL_TOKEN="mine")
        assert [(access / name / "token").read_text() for name in ("evaluator", "caller")] == [f"{evaluator}\n", "mine\n"]
    setup()
    assert [(access / name / "token").read_text() for name in ("evaluator", "caller")] == made


def test_kubernetes_serves_the_pages_without_rights_a_token_or_a_store(base: Path) -> None:
    documents = {document["kind"]: document for document in read_all(base / "web.yaml")}
    pod = documents["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    settings = load_settings(base / "genlevel.yaml")
    assert settings.web is not None
    assert port_of(settings.web.http) == pages_port()
    assert container["args"] == ["web"]
    assert [port["containerPort"] for port in container["ports"]] == [pages_port()]
    assert [port["port"] for port in documents["Service"]["spec"]["ports"]] == [pages_port()]
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == str(pages_port())
    evaluator = read_all(base / "evaluator.yaml")[0]["spec"]["template"]["spec"]
    assert container["securityContext"] == evaluator["containers"][0]["securityContext"]
    assert pod["spec"]["securityContext"] == evaluator["securityContext"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["spec"]["volumes"]}
    assert {volume["name"] for volume in pod["spec"]["volumes"]} == {"config", "tokens", "tmp"}
    assert "envFrom" not in container


def test_a_command_on_the_machine_reaches_composes_services(repository: Path) -> None:
    addresses = load_settings(repository / "deploy/compose/client.yaml").addresses
    published = read_all(repository / "deploy/compose/ports.yaml")[0]["services"]
    for service in SERVICES:
        assert [f"{getattr(addresses, service)}:{default_ports(service)['grpc']}"] == published[service]["ports"]


def test_in_compose_services_share_blobs_and_keep_nothing_that_two_of_one_would_share(compose: dict[str, Any], repository: Path) -> None:
    settings = load_settings(repository / "deploy/compose/genlevel.yaml")
    for service in SERVICES:
        mounts = mounts_of(compose["services"][service])
        assert mounts[settings.storage.blobs] == "blobs"
        assert "/data" not in mounts
    named = {source for name in compose["services"] for source in mounts_of(compose["services"][name]).values() if source[0] not in ".$"}
    assert {source.removesuffix(":ro") for source in named} | {"access"} == set(compose["volumes"])


def test_archives_are_unpacked_on_the_disk_and_not_in_the_memory_that_tmp_is(compose: dict[str, Any], repository: Path) -> None:
    image = read_text(repository / "Dockerfile")
    (cache,) = re.findall(r"GENLEVEL_CACHE=(\S+)", image)
    assert mounts_of(compose["services"]["evaluator"])[cache] == "cache"
    (made,) = re.findall(r"^RUN install --directory --owner=10001 --group=10001 (.*) \\$", image, re.MULTILINE)
    assert {cache, "/data", "/blobs"} == set(made.split()), "a new volume belongs to whom the image's folder belongs to"


def test_compose_mounts_the_configuration_where_the_services_look(compose: dict[str, Any]) -> None:
    for service in (*SERVICES, "web", "cli", "demo"):
        definition = compose["services"][service]
        assert mounts_of(definition)[definition["environment"]["GENLEVEL_CONFIG"]] == "./deploy/compose/genlevel.yaml:ro"


def test_compose_asks_every_caller_for_a_token_and_gives_each_container_its_own(compose: dict[str, Any], repository: Path) -> None:
    auth = load_settings(repository / "deploy/compose/genlevel.yaml").auth
    assert auth is not None
    assert auth.tokens is not None
    for service in (*SERVICES, "web"):
        assert mounts_of(compose["services"][service])[str(auth.tokens.parent)] == f"{TOKENS}:ro"
    assert (repository / "deploy/compose/access").is_dir(), "else docker makes it, and root owns it"
    shown = {
        name: definition["environment"].get("GENLEVEL_ADDRESSES__TOKEN_FILE")
        for name, definition in compose["services"].items()
        if name in OURS
    }
    assert {name: file for name, file in shown.items() if file} == {
        "evaluator": "/access/evaluator/token",
        "cli": "/access/caller/token",
        "demo": "/access/caller/token",
    }
    for name in ("evaluator", "caller"):
        mounted = {each for each, definition in compose["services"].items() if f"/access/{name}" in mounts_of(definition)} - {"setup"}
        assert mounted == ({"evaluator"} if name == "evaluator" else {"cli", "demo"})
    assert {each for each, definition in compose["services"].items() if "/access/database" in mounts_of(definition)} == {
        "setup",
        "database",
    }
    made = {path: source for path, source in mounts_of(compose["services"]["setup"]).items() if path.startswith("/access/")}
    assert made == {
        "/access/tokens": TOKENS,
        "/access/evaluator": "evaluator-token",
        "/access/caller": "caller-token",
        "/access/database": "database-password",
        "/access/storage": "storage-password",
    }


def test_the_image_has_the_folders_that_volumes_take_their_owner_from(compose: dict[str, Any], repository: Path) -> None:
    dockerfile = read_text(repository / "Dockerfile")
    made = re.search(r"install --directory (.*?)\nUSER", dockerfile, re.DOTALL)
    assert made is not None
    for service in OURS:
        for path, source in mounts_of(compose["services"][service]).items():
            assert source.startswith("./") or path.startswith("/suites/") or path in made[1].replace("\\", " ").split(), path


def test_the_demo_runs_once_when_all_is_there(compose: dict[str, Any], repository: Path) -> None:
    demo = compose["services"]["demo"]
    assert demo["command"] == ["eval", "--model", "embedded/generalist", "--suite", "starter"]
    assert demo["depends_on"] == {name: {"condition": "service_healthy"} for name in ("evaluator", "web")}
    assert not demo["profiles"]
    assert compose["services"]["cli"]["profiles"] == ["cli"]


def test_kubernetes_asks_every_caller_for_a_token_and_gives_the_evaluator_its_own(base: Path) -> None:
    settings = load_settings(base / "genlevel.yaml")
    assert settings.auth is not None
    assert settings.auth.tokens is not None
    assert settings.addresses.token_file is not None
    for service in SERVICES:
        pod = read_all(base / f"{service}.yaml")[0]["spec"]["template"]["spec"]
        secrets = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        mounted = {mount["mountPath"]: secrets.get(mount["name"]) for mount in pod["containers"][0]["volumeMounts"]}
        assert mounted[str(settings.auth.tokens.parent)] == "genlevel-tokens"
        own = mounted.get(str(settings.addresses.token_file.parent))
        assert own == ("genlevel-evaluator-token" if service == "evaluator" else None)


def test_in_kubernetes_secrets_of_calls_and_of_alarms_go_to_whom_they_are_for_alone(base: Path) -> None:
    given = {}
    for service in SERVICES:
        (container,) = read_all(base / f"{service}.yaml")[0]["spec"]["template"]["spec"]["containers"]
        given[service] = [source["secretRef"] for source in container.get("envFrom", [])]
    assert given == {
        "gateway": [{"name": "genlevel-keys", "optional": True}],
        "evaluator": [{"name": "genlevel-alarms", "optional": True}],
        "scorer": [],
    }


def test_prometheus_scrapes_every_service_at_its_port(compose: dict[str, Any], repository: Path) -> None:
    configuration = read_all(repository / "deploy/prometheus/prometheus.yml")[0]
    named = {job["job_name"]: job["dns_sd_configs"] for job in configuration["scrape_configs"]}
    ports = {service: default_ports(service)["http"] for service in SERVICES} | {"web": pages_port()}
    assert named == {
        f"genlevel-{service}": [{"names": [service], "type": "A", "port": port, "refresh_interval": "15s"}]
        for service, port in ports.items()
    }
    assert "./deploy/prometheus:/etc/prometheus:ro" in compose["services"]["prometheus"]["volumes"]
    assert {repository / "deploy/prometheus" / name for name in configuration["rule_files"]} == set(rule_files(repository))


def test_prometheus_tells_alertmanager_by_its_name_in_compose(compose: dict[str, Any], repository: Path) -> None:
    configuration = read_all(repository / "deploy/prometheus/prometheus.yml")[0]
    [[target]] = [each["targets"] for each in configuration["alerting"]["alertmanagers"][0]["static_configs"]]
    service, _, port = target.partition(":")
    assert compose["services"][service]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"./deploy/{service}:/etc/{service}:ro" in compose["services"][service]["volumes"]
    assert {volume.split(":")[0] for name in ("prometheus", service) for volume in compose["services"][name]["volumes"]} >= {
        "prometheus-data",
        "alertmanager-data",
    }


def test_every_alert_that_alertmanager_holds_back_or_is_held_back_by_exists(repository: Path) -> None:
    configuration = read_all(repository / "deploy/alertmanager/alertmanager.yml")[0]
    matchers = [matcher for rule in configuration["inhibit_rules"] for side in ("source", "target") for matcher in rule[f"{side}_matchers"]]
    named = {name for matcher in matchers if matcher.startswith("alertname") for name in re.findall(r"Genlevel\w+", matcher)}
    assert len(named) >= 6
    assert named <= {rule["alert"] for rule in rules_of(repository) if "alert" in rule}
    severities = {rule["labels"]["severity"] for rule in rules_of(repository) if "alert" in rule}
    assert severities == {"critical", "warning", "info"}


def test_every_metric_that_a_rule_asks_for_is_exported(repository: Path, exported_names: set[str]) -> None:
    rules = rules_of(repository)
    recorded = {rule["record"] for rule in rules if "record" in rule}
    asked = {
        name
        for rule in rules
        for name in re.findall(r"\b(?:genlevel|gen_ai)_\w+(?=[{\[ )])|genlevel:\w+(?::\w+)*|\bup\b", rule["expr"] + " ")
    }
    labels = {"gen_ai_provider_name", "gen_ai_request_model"}
    assert len(asked - recorded) >= 8
    assert asked - recorded - labels <= exported_names


def test_every_alert_is_documented_with_its_severity(repository: Path) -> None:
    page = (repository / "docs/alarms.md").read_text("utf-8")
    rows = re.findall(r"^\| ((?:`Genlevel\w+`(?:, )?)+) \| (\w+) \|", page, re.MULTILINE)
    documented = {name: severity for names, severity in rows for name in re.findall(r"\w+", names)}
    assert documented == {rule["alert"]: rule["labels"]["severity"] for rule in rules_of(repository) if "alert" in rule}


def test_every_alert_is_tested(repository: Path) -> None:
    rules = rules_of(repository)
    files = [file.with_name(f"{file.stem}_test.yml") for file in rule_files(repository)]
    tests = [test for file in files for test in read_all(file)[0]["tests"]]
    fired = {case["alertname"] for test in tests for case in test.get("alert_rule_test", []) if case.get("exp_alerts")}
    silent = {case["alertname"] for test in tests for case in test.get("alert_rule_test", []) if not case.get("exp_alerts")}
    assert fired == silent == {rule["alert"] for rule in rules if "alert" in rule}
    asked = " ".join(case["expr"] for test in tests for case in test.get("promql_expr_test", []))
    assert not [rule["record"] for rule in rules if "record" in rule and rule["record"] not in asked]


@pytest.mark.parametrize("service", SERVICES)
def test_kubernetes_runs_each_service_at_its_ports_without_rights(base: Path, service: str) -> None:
    documents = {document["kind"]: document for document in read_all(base / f"{service}.yaml")}
    ports = default_ports(service)
    pod = documents["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert container["args"] == [service]
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == ports
    assert {port["name"]: port["port"] for port in documents["Service"]["spec"]["ports"]} == ports
    assert documents["Service"]["spec"]["clusterIP"] == "None"
    assert documents["Service"]["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == str(ports["http"])
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["spec"]["volumes"]}


def test_kubernetes_services_find_each_other_and_large_media_fit_into_a_call(base: Path) -> None:
    settings = load_settings(base / "genlevel.yaml")
    names = {
        document["metadata"]["name"]
        for service in SERVICES
        for document in read_all(base / f"{service}.yaml")
        if document["kind"] == "Service"
    }
    for service in SERVICES:
        host, _, port = getattr(settings.addresses, service).rpartition(":")
        assert host in names
        assert int(port) == default_ports(service)["grpc"]
    assert settings.storage.inline_limit_bytes < settings.limits.request_bytes


def test_whoever_stops_a_service_gives_it_its_grace_and_time_to_close(compose: dict[str, Any], base: Path) -> None:
    needed = Settings().grace_s + 15
    for service in SERVICES:
        assert float(compose["services"][service]["stop_grace_period"].removesuffix("s")) >= needed
        pods = read_all(base / f"{service}.yaml")[0]["spec"]["template"]["spec"]
        assert pods["terminationGracePeriodSeconds"] >= needed


@pytest.mark.parametrize("service", ["evaluator", "scorer"])
def test_kubernetes_never_runs_two_writers_on_one_volume(base: Path, service: str) -> None:
    documents = {document["kind"]: document for document in read_all(base / f"{service}.yaml")}
    assert documents["Deployment"]["spec"]["replicas"] == 1
    assert documents["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in documents["Deployment"]["spec"]["template"]["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    ]
    assert claims == [documents["PersistentVolumeClaim"]["metadata"]["name"]]


def test_the_image_is_one_version_everywhere_and_runs_as_who_the_volumes_belong_to(
    repository: Path, compose: dict[str, Any], base: Path
) -> None:
    from genlevel import __version__

    kustomization = read_all(base / "kustomization.yaml")[0]
    images = {compose["services"][service]["image"] for service in OURS}
    assert images == {f"genlevel:{__version__}"}
    assert kustomization["images"] == [{"name": "genlevel", "newTag": __version__}]
    dockerfile = (repository / "Dockerfile").read_text("utf-8")
    user = re.search(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)
    assert user is not None
    assert f"--owner={user[1]} --group={user[2]}" in dockerfile
    for service in SERVICES:
        pod = read_all(base / f"{service}.yaml")[0]["spec"]["template"]["spec"]["securityContext"]
        assert (pod["runAsUser"], pod["fsGroup"]) == (int(user[1]), int(user[2]))
