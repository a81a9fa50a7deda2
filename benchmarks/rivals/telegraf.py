"""Telegraf: a pipe from Kafka to PostgreSQL that many run. It is compared with our twin and store together.

It writes a row for each reading and does nothing else: no latest words, no sums, no second look at what it takes. Ours
write a row of each node every ten seconds and a row of each site every second, with all that they have computed.
Telegraf has no wheel and no package, but Go builds it from its module, with these plugins alone, in some minutes; that
is done once, by `python -m benchmarks.rivals.telegraf`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from psycopg import sql

from benchmarks.ending import ended
from benchmarks.rivals.readings import SINGLES
from benchmarks.rivals.rival import Rival
from benchmarks.rivals.sums import SiteSum, Sums
from benchmarks.stage import Stage
from infra.settings import read_settings
from infra.timescale.connection import connect
from models.errors import Unavailable

NAME = "telegraf"
VERSION = "1.37.2"
MODULE = f"github.com/influxdata/telegraf/cmd/telegraf@v{VERSION}"
PLUGINS = ("inputs.kafka_consumer", "outputs.postgresql", "parsers.json_v2")
CONFIGURATION = Path(__file__).parent / "programs" / "telegraf.conf"


def main() -> None:
    print(f"{build(read_settings().stack.home)} is there")


def binary(home: Path) -> Path:
    """Where it is, once it has been built."""
    return home.absolute() / "benchmark" / f"telegraf-{VERSION}" / "telegraf"


def build(home: Path) -> Path:
    """Build it, unless it is there; ends the program with a line where that cannot be done."""
    there = binary(home)
    if there.exists():
        return there
    go = shutil.which("go")
    if go is None:
        sys.exit("Telegraf is built by Go, and there is no `go` on the path")
    there.parent.mkdir(parents=True, exist_ok=True)
    tags = ",".join(["custom", *PLUGINS])
    print(f"building Telegraf {VERSION}: some minutes, once", flush=True)
    line = [go, "install", "-trimpath", "-tags", tags, "-ldflags", "-s -w", MODULE]
    ran = subprocess.run(line, env={**os.environ, "GOBIN": str(there.parent)}, check=False)
    if ran.returncode:
        sys.exit(f"go install ended with {ran.returncode}")
    return there


def built(home: Path) -> Path:
    """Where it is.

    Raises:
        Unavailable: it has not been built.
    """
    there = binary(home)
    if not there.exists():
        raise Unavailable("Telegraf", "it has not been built", "Run `python -m benchmarks.rivals.telegraf` once")
    return there


def line(stage: Stage) -> Sequence[str | Path]:
    """With the configuration beside this module.

    Raises:
        Unavailable: it has not been built.
    """
    return [built(stage.settings.stack.home), "--config", CONFIGURATION]


def sums(stage: Stage) -> Sums:
    """Added up from its rows by the database; each node has one in each second."""
    asked = sql.SQL(
        "select site, (ceil(extract(epoch from time)) * 1000)::bigint as tick, count(distinct node),"
        " sum(round(power_watts * 1000))::bigint from {}.readings group by site, tick"
    ).format(sql.Identifier(stage.settings.database.schema_name))
    with connect(stage.database_url, "benchmark") as owner:
        return {(site, tick): SiteSum(nodes, total) for site, tick, nodes, total in owner.execute(asked)}


RIVAL = Rival(NAME, SINGLES, line, sums)

if __name__ == "__main__":
    ended(main, "benchmarks.rivals.telegraf")
