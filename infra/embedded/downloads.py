"""Both servers' files, made ready at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.embedded import kafka_classes, kafka_files, progress, timescaledb, tools
from infra.embedded.cache import require_room
from infra.settings import StackSettings

ROOM_BYTES = 600_000_000
"""What both downloads need while they are unpacked, four times what stays."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the servers' programs are."""

    java: str
    kafka_libraries: Path
    kafka_classes: Path | None
    """See `Kafka.archive_classes`."""
    database_programs: Path


def files(settings: StackSettings, cache: Path) -> Files:
    """The programs of both servers, downloaded if need be, with progress on standard error.

    Raises:
        ConfigurationError: if there is no Debian mirror or keyring.
        Unavailable: if the machine does not fit, a tool is missing or a download failed.
    """
    tools.require_platform()
    cache = cache.resolve()  # a JVM takes an archive of classes only with the very path of the jars that it was made of
    has_kafka, has_database = kafka_files.present(cache), timescaledb.present(cache, settings)
    needed = ["java"] + ["mvn"] * (not has_kafka) + ["apt-get", "dpkg-deb"] * (not has_database)
    tools.require(needed)
    java = tools.java()
    kafka_log, database_log = cache / "kafka.log", cache / "timescaledb.log"
    if has_kafka and has_database:
        jars = kafka_files.libraries(cache, kafka_log, _silent)
        classes = kafka_classes.archive(cache, java, jars)
        return Files(java, jars, classes, timescaledb.programs(cache, settings, database_log, _silent))
    require_room(cache, ROOM_BYTES)
    with progress.shown() as tell, ThreadPoolExecutor(2) as pool:
        kafka, database = f"Apache Kafka {kafka_files.version()}", f"TimescaleDB (Debian {settings.debian_suite})"

        def fetch_kafka() -> tuple[Path, Path | None]:
            jars = kafka_files.libraries(cache, kafka_log, lambda step: tell(kafka, step))
            tell(kafka, "classes")
            classes = kafka_classes.archive(cache, java, jars)
            tell(kafka, "done")
            return jars, classes

        def fetch_database() -> Path:
            path = timescaledb.programs(cache, settings, database_log, lambda step: tell(database, step))
            tell(database, "done")
            return path

        fetching = pool.submit(fetch_kafka), pool.submit(fetch_database)
        return Files(java, *fetching[0].result(), fetching[1].result())


def _silent(_: str) -> None:
    """Nothing is downloaded, so there is nothing to say."""
