"""Random faults under load, reproducible by their seed; `make soak`.

python -m tests.faults --faults 100 --seed 1 --rate 20000
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import orjson

from tests.faults.soak import soaked
from tests.servers import CACHE


def main() -> int:
    """Run it, say what came of it, and tell by the exit code whether all was well."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--faults", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--rate", type=int, default=20_000, help="readings a second")
    options.add_argument(
        "--outages", action="store_true", help="then Kafka is away for 2 minutes, and the database for 10"
    )
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    options.add_argument("--folder", type=Path, help="for data and logs, and keep them")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="fleettwin-soak-") as temporary:
        folder = chosen.folder or Path(temporary)
        result = soaked(
            chosen.faults,
            chosen.seed,
            chosen.rate,
            folder,
            CACHE,
            lambda line: print(line, flush=True),
            outages=chosen.outages,
        )
    report = result.report()
    if chosen.json is not None:
        chosen.json.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n")
    for name, value in report.items():
        if name not in ("done", "outages", "restarts"):
            print(f"{name:<25} {value}")
    return int(bool(result.lost or result.duplicated or result.different))


if __name__ == "__main__":
    sys.exit(main())
