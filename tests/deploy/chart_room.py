"""The checks of the chart as modules, for tests; and what a control plane does with the objects that it makes."""

from __future__ import annotations

import ipaddress
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
        rules = self._rules("Egress", source)
        return rules is None or any(_has(rule, port) and _meets(rule.get("to"), target, None) for rule in rules)

    def enters(self, source: dict[str, str], target: dict[str, str], port: int, *, namespace: dict[str, str] | None = None) -> bool:
        """Whether a pod may be connected to from another one (of a namespace with these labels), as far as it goes by its own side."""
        rules = self._rules("Ingress", target)
        return rules is None or any(_has(rule, port) and _meets(rule.get("from"), source, namespace) for rule in rules)

    def _rules(self, way: str, pod: dict[str, str]) -> list[dict[str, Any]] | None:
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
