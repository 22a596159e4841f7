"""The deployment files agree with the code: ports, names, configuration, and every metric that a rule asks for."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml
from prometheus_client import CollectorRegistry

from genlevel.runtime.listening import ServiceListen, Web
from genlevel.runtime.readiness import Life
from genlevel.runtime.settings import Settings
from genlevel.runtime.settings_file import load_settings
from tests.deploy.pages import show_queue

if TYPE_CHECKING:
    from evaluator.journal.monitor_store import MonitorStore

SERVICES = ("gateway", "evaluator", "scorer")
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
def test_compose_listens_and_publishes_where_the_settings_say(compose: dict[str, Any], repository: Path, service: str) -> None:
    settings = load_settings(repository / "deploy/compose/genlevel.yaml")
    ports = default_ports(service)
    listen: ServiceListen = getattr(settings, service)
    assert {"grpc": port_of(listen.grpc), "http": port_of(listen.http)} == ports
    assert getattr(settings.addresses, service) == f"{service}:{ports['grpc']}"
    definition = compose["services"][service]
    assert definition["command"] == [service]
    assert definition["ports"] == [f"127.0.0.1:{ports['grpc']}:{ports['grpc']}"]
    assert f"http://127.0.0.1:{ports['http']}/readyz" in definition["healthcheck"]["test"][-1]


def test_compose_serves_the_pages_to_this_machine_with_each_visitor_s_token(compose: dict[str, Any], repository: Path) -> None:
    settings = load_settings(repository / "deploy/compose/genlevel.yaml")
    assert settings.web is not None
    assert settings.auth is not None
    assert port_of(settings.web.http) == pages_port()
    definition = compose["services"]["web"]
    assert (definition["command"], definition["ports"]) == (["web"], [f"127.0.0.1:{pages_port()}:{pages_port()}"])
    assert f"http://127.0.0.1:{pages_port()}/readyz" in definition["healthcheck"]["test"][-1]
    assert "GENLEVEL_TOKEN" not in definition["environment"]
    assert f"./deploy/compose/access:{settings.auth.tokens.parent if settings.auth.tokens else ''}:ro" in definition["volumes"]
    assert "stop_grace_period" in definition


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


def test_a_command_on_the_machine_reaches_composes_services(compose: dict[str, Any], repository: Path) -> None:
    addresses = load_settings(repository / "deploy/compose/client.yaml").addresses
    for service in SERVICES:
        assert [f"{getattr(addresses, service)}:{default_ports(service)['grpc']}"] == compose["services"][service]["ports"]


def test_in_compose_evaluator_and_gateway_share_blobs_and_nobody_shares_a_database(compose: dict[str, Any], repository: Path) -> None:
    settings = load_settings(repository / "deploy/compose/genlevel.yaml")
    mounts = {
        service: dict(volume.split(":")[:2] for volume in compose["services"][service]["volumes"] if volume[0] not in ".$")
        for service in SERVICES
    }
    by_path = {service: {path: volume for volume, path in mounts[service].items()} for service in SERVICES}
    assert by_path["evaluator"][settings.storage.blobs] == by_path["gateway"][settings.storage.blobs] == "blobs"
    assert len({by_path[service]["/data"] for service in SERVICES}) == len(SERVICES)
    assert {volume for mount in mounts.values() for volume in mount} <= set(compose["volumes"])


def test_compose_mounts_the_configuration_where_the_services_look(compose: dict[str, Any]) -> None:
    for service in SERVICES:
        definition = compose["services"][service]
        assert f"./deploy/compose/genlevel.yaml:{definition['environment']['GENLEVEL_CONFIG']}:ro" in definition["volumes"]


def test_compose_asks_every_caller_for_a_token_and_gives_the_evaluator_its_own(compose: dict[str, Any], repository: Path) -> None:
    auth = load_settings(repository / "deploy/compose/genlevel.yaml").auth
    assert auth is not None
    assert auth.tokens is not None
    for service in SERVICES:
        assert f"./deploy/compose/access:{auth.tokens.parent}:ro" in compose["services"][service]["volumes"]
        assert ("GENLEVEL_TOKEN" in compose["services"][service]["environment"]) == (service == "evaluator")
    assert (repository / "deploy/compose/access").is_dir(), "else docker makes it, and root owns it"
    assert not [service for service in SERVICES if ":7411" in str(compose["services"][service]["ports"])], "pages are open: not published"


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
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in configuration["scrape_configs"]}
    ports = {service: default_ports(service)["http"] for service in SERVICES} | {"web": pages_port()}
    assert targets == {f"genlevel-{service}": [f"{service}:{port}"] for service, port in ports.items()}
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
    images = {compose["services"][service]["image"] for service in SERVICES}
    assert images == {f"genlevel:{__version__}"}
    assert kustomization["images"] == [{"name": "genlevel", "newTag": __version__}]
    dockerfile = (repository / "Dockerfile").read_text("utf-8")
    user = re.search(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)
    assert user is not None
    assert f"--owner={user[1]} --group={user[2]}" in dockerfile
    for service in SERVICES:
        pod = read_all(base / f"{service}.yaml")[0]["spec"]["template"]["spec"]["securityContext"]
        assert (pod["runAsUser"], pod["fsGroup"]) == (int(user[1]), int(user[2]))
