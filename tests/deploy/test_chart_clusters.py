"""What clusters of several kinds ask of the chart: users that they choose, registries with passwords, mixed nodes, volumes of one node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.chart_room import Network, checks, containers_of, pod_of

pytestmark = pytest.mark.full

SHARED = {"storage": {"blobs": {"existingClaim": "blobs"}}}
EVERYTHING: dict[str, Any] = SHARED | {
    "pools": {"vision": {"scores": ["vision"]}},
    "jobs": {"first": {"eval": ["--suite", "starter"]}},
    "cronJobs": {"nightly": {"schedule": "0 2 * * *", "eval": ["--suite", "starter"]}},
    "benchmark": {"fetch": {"enabled": True, "accessModes": ["ReadWriteMany"]}},
}


def rendered(values: dict[str, Any], **how: Any) -> list[dict[str, Any]]:
    charts, _ = checks()
    return [each.document for each in charts.render(values, **how)]


def pods(documents: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for document in documents:
        if (pod := pod_of(document)) is not None:
            yield re.sub(r"-[0-9a-f]{8}$", "", f"{document['kind']} {document['metadata']['name']}"), pod


EVERY_POD = {
    *(f"Deployment genlevel-{part}" for part in ("gateway", "evaluator", "scorer", "web", "pool-vision")),
    *(f"StatefulSet genlevel-{store}" for store in ("postgresql", "nats")),
    *("Job genlevel-first", "CronJob genlevel-nightly", "Job genlevel-migrate", "Pod genlevel-test"),
}


def test_every_pod_pulls_with_the_secrets_and_runs_on_the_nodes_that_are_said() -> None:
    on = {"nodeSelector": {"kubernetes.io/arch": "arm64"}, "tolerations": [{"key": "arm", "operator": "Exists"}]}
    gateway = {"gateway": {"nodeSelector": {"disk": "fast"}}}
    seen = dict(pods(rendered(EVERYTHING | on | gateway | {"imagePullSecrets": ["mirror"]})))
    assert set(seen) == EVERY_POD
    for what, pod in seen.items():
        assert pod["spec"].get("imagePullSecrets") == [{"name": "mirror"}], what
        expected = {"disk": "fast"} if what == "Deployment genlevel-gateway" else on["nodeSelector"]
        assert pod["spec"].get("nodeSelector") == expected, what
        assert pod["spec"].get("tolerations") == on["tolerations"], what


def test_a_cluster_may_choose_the_users_that_pods_run_as() -> None:
    for values, chosen in ((EVERYTHING, False), (EVERYTHING | {"fixedUsers": False}, True)):
        seen = dict(pods(rendered(values)))
        assert set(seen) == EVERY_POD
        for what, pod in seen.items():
            context = pod["spec"]["securityContext"]
            assert (not {"runAsUser", "runAsGroup", "fsGroup"} & context.keys()) is chosen, what
            assert context["runAsNonRoot"] is True, what
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}, what


def test_names_are_asked_where_servers_of_names_listen() -> None:
    """OpenShift's listen on 5353 (docs.redhat.com, DNS Operator), all others' on 53."""
    labels = {"app.kubernetes.io/instance": "genlevel", "app.kubernetes.io/part-of": "genlevel"}
    rules = Network(rendered({})).rules("Egress", labels) or []
    asked = {(each["protocol"], each["port"]) for rule in rules for each in rule.get("ports", [])}
    assert asked == {(protocol, port) for protocol in ("UDP", "TCP") for port in (53, 5353)}


def test_migrations_reach_an_external_database_as_services_do() -> None:
    own: dict[str, Any] = {
        "storage": {"url": "postgresql+psycopg://me@host/x", "passwordSecret": {"name": "database"}},
        "nats": {"enabled": False},
        "extraEnv": [
            {"name": "PGSSLROOTCERT", "value": "/ca/ca.crt"},
            {"name": "GENLEVEL_STORAGE__PATIENCE_S", "value": "600"},
            # Parts of sections that only the file has, which before an install is not there.
            {"name": "GENLEVEL_ACCOUNTS__team__API_KEY_ENV", "value": "TEAM_KEY"},
            {"name": "TEAM_KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "team"}}},
        ],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/ca", "readOnly": True}],
    }
    pod = dict(pods(rendered(own)))["Job genlevel-migrate"]
    (container,) = pod["spec"]["containers"]
    assert [each["name"] for each in container["env"]] == [
        "GENLEVEL_STORAGE__URL",
        "PGPASSWORD",
        "PGSSLROOTCERT",
        "GENLEVEL_STORAGE__PATIENCE_S",
    ]
    assert own["extraVolumes"][0] in pod["spec"]["volumes"]
    assert own["extraVolumeMounts"][0] in container["volumeMounts"]


def test_a_benchmark_is_fetched_through_the_proxy_that_is_said() -> None:
    own: dict[str, Any] = {
        "extraEnv": [
            {"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"},
            {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}},
            {"name": "GENLEVEL_ACCOUNTS__team__API_KEY_ENV", "value": "TEAM_KEY"},
        ],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/ca", "readOnly": True}],
    }
    pod = dict(pods(rendered(EVERYTHING | own)))["Deployment genlevel-evaluator"]
    (fetch,) = (each for each in containers_of(pod) if each["name"] == "fetch-benchmark")
    assert [each["name"] for each in fetch["env"]] == ["FOLDER", "DONE", "HTTPS_PROXY", "HF_TOKEN"]
    assert own["extraVolumeMounts"][0] in fetch["volumeMounts"]


@pytest.mark.parametrize(("modes", "strategy"), [(["ReadWriteOnce"], "Recreate"), (["ReadWriteMany"], "RollingUpdate")])
def test_a_benchmark_s_volume_of_one_node_is_let_go_before_the_next_pod_comes(modes: list[str], strategy: str) -> None:
    values = SHARED | {"benchmark": {"fetch": {"enabled": True, "accessModes": modes}}}
    (evaluator,) = (each for each in rendered(values) if (each["kind"], each["metadata"]["name"]) == ("Deployment", "genlevel-evaluator"))
    assert evaluator["spec"]["strategy"]["type"] == strategy


def test_claims_that_are_somebody_else_s_are_read_alone() -> None:
    """Mounted to be written, the kubelet gives each of their files to the pod's group; and those that many nodes read are not attached."""
    claims = {"benchmark": {"existingClaim": "bench"}, "pools": {"vision": {"scores": ["vision"], "weightsClaim": "weights"}}}
    seen = {
        volume["persistentVolumeClaim"]["claimName"]: volume["persistentVolumeClaim"].get("readOnly", False)
        for _, pod in pods(rendered(SHARED | claims))
        for volume in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert seen == {"bench": True, "weights": True, "blobs": False}
    fetched = dict(pods(rendered(EVERYTHING)))["Deployment genlevel-evaluator"]["spec"]["volumes"]
    assert {"name": "benchmark", "persistentVolumeClaim": {"claimName": "genlevel-benchmark"}} in fetched


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"pools": {"a": {"scores": ["vision"]}}}, "pools need a store of media that all share"),
        (
            SHARED | {"pools": {"a": {"scores": ["vision"]}}, "benchmark": {"fetch": {"enabled": True}}},
            "benchmark.fetch.accessModes with ReadWriteMany",
        ),
        ({"config": {"storage": {"url": "postgresql://host/x"}}}, "config.storage.url: set storage.url instead"),
        ({"config": {"storage": {"blobs": "s3://x/y"}}}, "config.storage.blobs: set storage.blobs.url instead"),
        ({"config": {"queue": "nats://host:4222"}}, "config.queue: set queue.url instead"),
    ],
)
def test_what_some_pods_would_not_find_is_refused(values: dict[str, Any], said: str) -> None:
    import helm_python

    with pytest.raises(helm_python.HelmError) as refused:
        rendered(values)
    assert said in str(refused.value)


