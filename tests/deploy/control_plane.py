"""A small stand-in for a cluster's control plane, for Helm to install into.

It has discovery, objects, server-side apply, watches, and the fields that no change may touch (kubernetes.io/docs/reference/using-api).
No object does anything, but that Jobs and Pods that Helm waits for are done at once.
"""

from __future__ import annotations

import copy
import http.server
import itertools
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

Key = tuple[str, str, str]
"""A resource's collection (apis/apps/v1/deployments), its namespace and its name."""

RESOURCES = {
    "v1": {
        "Namespace": "namespaces",
        "Secret": "secrets",
        "ConfigMap": "configmaps",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    }
    | {"PersistentVolumeClaim": "persistentvolumeclaims", "Pod": "pods"},
    "apps/v1": {"Deployment": "deployments", "StatefulSet": "statefulsets", "ReplicaSet": "replicasets"},
    "batch/v1": {"Job": "jobs", "CronJob": "cronjobs"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
    "autoscaling/v2": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"},
    "monitoring.coreos.com/v1": {"ServiceMonitor": "servicemonitors", "PodMonitor": "podmonitors", "PrometheusRule": "prometheusrules"},
    "keda.sh/v1alpha1": {"ScaledObject": "scaledobjects"},
    "cert-manager.io/v1": {"Certificate": "certificates"},
}
KINDS = {plural: kind for kinds in RESOURCES.values() for kind, plural in kinds.items()}


class ControlPlane:
    """The objects, by their keys, and every refusal that a change met."""

    def __init__(self) -> None:
        self.objects: dict[Key, dict[str, Any]] = {}
        self.refused: list[str] = []
        self.stuck = False
        """Whether pods of StatefulSets do not start, as if their image could not be pulled."""
        self.changed: list[tuple[str, str, str]] = []
        """What has been done, in order: verb, kind, name."""
        self._owned: dict[Key, dict[str, dict[tuple[str, ...], Any]]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Condition()

    def named(self, kind: str, name: str) -> dict[str, Any]:
        (found,) = (each for each in self.objects.values() if (each["kind"], each["metadata"]["name"]) == (kind, name))
        return found

    def scale(self, name: str, replicas: int) -> None:
        """What an autoscaler does to a Deployment."""
        key = ("apis/apps/v1/deployments", "genlevel", name)
        said = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"replicas": replicas}}
        assert not isinstance(self.put(key, said, "apply", "autoscaler"), str)

    def names(self, kind: str) -> set[str]:
        return {each["metadata"]["name"] for each in self.objects.values() if each["kind"] == kind}

    def put(self, key: Key, document: dict[str, Any], verb: str, manager: str = "helm") -> dict[str, Any] | str:
        """The object as it is then, or why it stays as it was. What is applied joins what others have set (server-side apply)."""
        with self._lock:
            before = self.objects.get(key)
            if verb == "apply" and before is not None:
                joined = self._joined(key, before, document, manager)
                if isinstance(joined, str):
                    self.refused.append(f"{key[0]}/{key[2]}: {joined}")
                    return joined
                document = joined
            elif verb == "apply":
                self._owned[key] = {manager: fields(document)}
            if before is not None and (why := unchangeable(before, document)):
                self.refused.append(f"{key[0]}/{key[2]}: {why}")
                return why
            number = next(self._numbers)
            metadata = {
                **document["metadata"],
                "namespace": key[1],
                "uid": f"uid-{number}" if before is None else before["metadata"]["uid"],
                "resourceVersion": str(number),
                "creationTimestamp": "2026-01-01T00:00:00Z",
            }
            self.objects[key] = {**document, "metadata": metadata} | done(document, stuck=self.stuck)
            self.changed.append((verb, document["kind"], key[2]))
            self._lock.notify_all()
            return self.objects[key]

    def _joined(self, key: Key, before: dict[str, Any], applied: dict[str, Any], manager: str) -> dict[str, Any] | str:
        owned = self._owned.setdefault(key, {})
        mine = fields(applied)
        for other, theirs in owned.items():
            for path in sorted(mine.keys() & theirs.keys()):
                if other != manager and mine[path] != theirs[path]:
                    return f'conflict with "{other}": {".".join(path)}'
        document = copy.deepcopy(before)
        for path in owned.get(manager, {}).keys() - mine.keys():
            if not any(path in theirs for other, theirs in owned.items() if other != manager):
                _set(document, path, None)
        for path, value in mine.items():
            _set(document, path, value)
        owned[manager] = mine
        return document

    def take_out(self, key: Key) -> dict[str, Any] | None:
        with self._lock:
            found = self.objects.pop(key, None)
            self._owned.pop(key, None)
            if found is not None:
                self.changed.append(("delete", found["kind"], key[2]))
            self._lock.notify_all()
            return found

    def those(self, collection: str, namespace: str, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = dict(pair.split("=") for pair in query.get("labelSelector", "").split(",") if "=" in pair)
        name = query.get("fieldSelector", "").removeprefix("metadata.name=")
        return [
            each
            for (where, space, called), each in sorted(self.objects.items())
            if where == collection and namespace in ("", space) and name in ("", called)
            if wanted.items() <= each["metadata"].get("labels", {}).items()
        ]


def fields(document: dict[str, Any], before: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """The fields that a document sets, by their paths; a list is one of them."""
    found: dict[tuple[str, ...], Any] = {}
    for key, value in document.items():
        path = (*before, key)
        found |= fields(value, path) if isinstance(value, dict) and value else {path: value}
    return found


def _set(document: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    """value: None takes the field away, and what is empty then."""
    key, *rest = path
    if rest:
        _set(document.setdefault(key, {}), tuple(rest), value)
        if value is None and not document[key]:
            del document[key]
    elif value is None:
        document.pop(key, None)
    else:
        document[key] = value


def unchangeable(before: dict[str, Any], after: dict[str, Any]) -> str:
    """The first field that a control plane lets nobody change, and that differs; "" if there is none."""
    kind = before["kind"]
    fields = {"Deployment": ("selector",), "Job": ("selector", "template", "completions"), "Service": ("clusterIP",)}.get(kind, ())
    old, new = before.get("spec", {}), after.get("spec", {})
    if kind == "StatefulSet":
        free = {"replicas", "template", "updateStrategy", "minReadySeconds", "persistentVolumeClaimRetentionPolicy", "revisionHistoryLimit"}
        fields = tuple({*old, *new} - free)
    if kind == "PersistentVolumeClaim":
        fields = tuple({*old, *new} - {"resources"})
    if kind == "Secret" and before.get("type") != after.get("type"):
        return "type: field is immutable"
    return next((f"spec.{field}: field is immutable" for field in sorted(fields) if old.get(field) != new.get(field)), "")


def done(document: dict[str, Any], *, stuck: bool) -> dict[str, Any]:
    """What the controllers say of an object that has nothing more to do."""
    if document["kind"] == "Job":
        return {"status": {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}}
    if document["kind"] == "StatefulSet" and not stuck:
        return {"status": {"replicas": 1, "readyReplicas": 1}}
    return {"status": {"phase": "Succeeded"}} if document["kind"] == "Pod" else {}


@contextmanager
def served(plane: ControlPlane) -> Iterator[str]:
    """Serves it. Yields a kubeconfig."""

    class Handler(_Handler):
        control = plane

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                "users": [{"name": "me", "user": {}}],
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                "current-context": "here",
            }
        )
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    control: ControlPlane
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer in one piece: of two, the second one would wait for the first one's acknowledgement

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if (found := discovered(url.path)) is not None:
            return self._say(200, found)
        if url.path == "/openapi/v2":  # one without a type, in the form that clients ask for: they validate nothing then
            return self._say(200, None, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
        collection, namespace, name = parsed(url.path)
        if collection.rpartition("/")[2] not in KINDS:
            return self._say(404, status(404, "NotFound", url.path))
        if name:
            found = self.control.objects.get((collection, namespace, name))
            return self._say(404, status(404, "NotFound", name)) if found is None else self._say(200, found)
        found = self.control.those(collection, namespace, query)
        if query.get("watch") in ("1", "true"):
            return self._watch(found, query, collection)
        group = collection.partition("/")[2].rpartition("/")[0]
        kind = KINDS[collection.rpartition("/")[2]]
        return self._say(200, {"kind": f"{kind}List", "apiVersion": group, "metadata": {"resourceVersion": "1"}, "items": found})

    def do_POST(self) -> None:
        collection, namespace, _ = parsed(urllib.parse.urlsplit(self.path).path)
        document = self._body()
        key = (collection, namespace, document["metadata"]["name"])
        if key in self.control.objects:
            return self._say(409, status(409, "AlreadyExists", key[2]))
        return self._say(201, self.control.put(key, document, "create"))

    def do_PUT(self) -> None:
        self._put("replace")

    def do_PATCH(self) -> None:
        assert self.headers["content-type"] == "application/apply-patch+yaml", self.headers["content-type"]
        self._put("apply")

    def do_DELETE(self) -> None:
        self._body()
        found = self.control.take_out(parsed(urllib.parse.urlsplit(self.path).path))
        self._say(404, status(404, "NotFound", self.path)) if found is None else self._say(200, found)

    def _put(self, verb: str) -> None:
        key = parsed(urllib.parse.urlsplit(self.path).path)
        answer = self.control.put(key, self._body(), verb)
        if isinstance(answer, str) and answer.startswith("conflict"):
            return self._say(409, status(409, "Conflict", f"{key[2]}: {answer}"))
        if isinstance(answer, str):
            return self._say(422, status(422, "Invalid", f"{key[2]}: {answer}"))
        return self._say(200, answer)

    def _watch(self, found: list[dict[str, Any]], query: dict[str, str], collection: str) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.close_connection = True
        events: list[dict[str, Any]] = [{"type": "ADDED", "object": each} for each in found]
        if query.get("sendInitialEvents"):
            metadata = {"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}
            api = collection.partition("/")[2].rpartition("/")[0]
            kind = KINDS[collection.rpartition("/")[2]]
            events.append({"type": "BOOKMARK", "object": {"kind": kind, "apiVersion": api, "metadata": metadata}})
        for event in events:
            self.wfile.write(json.dumps(event).encode() + b"\n")
        self.wfile.flush()
        with self.control._lock:
            self.control._lock.wait(0.2)

    def _body(self) -> dict[str, Any]:
        text = self.rfile.read(int(self.headers.get("content-length") or 0))
        found: dict[str, Any] = yaml.load(text, yaml.CSafeLoader) if text else {}
        return found

    def _say(self, code: int, document: object, form: str = "application/json") -> None:
        text = b"" if document is None else json.dumps(document).encode()
        self.send_response(code)
        self.send_header("content-type", form)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def parsed(path: str) -> Key:
    """/apis/apps/v1/namespaces/x/deployments/y as (apis/apps/v1/deployments, x, y)."""
    parts = path.strip("/").split("/")
    depth = 2 if parts[0] == "api" else 3
    root, rest = parts[:depth], parts[depth:]
    namespace = ""
    if rest and rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    plural, name = (*rest, "", "")[:2]
    return "/".join([*root, plural]), namespace, name


def discovered(path: str) -> dict[str, Any] | None:
    """What discovery says at a path; None if the path is none of it."""
    groups = [api for api in RESOURCES if "/" in api]
    if path == "/version":
        return {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        named = [{"name": api.partition("/")[0], "versions": [{"groupVersion": api, "version": api.partition("/")[2]}]} for api in groups]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [each | {"preferredVersion": each["versions"][0]} for each in named]}
    api = path.removeprefix("/apis/").removeprefix("/api/")
    if api not in RESOURCES:
        return None
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    resources = [
        {"name": plural, "singularName": kind.lower(), "namespaced": kind != "Namespace", "kind": kind, "verbs": verbs}
        for kind, plural in RESOURCES[api].items()
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api, "resources": resources}


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": message}
