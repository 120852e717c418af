"""Result files of the long batteries: what was checked, on how many inputs, with which outcome and commit.

It must not know what any figure means.
"""

from __future__ import annotations

import datetime
import json
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from exhaustive.tool import ROOT, call, program

FOLDER = ROOT / "docs" / "results"

Record = dict[str, Any]


def provenance(*sources: str) -> Record:
    """Return the commit, and whether these paths were changed since; to be asked before anything is built."""
    git = program("git")
    return {
        "commit": call(git, "-C", ROOT, "rev-parse", "HEAD").strip(),
        "changed_since": bool(call(git, "-C", ROOT, "status", "--porcelain", "--", *sources).strip()),
        "date": datetime.date.today().isoformat(),
        "machine": platform.machine(),
    }


def shown(records: Iterable[Record]) -> list[Record]:
    """Return the records as a list, each said on stderr as it comes."""
    kept = []
    for record in records:
        words = [str(record.get(key, "")) for key in ("check", "law", "dtype", "set", "name")]
        outcome = "FAILED " + ", ".join(record["failed"]) if record["failed"] else "ok"
        said = record.get("said", "")
        sys.stderr.write(
            f"  {' '.join(filter(None, words))}: {record['inputs']:,} inputs, {outcome} {said}\n"
        )
        sys.stderr.flush()
        kept.append(record)
    return kept


def write(path: Path, title: str, head: Record, records: list[Record]) -> bool:
    """Write one result file; return whether every check of it held."""
    failed = sorted({name for record in records for name in record["failed"]})
    body = {
        "title": title,
        **head,
        "inputs": sum(int(record["inputs"]) for record in records),
        "seconds": round(sum(float(record.get("seconds", 0.0)) for record in records), 1),
        "failed": failed,
        "records": records,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body, indent=1) + "\n")
    return not failed
