"""What the Helm chart makes of several sets of values: what a control plane would take, and what the services can work with."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from genlevel.runtime.callers import Role
from genlevel.runtime.callers.tokens import parse_rows
from genlevel.runtime.settings import Settings
from genlevel.runtime.settings_file import load_settings
from tests.deploy.chart_room import Network, checks, containers_of, pod_of, refused, restricted

# One worker renders each set of values, and reads the schemas.
pytestmark = [pytest.mark.full, pytest.mark.xdist_group("chart")]

SETS = ("default", "base", "gpu", "monitors", "mtls", "production")
PARTS = ("gateway", "evaluator", "scorer")
PORTS = {"gateway": (7401, 7411), "evaluator": (7402, 7412), "scorer": (7403, 7413)}
LONG = "a" * 53


class Chart:
    """What each set of values renders, rendered once."""

    def __init__(self) -> None:
        self.charts, self.checks = checks()
        self._made: dict[str, list[dict[str, Any]]] = {}

    def __call__(self, name: str) -> list[dict[str, Any]]:
        if name not in self._made:
            self._made[name] = self.of(self.charts.value_sets()[name])
        return self._made[name]

    def of(self, values: dict[str, Any], **how: Any) -> list[dict[str, Any]]:
        return [each.document for each in self.charts.render(values, **how)]

    def one(self, name: str, kind: str, called: str) -> dict[str, Any]:
        (found,) = (each for each in self(name) if (each["kind"], each["metadata"]["name"]) == (kind, called))
        return found


@pytest.fixture(scope="module")
def chart() -> Chart:
    return Chart()


def pods(documents: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for document in documents:
        if (pod := pod_of(document)) is not None:
            yield f"{document['kind']} {document['metadata']['name']}", pod


def names(documents: list[dict[str, Any]], kind: str) -> set[str]:
    return {document["metadata"]["name"] for document in documents if document["kind"] == kind}


def claimed(documents: list[dict[str, Any]], what: str) -> set[str]:
    """The volumes that a StatefulSet claims for its pods."""
    found = (each for each in documents if f"{each['kind']} {each['metadata']['name']}" == what)
    return {claim["metadata"]["name"] for each in found for claim in each["spec"].get("volumeClaimTemplates", [])}


def settings_of(documents: list[dict[str, Any]], name: str, folder: Path) -> Settings:
    (text,) = (each["data"]["genlevel.yaml"] for each in documents if (each["kind"], each["metadata"]["name"]) == ("ConfigMap", name))
    file = folder / "genlevel.yaml"
    file.write_text(text, "utf-8")
    return load_settings(file)


@pytest.mark.parametrize("name", SETS)
def test_helm_lints_and_renders_it_and_the_schemas_take_it(chart: Chart, name: str) -> None:
    assert chart.checks.problems_of(chart.charts.value_sets()[name]) == []


def test_every_set_of_values_is_one_of_these(chart: Chart) -> None:
    assert set(SETS) == set(chart.charts.value_sets())


@pytest.mark.parametrize(
    ("kind", "api", "spec", "said"),
    [
        ("ServiceMonitor", "monitoring.coreos.com/v1", {"selector": {}, "endpoints": [{"prt": "http"}]}, "spec.endpoints.0.prt"),
        ("ScaledObject", "keda.sh/v1alpha1", {"scaleTargetRef": {"name": "x"}, "triggers": [{"type": "cpu"}]}, "spec.triggers.0.metadata"),
        ("Certificate", "cert-manager.io/v1", {"secretName": "x", "issuerRef": {"name": "x"}, "dnsName": ["x"]}, "spec.dnsName"),
        ("Service", "v1", {"clusterIp": "None"}, "clusterIp"),
    ],
)
def test_the_schemas_find_a_planted_fault(chart: Chart, kind: str, api: str, spec: dict[str, Any], said: str) -> None:
    document = {"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    problems = list(chart.checks.invalid(chart.charts.Rendered("x.yaml", document)))
    assert problems
    assert all(said in problem for problem in problems)


@pytest.mark.parametrize("name", SETS)
def test_every_pod_is_restricted_reads_only_and_has_no_rights(chart: Chart, name: str) -> None:
    seen = list(pods(chart(name)))
    assert len(seen) >= 4
    accounts = names(chart(name), "ServiceAccount")
    for what, pod in seen:
        assert list(restricted(pod)) == [], what
        assert pod["spec"]["automountServiceAccountToken"] is False, what
        assert pod["spec"]["serviceAccountName"] in accounts, what
        assert pod["spec"]["enableServiceLinks"] is False, what
        for container in containers_of(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, what
            assert container["resources"]["limits"]["memory"], what
            assert container["resources"]["requests"]["memory"], what
            mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
            assert mounted <= {volume["name"] for volume in pod["spec"].get("volumes", [])} | claimed(chart(name), what), what
    assert names(chart(name), "Role") | names(chart(name), "ClusterRole") == set()


def test_the_oracle_of_restricted_pods_finds_what_is_not(chart: Chart) -> None:
    pod = copy.deepcopy(pod_of(chart.one("default", "Deployment", "genlevel-gateway")))
    assert pod is not None
    pod["spec"]["containers"][0]["securityContext"].pop("capabilities")
    pod["spec"]["securityContext"].pop("seccompProfile")
    pod["spec"]["volumes"].append({"name": "host", "hostPath": {"path": "/"}})
    assert list(restricted(pod)) == ["volume host", "gateway: capabilities", "gateway: seccompProfile"]


@pytest.mark.parametrize("name", SETS)
def test_a_control_plane_refuses_no_object(chart: Chart, name: str) -> None:
    assert [(each["kind"], each["metadata"]["name"], said) for each in chart(name) for said in refused(each)] == []


@pytest.mark.parametrize(
    ("of", "path", "value", "said"),
    [
        ("Deployment genlevel-gateway", "template.spec.containers.0.ports.0.name", "a-name-that-is-long", "port a-name-that-is-long"),
        ("Deployment genlevel-gateway", "template.spec.containers.0.volumeMounts.0.mountPath", "/tmp", "gateway: /tmp is mounted twice"),
        ("Deployment genlevel-gateway", "template.spec.containers.0.resources.requests.memory", "3Gi", "more memory is requested"),
        ("Deployment genlevel-gateway", "template.spec.containers.0.livenessProbe.httpGet.port", "nothing", "a port that it has not"),
        ("Deployment genlevel-gateway", "selector.matchLabels", {"a": "b"}, "chooses none"),
        ("HorizontalPodAutoscaler genlevel-evaluator", "minReplicas", 11, "minReplicas is above"),
        ("Job genlevel-migrate", "template.spec.restartPolicy", "Always", "restartPolicy"),
    ],
)
def test_the_oracle_of_refusals_finds_a_planted_fault(chart: Chart, of: str, path: str, value: object, said: str) -> None:
    document = copy.deepcopy(chart.one("mtls", *of.split()))
    inner = document["spec"]
    *before, last = path.split(".")
    for key in before:
        inner = inner[int(key) if key.isdigit() else key]
    inner[last] = value
    found = list(refused(document))
    assert found
    assert any(said in each for each in found), found


@pytest.mark.parametrize("name", SETS)
def test_no_name_is_there_twice_and_each_fits(chart: Chart, name: str) -> None:
    values = copy.deepcopy(chart.charts.value_sets()[name])
    values.pop("fullnameOverride", None)
    for section in ("pools", "jobs", "cronJobs"):
        if section in values:
            values[section] = {"a" * 20: next(iter(values[section].values()))}
    documents = chart.of(values, release=LONG)
    assert [twice for twice, count in Counter((each["kind"], each["metadata"]["name"]) for each in documents).items() if count > 1] == []
    for document in documents:
        longest = 52 if document["kind"] == "CronJob" else 63
        assert re.fullmatch(rf"[a-z]([-a-z0-9]{{0,{longest - 2}}}[a-z0-9])?", document["metadata"]["name"])
        labels = document["metadata"].get("labels", {}) | ((pod_of(document) or {}).get("metadata", {}).get("labels", {}))
        assert [value for value in labels.values() if len(value) > 63] == []


@pytest.mark.parametrize("name", SETS)
def test_selectors_never_change_and_choose_their_own_pods_alone(chart: Chart, name: str) -> None:
    labels = {what: pod["metadata"]["labels"] for what, pod in pods(chart(name)) if not what.startswith("Pod")}
    for document in chart(name):
        if document["kind"] not in ("Deployment", "StatefulSet"):
            continue
        called = document["metadata"]["name"]
        selector = document["spec"]["selector"]["matchLabels"]
        # What the objects before the chart had: `kubectl apply` over those cannot change it.
        assert selector == {"app.kubernetes.io/name": called}
        assert [what for what, each in labels.items() if selector.items() <= each.items()] == [f"{document['kind']} {called}"]
        for claim in document["spec"].get("volumeClaimTemplates", []):
            assert set(claim["metadata"]) == {"name"}


@pytest.mark.parametrize("name", SETS)
def test_services_and_budgets_choose_pods_that_are_there(chart: Chart, name: str) -> None:
    there = {pod["metadata"]["labels"]["app.kubernetes.io/name"]: pod for what, pod in pods(chart(name)) if not what.startswith("Pod ")}
    for document in chart(name):
        if document["kind"] == "Service":
            pod = there[document["spec"]["selector"]["app.kubernetes.io/name"]]
            ports = {port["name"]: port["containerPort"] for container in pod["spec"]["containers"] for port in container["ports"]}
            assert {port["targetPort"]: port["port"] for port in document["spec"]["ports"]} == ports
            if "grpc" in ports:
                assert document["spec"]["clusterIP"] == "None"
        elif document["kind"] == "PodDisruptionBudget":
            assert document["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] in there
            assert "minAvailable" not in document["spec"]


@pytest.mark.parametrize("name", SETS)
def test_every_service_is_asked_how_it_is_at_a_port_without_certificates(chart: Chart, name: str) -> None:
    for what, pod in pods(chart(name)):
        if not what.startswith("Deployment"):
            continue
        for container in pod["spec"]["containers"]:
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
                asked = container[probe]["httpGet"]
                encrypted = name == "mtls" and container["name"] == "web"
                assert (asked["path"], asked.get("scheme", "HTTP")) == (path, "HTTPS" if encrypted else "HTTP"), what
                part = container["name"]
                assert ports[asked["port"]] == (7400 if part == "web" else PORTS[part][1]), what


def test_pages_that_ask_for_certificates_are_not_restarted_by_a_kubelet_that_has_none(chart: Chart) -> None:
    values = chart.charts.value_sets()["mtls"] | {"config": {"web": {"tls": {"client_ca": "/etc/genlevel-web-tls/ca.crt"}}}}
    documents = chart.of(values)
    deployments = {each["metadata"]["name"]: each["spec"]["template"] for each in documents if each["kind"] == "Deployment"}
    for name, pod in deployments.items():
        probes = [pod["spec"]["containers"][0][f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")]
        assert ["tcpSocket" in probe for probe in probes] == [name == "genlevel-web"] * 3, name
    # Nor is Prometheus told to ask them: they would be an alert for ever.
    assert names(documents, "ServiceMonitor") == {f"genlevel-{part}" for part in PARTS}
    assert "prometheus.io/scrape" not in deployments["genlevel-web"]["metadata"]["annotations"]


@pytest.mark.parametrize("name", SETS)
def test_no_configuration_is_larger_than_a_cluster_takes(chart: Chart, name: str) -> None:
    for document in chart(name):
        if document["kind"] == "ConfigMap":
            assert sum(map(len, document["data"].values())) < 900_000


@pytest.mark.parametrize("name", SETS)
def test_the_services_read_their_configuration_and_find_each_other(chart: Chart, name: str, tmp_path: Path) -> None:
    documents = chart(name)
    settings = settings_of(documents, "genlevel-config", tmp_path)
    services = names(documents, "Service")
    for part in PARTS:
        grpc, http = PORTS[part]
        listen = getattr(settings, part)
        assert (listen.grpc, listen.http) == (f"0.0.0.0:{grpc}", f"0.0.0.0:{http}")
        assert getattr(settings.addresses, part) == f"genlevel-{part}:{grpc}"
        assert f"genlevel-{part}" in services
        assert (listen.tls is not None and listen.tls.client_ca is not None) == (name == "mtls")
        pod = pod_of(chart.one(name, "Deployment", f"genlevel-{part}"))
        assert pod is not None
        (container,) = pod["spec"]["containers"]
        mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert settings.auth is not None
        assert str(settings.auth.tokens.parent if settings.auth.tokens else "") in mounted
        assert (str(settings.addresses.token_file.parent if settings.addresses.token_file else "") in mounted) == (part == "evaluator")
        assert pod["spec"]["terminationGracePeriodSeconds"] >= settings.grace_s + 15
    assert settings.storage.inline_limit_bytes < settings.limits.request_bytes
    client = settings_of(documents, "genlevel-client-config", tmp_path)
    assert client.addresses == settings.addresses


@pytest.mark.parametrize(
    ("stores", "found"),
    [
        ({}, ("postgresql+psycopg://genlevel@genlevel-postgresql:5432/genlevel", "secret")),
        (
            {"storage": {"url": "postgresql://me@host/x"}, "queue": {"url": "nats://host:4222"}},
            ("postgresql://me@host/x", "nats://host:4222"),
        ),
        ({"storage": {"urlSecret": {"name": "x"}}, "queue": {"url": "nats://host:4222"}}, ("secret", "nats://host:4222")),
        ({"storage": {"urlSecret": {"name": "x"}}, "queue": {"urlSecret": {"name": "y"}}}, ("secret", "secret")),
        ({"storage": {"url": "postgresql://host/x"}, "nats": {"enabled": False}}, ("postgresql://host/x", "")),
        ({"postgresql": {"enabled": False}}, ("", "")),
    ],
)
def test_every_service_starts_with_its_own_variables_and_those_with_work_find_stores_and_queue(
    chart: Chart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stores: dict[str, Any], found: tuple[str, str]
) -> None:
    url, queue = found
    secret = {"GENLEVEL_STORAGE__URL": "postgresql+psycopg://me:secret@host/x", "GENLEVEL_QUEUE": "nats://me:secret@host:4222"}
    documents = chart.of(stores)
    for what, pod in pods(documents):
        if not what.startswith("Deployment"):
            continue
        (container,) = pod["spec"]["containers"]
        with monkeypatch.context() as environment:
            for each in container["env"]:
                environment.setenv(each["name"], each["value"] if "value" in each else secret.get(each["name"], "secret"))
            settings = settings_of(documents, "genlevel-config", tmp_path)
        works = container["name"] in ("evaluator", "scorer")
        expected = {"secret": secret["GENLEVEL_QUEUE"]}.get(queue, queue) if works else ""
        assert settings.queue == expected, what
        if works:
            assert settings.storage.url == {"secret": secret["GENLEVEL_STORAGE__URL"]}.get(url, url), what


def test_a_pool_scores_with_its_own_scorer_and_asks_nobody(chart: Chart, tmp_path: Path) -> None:
    settings = settings_of(chart("gpu"), "genlevel-pool-vision", tmp_path)
    assert (settings.worker.asks, list(settings.worker.scores), settings.worker.device) == (False, ["vision", "video"], "cuda")
    assert settings.addresses.scorer == "localhost:7403"
    assert settings.scorer.weights == {"clip": "/weights/clip"}
    pod = pod_of(chart.one("gpu", "Deployment", "genlevel-pool-vision"))
    assert pod is not None
    limits = {container["name"]: container["resources"]["limits"].get("nvidia.com/gpu") for container in pod["spec"]["containers"]}
    assert limits == {"evaluator": None, "scorer": 1}
    assert {container["image"] for container in pod["spec"]["containers"]} == {"genlevel:0.1.0-vision"}
    assert pod["spec"]["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    whole = settings_of(chart("gpu"), "genlevel-config", tmp_path)
    assert whole.addresses.scorer == "genlevel-scorer:7403"
    assert list(whole.worker.scores) == ["any"]


def test_secrets_of_calls_alarms_and_stores_go_to_whom_they_are_for_alone(chart: Chart) -> None:
    for name in SETS:
        for part in (*PARTS, "web"):
            if f"genlevel-{part}" not in names(chart(name), "Deployment"):
                continue
            pod = pod_of(chart.one(name, "Deployment", f"genlevel-{part}"))
            assert pod is not None
            (container,) = pod["spec"]["containers"]
            whole = [source["secretRef"]["name"] for source in container.get("envFrom", [])]
            assert whole == {"gateway": ["genlevel-keys"], "evaluator": ["genlevel-alarms"]}.get(part, [])
            single = {each["name"] for each in container["env"] if "valueFrom" in each}
            stores = {"default", "gpu", "mtls", "production"}
            assert single == ({"PGPASSWORD", "GENLEVEL_QUEUE"} if name in stores and part in ("evaluator", "scorer") else set())


def test_with_secrets_of_your_own_the_chart_holds_none(chart: Chart) -> None:
    assert names(chart("production"), "Secret") == names(chart("base"), "Secret") == set()


def test_volumes_labels_and_variables_of_your_own_reach_services_and_pools(chart: Chart) -> None:
    own = {
        "extraEnv": [{"name": "MINE", "value": "1"}],
        "extraVolumes": [{"name": "mine", "configMap": {"name": "mine"}}],
        "extraVolumeMounts": [{"name": "mine", "mountPath": "/suites/mine", "readOnly": True}],
        "podLabels": {"azure.workload.identity/use": "true"},
        "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn"}},
        "pools": {"vision": {"scores": ["vision"]}},
        "storage": {"blobs": {"existingClaim": "blobs"}},
    }
    documents = chart.of(own)
    for part in (*PARTS, "pool-vision"):
        (pod,) = (pod for what, pod in pods(documents) if what == f"Deployment genlevel-{part}")
        assert pod["metadata"]["labels"]["azure.workload.identity/use"] == "true"
        for container in pod["spec"]["containers"]:
            assert {"name": "MINE", "value": "1"} in container["env"]
            assert own["extraVolumeMounts"][0] in container["volumeMounts"]
        assert own["extraVolumes"][0] in pod["spec"]["volumes"]
    (account,) = (each for each in documents if (each["kind"], each["metadata"]["name"]) == ("ServiceAccount", "genlevel"))
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": "arn"}
    # An identity of the cloud's is for who asks models and stores media: not for pages, stores and commands.
    identified = {what for what, pod in pods(documents) if pod["spec"]["serviceAccountName"] == "genlevel"}
    assert identified == {f"Deployment genlevel-{part}" for part in (*PARTS, "pool-vision")}


def test_the_benchmark_is_fetched_into_the_folder_that_is_mounted_and_its_archives_are_unpacked_beside_it(
    chart: Chart, tmp_path: Path
) -> None:
    pod = pod_of(chart.one("gpu", "Deployment", "genlevel-evaluator"))
    assert pod is not None
    (fetch,) = (container for container in pod["spec"]["initContainers"] if container["name"] == "fetch-benchmark")
    (service,) = pod["spec"]["containers"]
    mounts = {mount["mountPath"]: mount for mount in service["volumeMounts"] if mount["name"] == "benchmark"}
    folder = {each["name"]: each["value"] for each in fetch["env"]}["FOLDER"]
    assert folder == "/benchmark/" + mounts["/suites/general-bench"]["subPath"]
    assert mounts["/suites/general-bench"]["readOnly"] is True
    cache = {each["name"]: each.get("value") for each in service["env"]}["GENLEVEL_CACHE"]
    assert mounts[cache] == {"name": "benchmark", "mountPath": "/benchmark-cache", "subPath": "cache"}
    assert settings_of(chart("gpu"), "genlevel-config", tmp_path).suites.folders == [Path("/suites")]


def test_a_benchmark_is_fetched_once_and_again_if_it_broke_off(chart: Chart, tmp_path: Path) -> None:
    pod = pod_of(chart.one("gpu", "Deployment", "genlevel-evaluator"))
    assert pod is not None
    (fetch,) = (container for container in pod["spec"]["initContainers"] if container["name"] == "fetch-benchmark")
    script = [word.replace("/benchmark", str(tmp_path)) for word in fetch["command"]]
    log = tmp_path / "log"
    command = tmp_path / "genlevel"
    environment = {each["name"]: each["value"].replace("/benchmark", str(tmp_path)) for each in fetch["env"]} | {
        "PATH": f"{tmp_path}:/bin:/usr/bin"
    }

    def run(ends: int) -> int:
        command.write_text(f'#!/bin/sh\necho "$@" >>{log}\nmkdir -p "$4"\nexit {ends}\n', "utf-8")
        command.chmod(0o755)
        return subprocess.run(script, env=environment, check=False).returncode

    assert [run(1), run(0), run(1)] == [1, 0, 0]
    called = f"bench fetch --to {tmp_path}/general-bench --revision=main --tasks=*Image*"
    assert log.read_text("utf-8").splitlines() == [called, called]
    assert (tmp_path / "cache").is_dir()


def test_tokens_are_made_that_the_services_know_and_that_no_configuration_shows(chart: Chart) -> None:
    secrets = {each["metadata"]["name"]: each["data"] for each in chart("default") if each["kind"] == "Secret"}
    tokens = {name: base64.b64decode(secrets[f"genlevel-{name}-token"]["token"]).decode() for name in ("evaluator", "client")}
    rows = {row.name: row for row in parse_rows(base64.b64decode(secrets["genlevel-tokens"]["tokens.yaml"]).decode(), "tokens.yaml")}
    assert {name: row.roles for name, row in rows.items()} == {"evaluator": [Role.ADMIN], "client": [Role.RUN, Role.CALL]}
    for name, token in tokens.items():
        assert re.fullmatch(r"gl_[A-Za-z0-9]{43}", token)
        assert rows[name].sha256 == hashlib.sha256(token.encode()).hexdigest()
    hidden = {base64.b64decode(value).decode() for data in secrets.values() for key, value in data.items() if key != "tokens.yaml"}
    shown = yaml.safe_dump_all([each for each in chart("default") if each["kind"] != "Secret"])
    assert len(hidden) == 5
    assert [secret for secret in hidden if secret in shown] == []


def test_rows_of_your_own_are_added_to_the_tokens_that_are_made(chart: Chart) -> None:
    row = {"name": "me", "sha256": "0" * 64, "roles": ["read"], "expires": "2030-01-31"}
    (secret,) = (each for each in chart.of({"auth": {"tokens": {"rows": [row]}}}) if each["metadata"]["name"] == "genlevel-tokens")
    rows = parse_rows(base64.b64decode(secret["data"]["tokens.yaml"]).decode(), "tokens.yaml")
    assert [each.name for each in rows] == ["evaluator", "client", "me"]


OUTSIDE, PRIVATE = "142.250.1.1", "10.0.0.7"


def test_pods_reach_whom_they_need_and_nobody_else(chart: Chart) -> None:
    documents = chart("default") + [each for each in chart("gpu") if "pool" in each["metadata"]["name"]]
    network = Network(documents)
    labels = {pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod["metadata"]["labels"] for _, pod in pods(documents)}
    labels["job"] = labels["test"] | {"app.kubernetes.io/component": "job"}
    ports = {"gateway": 7401, "evaluator": 7402, "scorer": 7403, "web": 7400, "postgresql": 5432, "nats": 4222}
    reached = {
        source: {target for target, port in ports.items() if network.passes(labels[source], labels[target], port)} for source in labels
    }
    services, stores = {"gateway", "evaluator", "scorer"}, {"postgresql", "nats"}
    for source in ("evaluator", "scorer", "pool-vision", "migrate"):
        assert reached[source] >= services | stores
    for source in ("gateway", "web", "job", "test"):
        assert reached[source] >= services
        assert not reached[source] & stores
    assert network.leaves(labels["gateway"], OUTSIDE, 443)
    assert not network.leaves(labels["gateway"], OUTSIDE, 80)
    assert not network.leaves(labels["gateway"], PRIVATE, 443)
    assert not network.leaves(labels["gateway"], "169.254.169.254", 443)
    for part in ("web", "job", "postgresql", "nats"):
        assert not network.leaves(labels[part], OUTSIDE, 443)
    stranger = {"app": "stranger"}
    elsewhere = {"kubernetes.io/metadata.name": "elsewhere"}
    for target, port in ports.items():
        assert not network.enters(stranger, labels[target], port) or target == "web"
        assert network.enters(stranger, labels[target], port, namespace=elsewhere) == (target == "web")
    for part in PARTS:
        assert network.enters(stranger, labels[part], PORTS[part][1], namespace=elsewhere)


def test_in_production_only_whom_you_name_sees_metrics_and_pages(chart: Chart) -> None:
    network = Network(chart("production"))
    labels = {pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod["metadata"]["labels"] for _, pod in pods(chart("production"))}
    for namespace, pages, metrics in (("monitoring", True, True), ("ingress-nginx", True, False), ("elsewhere", False, False)):
        place = {"kubernetes.io/metadata.name": namespace}
        assert network.enters({}, labels["web"], 7400, namespace=place) is pages
        assert network.enters({}, labels["gateway"], 7411, namespace=place) is metrics
    assert network.leaves(labels["evaluator"], PRIVATE, 5432)


@pytest.mark.parametrize(
    ("name", "part", "replicas"),
    [
        ("default", "gateway", 2),
        ("production", "gateway", None),
        ("production", "evaluator", None),
        ("production", "web", 2),
        ("mtls", "evaluator", None),
    ],
)
def test_what_is_scaled_says_no_number_of_its_own(chart: Chart, name: str, part: str, replicas: int | None) -> None:
    assert chart.one(name, "Deployment", f"genlevel-{part}")["spec"].get("replicas") == replicas
    scaled = [each["spec"]["scaleTargetRef"]["name"] for each in chart(name) if each["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")]
    assert scaled.count(f"genlevel-{part}") == (replicas is None)


def test_keda_asks_for_what_waits_by_the_names_that_the_queue_has(chart: Chart, repository: Path) -> None:
    from genlevel.runtime.queue.streams import Names

    names_of_queue = Names("genlevel")
    triggers = chart.one("gpu", "ScaledObject", "genlevel-pool-vision")["spec"]["triggers"]
    assert {(each["metadata"]["stream"], each["metadata"]["consumer"]) for each in triggers} == {
        (names_of_queue.work, names_of_queue.consumer(f"score.{need}")) for need in ("vision", "video")
    }
    assert "replicas" not in chart.one("gpu", "Deployment", "genlevel-pool-vision")["spec"]
    (asked,) = chart.one("production", "ScaledObject", "genlevel-evaluator")["spec"]["triggers"]
    page = (repository / "docs/metrics.md").read_text("utf-8")
    assert "| `genlevel_queue_messages` | gauge | kind (ask, score, other), state (waiting, in_hand) |" in page
    assert asked["metadata"]["query"] == 'sum(max by (state) (genlevel_queue_messages{kind="ask",namespace="genlevel"}))'


def test_calls_in_flight_are_asked_of_a_series_that_there_is(chart: Chart, repository: Path) -> None:
    page = (repository / "docs/metrics.md").read_text("utf-8")
    for name, part in (("production", "gateway"), ("mtls", "evaluator")):
        metrics = chart.one(name, "HorizontalPodAutoscaler", f"genlevel-{part}")["spec"]["metrics"]
        (asked,) = (metric["pods"]["metric"]["name"] for metric in metrics if metric["type"] == "Pods")
        assert f"| `{asked}` | gauge |" in page


@pytest.mark.parametrize(
    ("name", "upgrade", "when"),
    [
        ("default", False, "post-install"),
        # No cluster is asked here, so no database is found that runs.
        ("default", True, "post-upgrade"),
        ("production", False, "pre-install"),
        ("production", True, "pre-upgrade"),
        ("base", True, None),
    ],
)
def test_migrations_run_at_one_moment_with_all_they_need(chart: Chart, name: str, upgrade: bool, when: str | None) -> None:
    """Argo CD, which renders without a cluster, would do at each sync what any of two moments says."""
    documents = chart.of(chart.charts.value_sets()[name], upgrade=upgrade)
    hooks = {each["kind"]: each for each in documents if each["metadata"]["name"] == "genlevel-migrate"}
    assert set(hooks) == ({"Job", "ServiceAccount", "NetworkPolicy"} if when else set())
    assert {each["metadata"]["annotations"]["helm.sh/hook"] for each in hooks.values()} == ({when} if when else set())
    if when is None:
        return
    # Policies of the release before may not let it reach this database, and at an install there are none yet.
    (labels,) = (pod["metadata"]["labels"] for what, pod in pods(documents) if what == "Job genlevel-migrate")
    alone = Network([hooks["NetworkPolicy"]])
    assert all(alone.leaves(labels, PRIVATE, port) for port in (5432, 4222))
    assert alone.leaves(labels, labels, 5432)
    assert {each["port"] for rule in alone.rules("Egress", labels) or [] for each in rule.get("ports", [])} >= {53, 5353}
    pod = hooks["Job"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "genlevel-migrate"
    weights = {kind: int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for kind, each in hooks.items()}
    assert max(weights["ServiceAccount"], weights["NetworkPolicy"]) < weights["Job"]
    assert all("before-hook-creation" in each["metadata"]["annotations"]["helm.sh/hook-delete-policy"] for each in hooks.values())
    (container,) = pod["containers"]
    assert container["args"] == ["migrate"]
    assert {each["name"] for each in container["env"]} == {"GENLEVEL_STORAGE__URL", "PGPASSWORD"}
    # Before an install nothing else of the chart is there.
    assert all("configMap" not in volume for volume in pod["volumes"])


@pytest.mark.parametrize(
    ("name", "alone"), [("default", {"evaluator"}), ("base", {"evaluator", "scorer"}), ("production", set()), ("mtls", set())]
)
def test_who_has_a_claim_is_one_and_who_has_none_rolls(chart: Chart, name: str, alone: set[str]) -> None:
    assert names(chart(name), "PersistentVolumeClaim") == {f"genlevel-{part}" for part in alone}
    for part in PARTS:
        spec = chart.one(name, "Deployment", f"genlevel-{part}")["spec"]
        assert spec["strategy"]["type"] == ("Recreate" if part in alone else "RollingUpdate")
        if part in alone:
            assert spec["replicas"] == 1
        claims = [
            volume["persistentVolumeClaim"]["claimName"]
            for volume in spec["template"]["spec"]["volumes"]
            if volume["name"] == "data" and "persistentVolumeClaim" in volume
        ]
        assert claims == ([f"genlevel-{part}"] if part in alone else [])


def test_pods_are_new_if_the_configuration_is(chart: Chart) -> None:
    def checksum(values: dict[str, Any]) -> str:
        (found,) = (each for each in chart.of(values) if (each["kind"], each["metadata"]["name"]) == ("Deployment", "genlevel-gateway"))
        return str(found["spec"]["template"]["metadata"]["annotations"]["checksum/config"])

    assert checksum({}) == checksum({}) != checksum({"config": {"grace_s": 10}})


def test_a_changed_job_is_another_one_and_an_unchanged_one_stays(chart: Chart) -> None:
    def name(*arguments: str) -> set[str]:
        return names(chart.of({"jobs": {"first": {"eval": list(arguments)}}, "migrations": {"enabled": False}}), "Job")

    assert name("--suite", "starter") == name("--suite", "starter") != name("--suite", "other")


def test_a_job_evaluates_and_then_reports_with_the_client_s_token(chart: Chart) -> None:
    (job,) = (each for each in chart("mtls") if each["kind"] == "Job" and each["metadata"]["name"].startswith("genlevel-first-"))
    pod = job["spec"]["template"]["spec"]
    assert [container["args"][0] for container in (*pod["initContainers"], *pod["containers"])] == ["eval", "report"]
    secrets = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
    assert secrets == {"token": "genlevel-client-token", "tls": "genlevel-tls"}
    assert job["spec"]["podFailurePolicy"]["rules"][0]["action"] == "Ignore"
    cron = chart.one("production", "CronJob", "genlevel-nightly")["spec"]
    assert cron["concurrencyPolicy"] == "Forbid"
    # A number in the values is the word that a command line takes.
    assert cron["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"][-2:] == ["--budget-usd", "5"]


def test_one_certificate_has_every_name_by_which_a_service_is_called(chart: Chart, tmp_path: Path) -> None:
    certificate = chart.one("mtls", "Certificate", "genlevel-tls")["spec"]
    settings = settings_of(chart("mtls"), "genlevel-config", tmp_path)
    called = {getattr(settings.addresses, part).partition(":")[0] for part in PARTS} | {"localhost"}
    assert called <= set(certificate["dnsNames"])
    assert {"server auth", "client auth"} <= set(certificate["usages"])
    assert certificate["secretName"] == "genlevel-tls"
    assert certificate["issuerRef"] == {"name": "genlevel-ca", "kind": "Issuer", "group": "cert-manager.io"}


def test_prometheus_knows_the_jobs_by_the_names_that_the_rules_have(chart: Chart) -> None:
    monitors = [each for each in chart("production") if each["kind"] == "ServiceMonitor"]
    jobs = {each["spec"]["endpoints"][0]["relabelings"][0]["replacement"] for each in monitors}
    assert jobs == {"genlevel-gateway", "genlevel-evaluator", "genlevel-scorer", "genlevel-web"}
    rules = [
        rule
        for each in chart("production")
        if each["kind"] == "PrometheusRule"
        for group in each["spec"]["groups"]
        for rule in group["rules"]
    ]
    assert len(rules) > 20
    dashboards = [each for each in chart("production") if each["metadata"]["labels"].get("grafana_dashboard") == "1"]
    assert len(dashboards) == 4


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"evaluator": {"replicas": 2}}, "storage.blobs.url"),
        ({"evaluator": {"replicas": 2}, "postgresql": {"enabled": False}}, "more than one evaluator needs PostgreSQL"),
        ({"scorer": {"replicas": 2}, "postgresql": {"enabled": False}}, "more than one scorer needs PostgreSQL"),
        ({"queue": {"url": "nats://x:4222"}, "postgresql": {"enabled": False}}, "queue needs PostgreSQL"),
        ({"storage": {"url": "postgresql://me:secret@host/x"}}, "storage.url has a password"),
        ({"queue": {"url": "nats://secret@host:4222"}}, "queue.url has a user or token"),
        ({"storage": {"url": "postgresql://host/x", "urlSecret": {"name": "x"}}}, "set one of them"),
        ({"auth": {"tokens": {"existingSecret": "mine"}}}, "genlevel token evaluator --role admin"),
        (
            {"auth": {"tokens": {"existingSecret": "x"}, "evaluatorToken": {"existingSecret": "y"}}, "jobs": {"a": {"eval": []}}},
            "genlevel token jobs",
        ),
        ({"tls": {"enabled": True}}, "tls.existingSecret"),
        ({"tls": {"enabled": True, "certManager": {"enabled": True}}}, "issuerRef.name"),
        ({"keda": {"enabled": True}, "nats": {"enabled": False}, "storage": {"blobs": {"url": "s3://x"}}}, "keda.enabled needs a queue"),
        ({"keda": {"enabled": True}, "storage": {"blobs": {"url": "s3://x"}}}, "keda.prometheusAddress"),
        (
            {"pools": {"a": {"scores": ["vision"], "autoscaling": {"maxReplicas": 2}}}, "queue": {"url": "nats://x:4222"}},
            "pools.a.autoscaling with a queue of your own needs keda.natsMonitoring",
        ),
        ({"pools": {"a": {"scores": ["vision"]}}, "nats": {"enabled": False}}, "pools take their work from a queue"),
        ({"web": {"ingress": {"enabled": True}}}, "web.ingress.host"),
        ({"monitoring": {"serviceMonitors": {"enabled": True}}, "auth": {"metrics": "read"}}, "serviceMonitors.tokenSecret"),
        ({"gateway": {"replica": 3}}, "replica"),
        ({"gateway": {"autoscaling": {"enabled": True, "minReplicas": 11}}}, "gateway.autoscaling.minReplicas is above"),
        ({"keda": {"enabled": True, "minReplicas": 9}, "storage": {"blobs": {"url": "s3://x"}}}, "keda.minReplicas is above"),
        (
            {"pools": {"a": {"scores": ["vision"], "autoscaling": {"minReplicas": 3, "maxReplicas": 2}}}},
            "pools.a.autoscaling.minReplicas is above",
        ),
        ({"config": {"grace_s": 45.5}}, "set terminationGracePeriodSeconds to 15 more"),
        ({"config": {"web": {"tls": {"client_ca": "/x"}}}}, "config.web.tls.client_ca needs web.tls.existingSecret"),
    ],
)
def test_values_that_contradict_each_other_are_refused_in_a_line_that_names_them(chart: Chart, values: dict[str, Any], said: str) -> None:
    import helm_python

    with pytest.raises(helm_python.HelmError) as refused:
        chart.of(values)
    assert said in str(refused.value)


def test_the_address_of_the_bundled_nats_is_one_that_workers_read(chart: Chart) -> None:
    from genlevel.runtime.queue.address import Address

    secret = chart.one("default", "Secret", "genlevel-nats")["data"]
    address = Address.of(base64.b64decode(secret["url"]).decode())
    password = base64.b64decode(secret["password"]).decode()
    assert (address.servers, address.user, address.password, address.tls) == (("genlevel-nats:4222",), "genlevel", password, False)
    service = chart.one("default", "Service", "genlevel-nats")["spec"]["ports"]
    assert 4222 in [port["port"] for port in service]


def test_the_chart_can_be_packed_and_renders_the_same_then(chart: Chart, tmp_path: Path) -> None:
    import helm_python

    packed = helm_python.package(chart.charts.CHART, destination=tmp_path)
    with helm_python.Chart.load_archive(Path(packed).read_bytes()) as loaded:
        texts = loaded.render(chart.charts.value_sets()["production"], name="genlevel", namespace="genlevel")
    made = [each for path, text in sorted(texts.items()) if path.endswith(".yaml") for each in yaml.safe_load_all(text) if each]
    assert made == chart("production")


@pytest.mark.parametrize("on", ["0.0.0.0", "[::]"])
def test_the_bundled_nats_takes_its_configuration(chart: Chart, tmp_path: Path, on: str) -> None:
    """In a cluster whose pods have IPv6 addresses alone nobody reaches what listens on 0.0.0.0, probes neither."""
    configurations = {each["metadata"]["name"]: each["data"] for each in chart.of({"listenOn": on}) if each["kind"] == "ConfigMap"}
    settings = yaml.safe_load(configurations["genlevel-config"]["genlevel.yaml"])
    heard = [address for part in (*PARTS, "web") for key, address in settings[part].items() if key in ("grpc", "http")]
    assert len(heard) == 7
    assert {address.rpartition(":")[0] for address in heard} == {on}
    file = tmp_path / "nats.conf"
    file.write_text(configurations["genlevel-nats"]["nats.conf"], "utf-8")
    assert file.read_text().count(f'"{on}:') == 2
    (password,) = (
        each["data"]["password"] for each in chart("default") if (each["kind"], each["metadata"]["name"]) == ("Secret", "genlevel-nats")
    )
    secret = base64.b64decode(password).decode()
    server = Path(sys.executable).with_name("nats-server")
    checked = subprocess.run([server, "-t", "-c", file], env={"NATS_PASSWORD": secret}, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    # One that is a number is none to NATS, which is why it begins with a letter.
    assert secret[0].isalpha()
    number = subprocess.run([server, "-t", "-c", file], env={"NATS_PASSWORD": "1234"}, capture_output=True, text=True, check=False)
    assert number.returncode != 0
