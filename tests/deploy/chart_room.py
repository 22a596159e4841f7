"""The checks of the chart as modules, for tests; and what a control plane does with the objects that it makes."""

from __future__ import annotations

import base64
import ipaddress
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any


def checks() -> tuple[ModuleType, ModuleType]:
    """deploy/check/charts.py and deploy/check/chart.py."""
    folder = str(Path(__file__).resolve().parents[2] / "deploy/check")
    if folder not in sys.path:
        sys.path.append(folder)
    import chart  # type: ignore[import-not-found]
    import charts  # type: ignore[import-not-found]

    return charts, chart


def pod_of(document: dict[str, Any]) -> dict[str, Any] | None:
    """The template of an object's pods (metadata and spec), or itself; None if it has none."""
    kind, spec = document["kind"], document.get("spec", {})
    if kind == "Pod":
        return document
    if kind in ("Deployment", "StatefulSet", "Job"):
        template: dict[str, Any] = spec["template"]
        return template
    return spec["jobTemplate"]["spec"]["template"] if kind == "CronJob" else None


def containers_of(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def restricted(pod: dict[str, Any]) -> Iterator[str]:
    """What the Pod Security Standard "restricted" says against a pod, by its fields.

    kubernetes.io/docs/concepts/security/pod-security-standards
    """
    spec = pod["spec"]
    of_pod = spec.get("securityContext", {})
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield field
    kinds = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    for volume in spec.get("volumes", []):
        if not kinds & volume.keys():
            yield f"volume {volume['name']}"
    for container in containers_of(pod):
        own = container.get("securityContext", {})
        name = container["name"]
        if own.get("privileged") or own.get("allowPrivilegeEscalation") is not False:
            yield f"{name}: allowPrivilegeEscalation"
        if own.get("capabilities", {}).get("drop") != ["ALL"] or set(own["capabilities"].get("add", [])) - {"NET_BIND_SERVICE"}:
            yield f"{name}: capabilities"
        if own.get("runAsNonRoot", of_pod.get("runAsNonRoot")) is not True:
            yield f"{name}: runAsNonRoot"
        if own.get("runAsUser", of_pod.get("runAsUser")) == 0:
            yield f"{name}: runAsUser"
        if own.get("seccompProfile", of_pod.get("seccompProfile", {})).get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{name}: seccompProfile"
        if any("hostPort" in port for port in container.get("ports", [])):
            yield f"{name}: hostPort"


class Network:
    """What NetworkPolicies let through, as their API reference says it.

    A pod that any policy chooses gets what some policy allows, and no more.

    Pods are their labels; somebody outside the namespace is an IP address, or the labels of a namespace and of a pod in it.
    """

    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self._policies = [document["spec"] for document in documents if document["kind"] == "NetworkPolicy"]

    def passes(self, source: dict[str, str], target: dict[str, str], port: int) -> bool:
        """Whether a pod of the namespace reaches another one of it."""
        return self.leaves(source, target, port) and self.enters(source, target, port)

    def leaves(self, source: dict[str, str], target: dict[str, str] | str, port: int) -> bool:
        """Whether a pod may connect to a pod or an address, as far as it goes by its own side."""
        rules = self.rules("Egress", source)
        return rules is None or any(_has(rule, port) and _meets(rule.get("to"), target, None) for rule in rules)

    def enters(self, source: dict[str, str], target: dict[str, str], port: int, *, namespace: dict[str, str] | None = None) -> bool:
        """Whether a pod may be connected to from another one (of a namespace with these labels), as far as it goes by its own side."""
        rules = self.rules("Ingress", target)
        return rules is None or any(_has(rule, port) and _meets(rule.get("from"), source, namespace) for rule in rules)

    def rules(self, way: str, pod: dict[str, str]) -> list[dict[str, Any]] | None:
        """The rules of a way (Ingress, Egress) that hold for a pod; None if no policy chooses it."""
        chosen = [policy for policy in self._policies if way in policy["policyTypes"] and _selects(policy["podSelector"], pod)]
        return [rule for policy in chosen for rule in policy.get(way.lower(), [])] if chosen else None


def _has(rule: dict[str, Any], port: int) -> bool:
    return not rule.get("ports") or any((each.get("protocol", "TCP"), each["port"]) == ("TCP", port) for each in rule["ports"])


def _meets(peers: list[dict[str, Any]] | None, peer: dict[str, str] | str, namespace: dict[str, str] | None) -> bool:
    return not peers or any(_is_peer(each, peer, namespace) for each in peers)


def _is_peer(rule: dict[str, Any], peer: dict[str, str] | str, namespace: dict[str, str] | None) -> bool:
    if "ipBlock" in rule:
        if not isinstance(peer, str):
            return False
        address = ipaddress.ip_address(peer)
        inside = [
            block for block in (rule["ipBlock"]["cidr"], *rule["ipBlock"].get("except", [])) if address in ipaddress.ip_network(block)
        ]
        return inside == [rule["ipBlock"]["cidr"]]
    if isinstance(peer, str):
        return False
    if "namespaceSelector" in rule:
        if not _selects(rule["namespaceSelector"], namespace or {}):
            return False
    elif namespace is not None:
        return False
    return _selects(rule.get("podSelector", {}), peer)


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for each in selector.get("matchExpressions", []):
        inside = labels.get(each["key"]) in each["values"]
        if inside != (each["operator"] == "In"):
            return False
    return True


def refused(document: dict[str, Any]) -> Iterator[str]:
    """What a control plane says against an object beyond its schema (k8s.io/kubernetes, pkg/apis/*/validation), in part."""
    pod = pod_of(document)
    if pod is not None:
        yield from _refused_pod(pod["spec"])
    spec = document.get("spec", {})
    kind = document["kind"]
    if kind == "HorizontalPodAutoscaler" and spec["minReplicas"] > spec["maxReplicas"]:
        yield "minReplicas is above maxReplicas"
    if kind == "ScaledObject" and spec["minReplicaCount"] > spec["maxReplicaCount"]:
        yield "minReplicaCount is above maxReplicaCount"
    if kind in ("ConfigMap", "Secret"):
        yield from (f"key {key}" for key in document["data"] if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key))
    if kind == "Secret":
        decoded = {key: base64.b64decode(value, validate=True) for key, value in document["data"].items()}
        yield from (f"{key} is empty" for key, value in decoded.items() if not value)
    job = spec.get("jobTemplate", {}).get("spec", {}) if kind == "CronJob" else spec if kind == "Job" else {}
    if job:
        yield from _refused_job(job)
    if pod is not None:
        spread = [rule["labelSelector"] for rule in pod["spec"].get("topologySpreadConstraints", [])]
        wanted = [selector["matchLabels"] for selector in (*spread, spec.get("selector", {})) if selector]
        yield from (f"{labels} chooses none of its pods" for labels in wanted if not labels.items() <= pod["metadata"]["labels"].items())


