"""Writes down what the version that is released now keeps to, for those that come: its contract, and the schemas that its code knows.

    python deploy/check/release.py     # when a version is released, in the commit that is tagged

`make check` holds the contract to it (contract.py), and tests/integration/test_schemas.py the tables: services of this version and of the
next one work with each other, and on one database.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from contract import RELEASED, ROOT, describe

from genlevel._version import __version__
from genlevel.cli.migrate import schemas


def main() -> None:
    """Replaces what was written down of the version before."""
    RELEASED.mkdir(exist_ok=True)
    describe(ROOT / "proto", RELEASED / "contract.binpb", source=False)
    heads = {schema.room: schema.head for schema in schemas("postgresql:///all")}
    written = yaml.safe_dump({"version": __version__, "schemas": heads}, sort_keys=False)
    Path(RELEASED / "schemas.yaml").write_text(f"# Written by deploy/check/release.py.\n{written}", "utf-8")


if __name__ == "__main__":
    main()
