"""Checks the wire contract: linted, without breaking changes since the last release, and its generated code current.

    python deploy/check/contract.py           # check
    python deploy/check/contract.py --write   # generate genlevel/v1 again, then check

Imported .proto files come from installed packages, so nothing is fetched: protoc makes a descriptor image, and buf judges that. That of the
last release is in deploy/check/released/ (release.py).
"""

from __future__ import annotations

import filecmp
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import google.rpc
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path("genlevel/v1")
RELEASED = ROOT / "deploy" / "check" / "released"


def main() -> int:
    """Returns the process's exit code: 0 if the contract is in order."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        generated = generate(ROOT / "proto", scratch / "generated")
        if "--write" in sys.argv[1:]:
            for file in generated:
                shutil.copyfile(file, ROOT / PACKAGE / file.name)
        stale = [file.name for file in generated if not _same(file, ROOT / PACKAGE / file.name)]
        known = {file.name for file in generated}
        orphans = [file.name for file in (ROOT / PACKAGE).glob("*_pb2*") if file.name not in known]
        for name in stale:
            print(f"{PACKAGE / name}: is not what proto/ generates; run make proto")
        for name in orphans:
            print(f"{PACKAGE / name}: has no .proto any more; delete it")
        image = describe(ROOT / "proto", scratch / "image.binpb")
        judged = [lint(image), breaking(image, RELEASED / "contract.binpb")]
    return 1 if stale or orphans or not all(judged) else 0


def generate(protos: Path, target: Path) -> list[Path]:
    """Generates Python code below ``target`` from all .proto files below ``protos``."""
    target.mkdir()
    _protoc(protos, f"--python_out={target}", f"--pyi_out={target}", f"--grpc_python_out={target}")
    return sorted((target / PACKAGE).iterdir())


def describe(protos: Path, image: Path, *, source: bool = True) -> Path:
    """Writes a descriptor set of all .proto files below ``protos`` and what they import. source: with comments and places, for messages."""
    _protoc(protos, "--include_imports", *(["--include_source_info"] if source else []), f"--descriptor_set_out={image}")
    return image


def lint(image: Path) -> bool:
    """Whether buf's lint passes with the rules of buf.yaml, other people's files aside."""
    return _buf("lint", str(image))


def breaking(image: Path, released: Path) -> bool:
    """Whether clients and servers of the last release work with those of this version."""
    return _buf("breaking", str(image), "--against", str(released))


def _protoc(protos: Path, *arguments: str) -> None:
    installed = Path(next(iter(google.rpc.__path__))).parents[1]
    files = sorted(str(file) for file in protos.rglob("*.proto"))
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", f"-I{installed}", *arguments, *files], check=True)


def _buf(*arguments: str) -> bool:
    rules = yaml.safe_load((ROOT / "buf.yaml").read_text("utf-8"))
    rules["modules"] = [{"path": "."}]
    rules["lint"]["ignore"] = rules["breaking"]["ignore"] = ["google"]
    buf = Path(sys.executable).with_name("buf")
    return subprocess.run([str(buf), *arguments, "--config", json.dumps(rules)], check=False).returncode == 0


def _same(one: Path, other: Path) -> bool:
    return other.exists() and filecmp.cmp(one, other, shallow=False)


if __name__ == "__main__":
    sys.exit(main())
