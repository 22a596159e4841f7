"""Helm installs, upgrades, rolls back and uninstalls the chart at a stand-in for a control plane, which refuses what a real one refuses."""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.chart_room import checks, pod_of
from tests.deploy.control_plane import ControlPlane, served, unchangeable

pytestmark = pytest.mark.full

Objects = dict[tuple[str, str], dict[str, Any]]


class Release:
    """The release genlevel in a cluster of its own."""

    def __init__(self, plane: ControlPlane, kubeconfig: str) -> None:
        import helm_python

        self.charts, _ = checks()
        self.plane = plane
        self.helm = helm_python.Config(
            kubeconfig_content=kubeconfig, namespace="genlevel", storage_driver="memory", qps=10_000, burst_limit=10_000
        )

    def install(self, values: dict[str, Any]) -> Objects:
        self.helm.install(self.charts.CHART, "genlevel", values, timeout=30, wait="hookOnly")
        return self.objects()

    def upgrade(self, values: dict[str, Any]) -> Objects:
        self.helm.upgrade(self.charts.CHART, "genlevel", values, timeout=30, wait="hookOnly", reset_values=True)
        return self.objects()

    def rollback(self) -> Objects:
        self.helm.rollback("genlevel", timeout=30, wait="hookOnly")
        return self.objects()

    def objects(self) -> Objects:
        """What there is, without what the control plane itself writes."""
        written = ("uid", "resourceVersion", "creationTimestamp")
        return {
            (each["kind"], each["metadata"]["name"]): each
            | {"metadata": {key: value for key, value in each["metadata"].items() if key not in written}}
            for each in copy.deepcopy(self.plane.objects).values()
        }


@pytest.fixture
def release() -> Iterator[Release]:
    plane = ControlPlane()
    with served(plane) as kubeconfig:
        yield Release(plane, kubeconfig)


def secrets(objects: Objects) -> dict[str, dict[str, str]]:
    return {name: each["data"] for (kind, name), each in objects.items() if kind == "Secret"}


def test_an_upgrade_keeps_tokens_and_passwords_and_a_rollback_brings_back_what_was(release: Release) -> None:
    first = release.install({})
    assert set(secrets(first)) == {f"genlevel-{name}" for name in ("tokens", "evaluator-token", "client-token", "postgresql", "nats")}
    same = release.upgrade({})
    assert same == first, "an upgrade without a change changes nothing, and no pod is made anew"
    more = release.upgrade({"gateway": {"replicas": 3}, "config": {"grace_s": 10}})
    assert secrets(more) == secrets(first)
    changed = {key for key in first if first[key] != more[key]}
    assert changed == {
        ("ConfigMap", "genlevel-config"),
        *(("Deployment", f"genlevel-{part}") for part in ("gateway", "evaluator", "scorer", "web")),
    }
    assert release.rollback() == first
    assert release.plane.refused == []
    assert release.plane.names("Job") == set(), "what hooks made is gone"


def migrated_and_deployed(release: Release) -> tuple[int, int]:
    """When the job of migrations came and when the evaluator did, since the last look."""
    done = [(kind, name) for verb, kind, name in release.plane.changed if verb != "delete"]
    release.plane.changed.clear()
    return done.index(("Job", "genlevel-migrate")), done.index(("Deployment", "genlevel-evaluator"))


def test_migrations_come_after_the_first_install_of_a_bundled_database_and_before_every_upgrade(release: Release) -> None:
    release.install({})
    migrated, deployed = migrated_and_deployed(release)
    assert migrated > deployed
    release.upgrade({"config": {"grace_s": 10}})
    migrated, deployed = migrated_and_deployed(release)
    assert migrated < deployed


def test_migrations_come_after_an_upgrade_that_brings_the_bundled_database(release: Release) -> None:
    """Before it there is neither the database nor its password, for which the job would wait until the upgrade fails."""
    release.install({"postgresql": {"enabled": False}, "nats": {"enabled": False}})
    release.plane.changed.clear()
    release.upgrade({})
    migrated, deployed = migrated_and_deployed(release)
    assert migrated > deployed
    release.upgrade({"config": {"grace_s": 10}})
    migrated, deployed = migrated_and_deployed(release)
    assert migrated < deployed


def test_an_upgrade_can_mend_an_install_whose_database_does_not_start(release: Release) -> None:
    """The job of migrations would wait for that database before the upgrade that mends it.

    And a pod that never was ready is replaced only if its StatefulSet does not wait for it (StatefulSets, "Forced rollback").
    """
    release.plane.stuck = True
    release.install({"postgresql": {"image": {"repository": "registry.example/gone"}}})
    release.plane.changed.clear()
    release.upgrade({})
    migrated, deployed = migrated_and_deployed(release)
    assert migrated > deployed
    for store in ("postgresql", "nats"):
        assert release.plane.named("StatefulSet", f"genlevel-{store}")["spec"]["podManagementPolicy"] == "Parallel"


