"""Checks the Helm chart with Helm itself over several sets of values, and what it makes with schemas of Kubernetes and custom resources.

    python deploy/check/chart.py [--write]

Copies in the chart (rules, dashboards), the manifests without Helm in deploy/kubernetes and the table of values in docs/kubernetes.md
have to be current; --write makes them so.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from charts import CHART, NAMESPACE, ROOT, Rendered, described, paths, render, value_sets

KUBERNETES = ("1.34", "1.37")
PAGE = ROOT / "docs/kubernetes.md"
BASE = ROOT / "deploy/kubernetes/base"
_BEGIN, _END = "<!-- values: made by deploy/check/chart.py --write -->\n", "<!-- end of values -->\n"
_HEADER = "# Made of deploy/helm/genlevel by deploy/check/chart.py --write; change the chart, and then run that.\n"
_COPIES = {
    CHART / "files/rules.yml": ROOT / "deploy/prometheus/rules.yml",
    CHART / "files/monitors.yml": ROOT / "deploy/prometheus/monitors.yml",
}
_OF_HELM = {"app.kubernetes.io/managed-by", "helm.sh/chart", "helm.sh/resource-policy", "checksum/config"}


def main(arguments: list[str]) -> int:
    """Returns the process's exit code: 0 if the chart and what is made of it are right."""
    files = made()
    if "--write" in arguments:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        for file in _surplus(files):
            file.unlink()
        return 0
    problems = [f"{file.relative_to(ROOT)} is not current" for file, text in files.items() if _text(file) != text]
    problems += [f"{file.relative_to(ROOT)} is made by nothing" for file in _surplus(files)]
    if problems:
        problems.append("run python deploy/check/chart.py --write")
    for name, values in value_sets().items():
        problems += [f"{name}: {problem}" for problem in problems_of(values)]
    print("\n".join(problems) or f"{len(value_sets())} sets of values render, and are valid for Kubernetes {' and '.join(KUBERNETES)}")
    return 1 if problems else 0


def problems_of(values: dict[str, object]) -> list[str]:
    """What Helm and the schemas say against the chart with these values."""
    import helm_python

    linted = [
        said
        for version in KUBERNETES
        for said in helm_python.lint(CHART, values, strict=True, namespace=NAMESPACE, kube_version=f"v{version}.0")["errors"]
    ]
    if linted:
        return [f"helm lint: {said}" for said in dict.fromkeys(linted)]
    return [f"{each.source}, {each.kind} {each.name}: {said}" for each in render(values) for said in invalid(each)]


def invalid(rendered: Rendered) -> Iterator[str]:
    """What the schemas say against an object: nothing if it is valid."""
    from kubernetes_validate import utils

    if (model := _custom_models().get((str(rendered.document["apiVersion"]), rendered.kind))) is not None:
        from pydantic import ValidationError

        try:
            known = model.model_validate(rendered.document).model_dump(by_alias=True, exclude_unset=True, mode="json")  # type: ignore[attr-defined]
        except ValidationError as error:
            yield from (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        else:
            # The models take fields that they do not know, and forget them.
            yield from (f"{path}: the schema does not know it" for path in paths(rendered.document) if path not in paths(known))
        return
    utils.schema_contents = _schema_contents()
    for version in KUBERNETES:
        try:
            utils.validate(rendered.document, version, strict=True)
        except (utils.ValidationError, utils.SchemaNotFoundError) as error:
            yield f"Kubernetes {version}: {error.message}"


@functools.cache
def _schema_contents() -> object:
    """The library's own, but each schema is read once."""
    from kubernetes_validate import utils

    return functools.cache(utils.schema_contents)


@functools.cache
def _custom_models() -> dict[tuple[str, str], object]:
    from cloudcoil.models.cert_manager import v1 as cert_manager
    from cloudcoil.models.keda import v1alpha1
    from cloudcoil.models.prometheus_operator import v1

    return {
        ("cert-manager.io/v1", "Certificate"): cert_manager.Certificate,
        ("keda.sh/v1alpha1", "ScaledObject"): v1alpha1.ScaledObject,
        ("monitoring.coreos.com/v1", "PodMonitor"): v1.PodMonitor,
        ("monitoring.coreos.com/v1", "PrometheusRule"): v1.PrometheusRule,
        ("monitoring.coreos.com/v1", "ServiceMonitor"): v1.ServiceMonitor,
    }


def made() -> dict[Path, str]:
    """Every file that is made of others, and what it should say."""
    dashboards = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
    copies = _COPIES | {CHART / "files/dashboards" / file.name: file for file in dashboards}
    return {copy: _text(file) for copy, file in copies.items()} | _manifests() | {PAGE: _page()}


def _surplus(files: dict[Path, str]) -> list[Path]:
    """Files beside those that are made, which nothing makes any more."""
    there = [*(CHART / "files").rglob("*"), *BASE.iterdir()]
    return [file for file in there if file.is_file() and file not in files and file.name != "kustomization.yaml"]


def _manifests() -> dict[Path, str]:
    """deploy/kubernetes/base: a file for each template that makes something, and genlevel.yaml, of which kustomize makes the ConfigMap."""
    files: dict[str, list[Rendered]] = {}
    for each in render(value_sets()["base"]):
        if each.kind == "ConfigMap" and each.name == "genlevel-config":
            settings = each.document["data"]["genlevel.yaml"]  # type: ignore[index]
        elif each.kind != "ConfigMap" and not each.source.startswith("tests/"):
            files.setdefault("account.yaml" if each.kind == "ServiceAccount" else each.source, []).append(each)
    said = {name: "---\n".join(_plain(each.document) for each in found) for name, found in files.items()}
    return {BASE / name: _HEADER + text for name, text in (said | {"genlevel.yaml": settings}).items()}


def _plain(document: dict[str, object]) -> str:
    """An object without what only Helm needs, and in no namespace of its own."""

    def without(value: object) -> object:
        if isinstance(value, list):
            return [without(each) for each in value]
        if not isinstance(value, dict):
            return value
        kept = {key: without(each) for key, each in value.items() if key not in _OF_HELM and (key, each) != ("namespace", NAMESPACE)}
        return {key: each for key, each in kept.items() if not (key == "annotations" and not each)}

    return yaml.safe_dump(without(document), sort_keys=False, width=150)


def _page() -> str:
    """docs/kubernetes.md with the table of today's values."""
    before, _, rest = _text(PAGE).partition(_BEGIN)
    _, _, after = rest.partition(_END)
    rows = [f"| `{value.path}` | `{value.default}` | {value.said} |\n" for value in described(_text(CHART / "values.yaml"))]
    return f"{before}{_BEGIN}\n| value | default | |\n|---|---|---|\n{''.join(rows)}\n{_END}{after}"


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
