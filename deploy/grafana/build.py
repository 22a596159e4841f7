"""Says whether the dashboards are what the code here makes, or writes them.

python deploy/grafana/build.py [--write]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import results
import traffic

FOLDER = Path(__file__).resolve().parent / "dashboards"
DASHBOARDS = {"gateway": traffic.gateway, "runs": traffic.runs, "levels": results.levels, "monitors": results.monitors}


def main(arguments: list[str]) -> int:
    """Returns the process's exit code: 1 if a dashboard is not current."""
    made = {FOLDER / f"{name}.json": json.dumps(make(), indent=1, ensure_ascii=False) + "\n" for name, make in DASHBOARDS.items()}
    if "--write" in arguments:
        for file, text in made.items():
            file.write_text(text, "utf-8")
        return 0
    stale = [file.name for file, text in made.items() if not file.exists() or file.read_text("utf-8") != text]
    stale += sorted(file.name for file in FOLDER.iterdir() if file not in made)
    if stale:
        print(f"not current: {', '.join(stale)}; run python deploy/grafana/build.py --write")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
