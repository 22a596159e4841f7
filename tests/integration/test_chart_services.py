"""The services run as the Helm chart's pods would: with its configuration, Secrets and commands, encrypted, asked by its probes."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import trustme
import yaml

from tests.deploy.chart_room import checks, containers_of, pod_of
from tests.integration.serving import wait_until_ready
from tests.ports import free_ports

if TYPE_CHECKING:
    from tests.integration.conftest import Command, Program

pytestmark = [pytest.mark.full, pytest.mark.slow, pytest.mark.own_auth("the chart says who may call")]

HTTP = {"gateway": 7411, "scorer": 7413, "evaluator": 7412}
PORTS = (7400, 7401, 7402, 7403, 7411, 7412, 7413)


class Pods:
    """What the chart renders, with its files below a folder, its names of hosts as localhost, and its ports as free ones."""

    def __init__(self, folder: Path) -> None:
        charts, _ = checks()
        values = charts.value_sets()["mtls"]
        values["storage"] = {}
        values["evaluator"] = {"replicas": 1}
        values |= {"postgresql": {"enabled": False}, "nats": {"enabled": False}, "auth": {"metrics": "open"}}
        self.documents = [each.document for each in charts.render(values)]
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.folder = folder
        authority = trustme.CA()
        names = self.named("Certificate", "genlevel-tls")["spec"]["dnsNames"]
        pair = authority.issue_cert(*names)
        data = {
            "tls.crt": pair.cert_chain_pems[0].bytes().decode(),
            "tls.key": pair.private_key_pem.bytes().decode(),
            "ca.crt": authority.cert_pem.bytes().decode(),
        }
        self.secrets = {name: data for name in ("genlevel-tls", "genlevel-web-tls")}

    def named(self, kind: str, name: str) -> dict[str, Any]:
        (found,) = (each for each in self.documents if (each["kind"], each["metadata"]["name"]) == (kind, name))
        return found

    def mount(self, pod: dict[str, Any], container: dict[str, Any]) -> tuple[Path, list[str]]:
        """Writes what a container mounts. Returns its root folder, and its arguments."""
        root = self.folder / container["name"]
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        for mount in container["volumeMounts"]:
            place = root / mount["mountPath"].lstrip("/")
            place.mkdir(parents=True, exist_ok=True)
            for name, text in self._files(volumes[mount["name"]]).items():
                (place / name).write_text(self._here(text, root), "utf-8")
        return root, container["args"]

    def _files(self, volume: dict[str, Any]) -> dict[str, str]:
        if "configMap" in volume:
            found: dict[str, str] = self.named("ConfigMap", volume["configMap"]["name"])["data"]
            return found
        if "secret" not in volume:
            return {}
        name = volume["secret"]["secretName"]
        if name in self.secrets:
            return self.secrets[name]
        return {key: base64.b64decode(value).decode() for key, value in self.named("Secret", name)["data"].items()}

    def _here(self, text: str, root: Path) -> str:
        for number, free in self.ports.items():
            text = text.replace(f"0.0.0.0:{number}", f"127.0.0.1:{free}").replace(f":{number}", f":{free}")
        for part in ("gateway", "evaluator", "scorer"):
            text = text.replace(f"genlevel-{part}:", "localhost:")
        return text.replace("/etc/", f"{root}/etc/")

    def start(self, genlevel: Command, part: str) -> Program:
        pod = pod_of(self.named("Deployment", f"genlevel-{part}"))
        assert pod is not None
        (container,) = pod["spec"]["containers"]
        root, arguments = self.mount(pod, container)
        keeps = () if part == "web" else ("--out", f"{root}/data")
        return genlevel.start("--config", f"{root}/etc/genlevel/genlevel.yaml", *arguments, *keeps)

    def probe(self, part: str, probe: str) -> int:
        """What the kubelet gets, which shows no certificate and looks at none."""
        (container,) = self.named("Deployment", f"genlevel-{part}")["spec"]["template"]["spec"]["containers"]
        asked = container[probe]["httpGet"]
        (port,) = (each["containerPort"] for each in container["ports"] if each["name"] == asked["port"])
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        address = f"{asked.get('scheme', 'HTTP').lower()}://127.0.0.1:{self.ports[port]}{asked['path']}"
        try:
            with urllib.request.build_opener(*handlers).open(address, timeout=30) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code

    def answers(self, part: str, probe: str) -> bool:
        try:
            return self.probe(part, probe) == 200
        except OSError:
            return False


def test_the_chart_s_services_are_ready_for_its_probes_its_test_and_nobody_without_a_certificate(genlevel: Command, tmp_path: Path) -> None:
    pods = Pods(tmp_path)
    with contextlib.ExitStack() as stack:
        processes = {part: pods.start(genlevel, part) for part in HTTP}
        for part, process in processes.items():
            stack.callback(process.communicate)
            stack.callback(process.kill)
            wait_until_ready(process, pods.ports[HTTP[part]])
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert pods.probe(part, probe) == 200, (part, probe)
        with pytest.raises(grpc.FutureTimeoutError):
            grpc.channel_ready_future(grpc.insecure_channel(f"127.0.0.1:{pods.ports[7401]}")).result(timeout=1)

        test = pods.named("Pod", "genlevel-test")
        (doctor,) = containers_of(test)
        root, arguments = pods.mount(test, doctor)
        said = genlevel.run("--config", f"{root}/etc/genlevel/genlevel.yaml", *arguments, "--json")
        findings = {each["what"]: each for each in json.loads(said.stdout)}
        assert said.returncode == 0, said.stdout
        assert [findings[f"addresses.{part}"]["state"] for part in ("gateway", "evaluator", "scorer")] == ["ok"] * 3


def test_the_chart_s_pages_answer_its_probes_encrypted(genlevel: Command, tmp_path: Path) -> None:
    pods = Pods(tmp_path)
    process = pods.start(genlevel, "web")
    try:
        while not pods.answers("web", "livenessProbe"):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        assert pods.probe("web", "startupProbe") == 200
    finally:
        process.kill()
        process.communicate()
    assert yaml.safe_load((tmp_path / "web/etc/genlevel/genlevel.yaml").read_text("utf-8"))["web"]["tls"]
