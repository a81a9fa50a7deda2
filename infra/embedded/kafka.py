"""One Kafka broker in KRaft mode on loopback, formatted on first use."""

from __future__ import annotations

import base64
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from infra.embedded import ports, process, tools
from models.errors import Unavailable

LARGEST_MESSAGE_BYTES: Final = 4 * 1024 * 1024
_LOGGING: Final = Path(__file__).with_name("log4j2.xml")
_QUICK_JVM: Final = ("-Xshare:auto", "-XX:+UseSerialGC")
"""A shared class archive if it fits, and the collector that suits half a gigabyte on two cores."""
_ARCHIVE_SECONDS: Final = 60.0
"""For a broker to answer, and again for its JVM to write what it has loaded; some seconds on two busy cores."""


@dataclass(frozen=True, slots=True)
class Kafka:
    """How to run one broker.

    Args:
        java: The Java to run it with.
        libraries: The folder of its jars.
        folder: Where its settings and data lie.
        log: Where its words go.
        port: Where clients reach it.
        controller_port: Where it reaches itself.
        further: Properties beside the usual ones, or instead of them.
        classes: What `archive_classes` made for this Java and these libraries.
    """

    title: ClassVar[str] = "Apache Kafka"
    end_steps: ClassVar[process.EndSteps] = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))

    java: str
    libraries: Path
    folder: Path
    log: Path
    port: int
    controller_port: int
    further: Mapping[str, str] = field(default_factory=dict, hash=False)
    classes: Path | None = None

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` for clients."""
        return f"{ports.HOST}:{self.port}"

    def prepare(self) -> None:
        """Write the settings, and format the data folder unless that has been done to the end before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{name}={value}" for name, value in {**self._properties(), **self.further}.items()]
        self._settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
        formatted = self.folder / "formatted"
        if formatted.is_file():
            return
        if self._log_folder.exists():
            shutil.rmtree(self._log_folder)
        command = [
            *self._jvm("-Xmx128m", "-XX:TieredStopAtLevel=1"),
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
        ]
        command += ["--cluster-id", _cluster_id(), "--config", str(self._settings)]
        log = self.log.with_name("kafka-format.log")
        log.unlink(missing_ok=True)
        tools.run_logged(process.tied(command, signal.SIGKILL), log, "formatting Kafka's data folder")
        formatted.touch()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the broker; if this process ends suddenly it shuts down by itself.

        Killed instead, its next start would take three seconds more, in which its controller waits for the old session.
        """
        return process.start(self._broker(), self.log, signal.SIGTERM)

    def archive_classes(self, file: Path) -> None:
        """Run the prepared broker until it answers, and have its JVM archive the classes it has loaded (JEP 350).

        A start with them takes half the CPU time. A Java without such archives leaves no file.

        Raises:
            Unavailable: if the broker stopped or did not answer, quoting its log.
        """
        archive = ("-XX:+IgnoreUnrecognizedVMOptions", f"-XX:ArchiveClassesAtExit={file}")
        child = process.start(self._broker(*archive), self.log, signal.SIGKILL)
        try:
            ready = process.await_condition(lambda: child.poll() is not None or self.answers(), _ARCHIVE_SECONDS)
            answered = ready and child.poll() is None
        finally:
            child.terminate()
            if not process.await_condition(lambda: child.poll() is not None, _ARCHIVE_SECONDS):
                child.kill()
            child.wait()
        if not answered:
            way_out = f"The whole log is {self.log}; the same command tries again."
            raise Unavailable(self.title, process.last_lines(self.log), way_out)

    def answers(self) -> bool:
        """True once a metadata request names the broker."""
        if not ports.answers(self.port):
            return False
        from kafka import KafkaAdminClient  # noqa: PLC0415 - costs a quarter second that `stack status` need not pay
        from kafka.errors import KafkaError  # noqa: PLC0415

        try:
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap_servers, request_timeout_ms=5000)
        except KafkaError:
            return False
        try:
            return bool(admin.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            admin.close()

    def settle(self) -> None:
        """Nothing is left to do on a broker that answers."""

    def end_leftover(self) -> None:
        """Nothing to look for: brokers are known by their process, and their lock goes with it."""

    @property
    def _settings(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _log_folder(self) -> Path:
        return self.folder / "log"

    def _broker(self, *options: str) -> list[str]:
        return [*self._jvm("-Xms128m", "-Xmx512m", *options), "kafka.Kafka", str(self._settings)]

    def _jvm(self, *options: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={_LOGGING}"
        classes = [f"-XX:SharedArchiveFile={self.classes}"] if self.classes else []
        jvm = [self.java, *_QUICK_JVM, *classes, *options, "-Djava.awt.headless=true", logging]
        return [*jvm, "-cp", f"{self.libraries}/*"]

    def _properties(self) -> dict[str, str | int]:
        controller = f"{ports.HOST}:{self.controller_port}"
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.bootstrap.servers": controller,
            "listeners": f"PLAINTEXT://{self.bootstrap_servers},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap_servers},CONTROLLER://{controller}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self._log_folder),
            "auto.create.topics.enable": "false",
            "num.partitions": 1,
            "default.replication.factor": 1,
            "min.insync.replicas": 1,
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 2,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 2,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "broker.session.timeout.ms": 3000,  # for so long a broker that was killed is not let in again
            "broker.heartbeat.interval.ms": 500,
            "group.initial.rebalance.delay.ms": 0,
            "message.max.bytes": LARGEST_MESSAGE_BYTES,
            "replica.fetch.max.bytes": LARGEST_MESSAGE_BYTES,
            "log.retention.check.interval.ms": 60_000,
            "log.cleaner.dedupe.buffer.size": 32 * 1024 * 1024,  # the default takes a quarter of our heap
            "num.network.threads": 2,
            "num.io.threads": 4,
            "background.threads": 4,
        }


def _cluster_id() -> str:
    """16 bytes in Kafka's own base64; it may not begin like an option."""
    return "K" + base64.urlsafe_b64encode(secrets.token_bytes(16)).decode()[1:22]