def words(document: object) -> Iterator[tuple[str, object]]:
    """Fields of an object that have to be text: names, namespaces, labels."""
    for key, value in document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ():
        if key in ("labels", "matchLabels") and isinstance(value, dict):
            yield from value.items()
        elif key in ("name", "namespace", "secretName", "claimName", "serviceAccountName") and not isinstance(value, dict):
            yield key, value
        yield from words(value)


@pytest.mark.parametrize("release", ["my.team", "2026"])
def test_a_release_of_any_name_has_objects_that_a_cluster_takes(monkeypatch: pytest.MonkeyPatch, release: str) -> None:
    charts, _ = checks()
    monkeypatch.setattr(charts, "NAMESPACE", release.replace(".", "-"))
    made = rendered(EVERYTHING | {"monitoring": {"serviceMonitors": {"enabled": True}}}, release=release)
    for each in made:
        assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", each["metadata"]["name"])
    found = list(words(made))
    assert len(found) > 500
    assert [(key, value) for key, value in found if not isinstance(value, str)] == []


def test_two_releases_of_long_names_share_no_object() -> None:
    first, second = ({each["metadata"]["name"] for each in rendered({}, release=f"evaluation-of-the-team-in-europe-{end}")} for end in "ab")
    assert len(first) > 10
    assert not first & second