def test_no_change_of_values_touches_a_field_that_cannot_be_changed(release: Release) -> None:
    sets = release.charts.value_sets()
    release.install(sets["monitors"])
    for name in ("base", "default", "gpu", "mtls", "production", "default", "monitors"):
        release.upgrade(sets[name])
        assert release.plane.refused == [], name
        # What is left of rolling would be refused beside Recreate.
        strategy = release.plane.named("Deployment", "genlevel-evaluator")["spec"]["strategy"]
        assert strategy["type"] == "RollingUpdate" or set(strategy) == {"type"}, name
    assert release.plane.names("Deployment") == {"genlevel-gateway", "genlevel-evaluator", "genlevel-scorer"}
    assert release.plane.names("StatefulSet") == set()


def test_the_stand_in_refuses_what_a_control_plane_refuses() -> None:
    charts, _ = checks()
    documents = {(each.kind, each.name): each.document for each in charts.render(charts.value_sets()["default"])}
    for key, path, value in (
        (("Deployment", "genlevel-gateway"), ("spec", "selector", "matchLabels"), {"app.kubernetes.io/version": "2"}),
        (("StatefulSet", "genlevel-nats"), ("spec", "volumeClaimTemplates"), []),
        (("Job", "genlevel-migrate"), ("spec", "template", "spec", "restartPolicy"), "OnFailure"),
        (("PersistentVolumeClaim", "genlevel-evaluator"), ("spec", "accessModes"), ["ReadWriteMany"]),
        (("Service", "genlevel-gateway"), ("spec", "clusterIP"), ""),
    ):
        changed = copy.deepcopy(documents[key])
        inner = changed
        for field in path[:-1]:
            inner = inner[field]
        inner[path[-1]] = value
        assert unchangeable(documents[key], documents[key]) == ""
        assert unchangeable(documents[key], changed).startswith(f"spec.{path[1]}: "), key


def test_an_upgrade_leaves_the_number_of_pods_to_the_autoscaler(release: Release) -> None:
    values = {"gateway": {"autoscaling": {"enabled": True}}}
    release.install(values)
    release.plane.scale("genlevel-gateway", 7)
    release.upgrade(values | {"config": {"grace_s": 10}})
    assert release.plane.named("Deployment", "genlevel-gateway")["spec"]["replicas"] == 7
    assert release.plane.refused == []


def test_the_stand_in_says_who_else_has_set_a_field(release: Release) -> None:
    import helm_python

    first = release.install({"web": {"enabled": False}})
    key = ("apis/apps/v1/deployments", "genlevel", "genlevel-gateway")
    release.plane._owned[key]["autoscaler"] = {("spec", "replicas"): 2}
    assert first["Deployment", "genlevel-gateway"]["spec"]["replicas"] == 2
    with pytest.raises(helm_python.HelmError, match=r'conflict with "autoscaler": spec\.replicas'):
        release.upgrade({"web": {"enabled": False}, "gateway": {"replicas": 3}})
    release.upgrade({"web": {"enabled": False}})


def test_an_uninstall_keeps_what_is_stored_and_a_new_install_opens_it_again(release: Release) -> None:
    first = release.install({})
    release.helm.uninstall("genlevel", timeout=30)
    left = {(kind, name) for kind, name in release.objects()}
    assert left == {("PersistentVolumeClaim", "genlevel-evaluator"), ("Secret", "genlevel-postgresql")}
    again = release.install({})
    assert secrets(again)["genlevel-postgresql"] == secrets(first)["genlevel-postgresql"]
    assert secrets(again)["genlevel-client-token"] != secrets(first)["genlevel-client-token"]
    assert release.plane.refused == []


def test_helm_test_asks_the_doctor_and_if_wanted_the_embedded_model(release: Release) -> None:
    release.install({"test": {"eval": True}})
    seen: list[str] = []
    put = release.plane.put

    def noted(key: tuple[str, str, str], document: dict[str, Any], verb: str) -> dict[str, Any] | str:
        if (pod := pod_of(document)) is not None and document["kind"] == "Pod":
            seen.extend(container["args"][0] for container in (*pod["spec"]["initContainers"], *pod["spec"]["containers"]))
        return put(key, document, verb)

    release.plane.put = noted  # type: ignore[method-assign]
    release.helm.test("genlevel", timeout=30)
    assert seen == ["doctor", "eval"]


def test_a_token_that_was_made_is_that_of_the_hash_after_an_upgrade_too(release: Release) -> None:
    import hashlib

    release.install({})
    objects = release.upgrade({"auth": {"tokens": {"rows": [{"name": "me", "sha256": "0" * 64, "roles": ["read"]}]}}})
    token = base64.b64decode(secrets(objects)["genlevel-evaluator-token"]["token"])
    assert hashlib.sha256(token).hexdigest().encode() in base64.b64decode(secrets(objects)["genlevel-tokens"]["tokens.yaml"])


def test_the_base_can_be_applied_over_the_one_before_the_chart(repository: Path) -> None:
    charts, _ = checks()
    before = list(yaml.safe_load_all((repository / "tests/fixtures/kubernetes/base_before_the_chart.yaml").read_text("utf-8")))
    after = {(each.kind, each.name): each.document for each in charts.render(charts.value_sets()["base"])}
    assert len(before) == 11
    for document in before:
        key = (document["kind"], document["metadata"]["name"])
        if key[0] != "ConfigMap":  # kustomize names that one by its content
            assert unchangeable(document, after[key]) == "", key
            assert ports(document) == ports(after[key]), key


def ports(document: dict[str, Any]) -> list[int]:
    return [port["port"] for port in document.get("spec", {}).get("ports", [])]