def _refused_pod(spec: dict[str, Any]) -> Iterator[str]:
    containers = [*spec.get("initContainers", []), *spec["containers"]]
    names = [container["name"] for container in containers]
    volumes = [volume["name"] for volume in spec.get("volumes", [])]
    ports = [port["name"] for container in spec["containers"] for port in container.get("ports", [])]
    for what, found in (("container", names), ("volume", volumes), ("port", ports)):
        yield from (f"{what} {name} is there twice" for name in sorted({name for name in found if found.count(name) > 1}))
    yield from (
        f"port {name}" for name in ports if not re.fullmatch(r"(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?", name) or "--" in name
    )
    yield from (f"volume {name}" for name in volumes if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name))
    for container in containers:
        where = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
        yield from (f"{container['name']}: {path} is mounted twice" for path in where if where.count(path) > 1)
        said = [each["name"] for each in container.get("env", [])]
        yield from (f"{container['name']}: {name} is set twice" for name in sorted({name for name in said if said.count(name) > 1}))
        resources = container.get("resources", {})
        for kind, asked in resources.get("requests", {}).items():
            if kind in resources.get("limits", {}) and amount(asked) > amount(resources["limits"][kind]):
                yield f"{container['name']}: more {kind} is requested than is allowed"
    for container in spec["containers"]:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container.get(probe, {}).get("httpGet")
            if asked and asked["port"] not in [port["name"] for port in container["ports"]]:
                yield f"{container['name']}: {probe} asks a port that it has not"


def _refused_job(job: dict[str, Any]) -> Iterator[str]:
    pod = job["template"]["spec"]
    if pod.get("restartPolicy") not in ("Never", "OnFailure"):
        yield "a job's pods need a restartPolicy"
    rules = job.get("podFailurePolicy", {}).get("rules", [])
    if rules and pod["restartPolicy"] != "Never":
        yield "podFailurePolicy needs restartPolicy Never"
    if rules and job.get("podReplacementPolicy", "Failed") != "Failed":
        yield "podFailurePolicy needs podReplacementPolicy Failed"
    for codes in (rule["onExitCodes"] for rule in rules if "onExitCodes" in rule):
        if codes["containerName"] not in [container["name"] for container in (*pod.get("initContainers", []), *pod["containers"])]:
            yield f"no container is called {codes['containerName']}"
        if codes["values"] != sorted(set(codes["values"])) or (codes["operator"] == "In" and 0 in codes["values"]):
            yield f"exit codes {codes['values']}"


_UNITS = {"": 1.0, "m": 1e-3, "k": 1e3} | {letter: 1e3**power for power, letter in enumerate("MGTPE", start=2)}
_UNITS |= {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", start=1)}


def amount(quantity: str | float) -> float:
    """A quantity as a number: 250m is 0.25, 1Ki is 1024."""
    match = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", str(quantity))
    assert match is not None
    return float(match[1]) * _UNITS[match[2]]