def test_the_doctor_s_words_are_there_to_be_read_after_the_test() -> None:
    """`helm test --logs` reads them once all is done: a pod that is deleted as it succeeds has none by then."""
    (test,) = (each for each in rendered({}) if each["kind"] == "Pod")
    assert test["metadata"]["annotations"]["helm.sh/hook-delete-policy"] == "before-hook-creation"


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ({}, ["http://127.0.0.1:7400"]),
        ({"tls": {"existingSecret": "pages"}}, ["https://127.0.0.1:7400"]),
        # Browsers keep the cookie of pages whose own address is https by no other way.
        ({"ingress": {"enabled": True, "host": "pages.example", "tlsSecret": "x"}}, ["https://pages.example"]),
        ({"ingress": {"enabled": True, "host": "pages.example"}}, ["http://pages.example"]),
        ({"url": "https://of.a.gateway.example"}, ["https://of.a.gateway.example"]),
        ({"enabled": False}, []),
    ],
)
def test_after_an_install_the_pages_are_told_by_the_address_at_which_somebody_can_log_in(web: dict[str, Any], said: list[str]) -> None:
    import helm_python

    charts, _ = checks()
    with helm_python.Chart.load(charts.CHART) as chart:
        notes = chart.render({"web": web}, name="genlevel", namespace="genlevel")["genlevel/templates/NOTES.txt"]
    assert re.findall(r"https?://[^\s]+[^\s.,]", notes) == said
    assert ("port-forward" in notes) == any("127.0.0.1" in address for address in said)


def test_a_pool_has_the_runtime_by_which_its_nodes_give_it_a_gpu() -> None:
    pool = {"scores": ["vision"], "gpus": 1, "runtimeClassName": "nvidia", "priorityClassName": "low"}
    seen = {what: pod["spec"] for what, pod in pods(rendered(SHARED | {"pools": {"vision": pool}}))}
    assert [what for what, spec in seen.items() if "runtimeClassName" in spec] == ["Deployment genlevel-pool-vision"]
    assert seen["Deployment genlevel-pool-vision"]["runtimeClassName"] == "nvidia"
    assert seen["Deployment genlevel-pool-vision"]["priorityClassName"] == "low"


def test_dashboards_carry_the_labels_and_the_folder_that_your_grafana_looks_for() -> None:
    own: dict[str, Any] = {"enabled": True, "labels": {"grafana_dashboard": "2", "team": "x"}, "annotations": {"grafana_folder": "Models"}}
    dashboards = [each for each in rendered({"monitoring": {"dashboards": own}}) if "-dashboard-" in each["metadata"]["name"]]
    assert len(dashboards) == 4
    for each in dashboards:
        assert own["labels"].items() <= each["metadata"]["labels"].items()
        assert each["metadata"]["annotations"] == own["annotations"]
