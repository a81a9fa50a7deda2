"""The embedded stack as users run it: by its command, and in a block."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
import pytest

from infra.embedded import ports, process
from infra.embedded.instance import Instance, Ports, State
from infra.embedded.process import ProcessMark
from infra.embedded.stack import EmbeddedStack, RunningStack, running_stack
from infra.settings import StackSettings
from models.errors import ConfigurationError, Unavailable
from tests.servers import CACHE

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

pytestmark = pytest.mark.servers
COMMAND = Path(sysconfig.get_path("scripts")) / "fleettwin"


@dataclass(frozen=True)
class Home:
    """A home of its own with the shared downloads in it."""

    folder: Path

    @property
    def settings(self) -> StackSettings:
        return StackSettings(home=self.folder)

    def instance(self, name: str = "main") -> Instance:
        return Instance.of(self.settings, name)

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FLEETTWIN_")}
        environment |= {"FLEETTWIN_STACK__HOME": str(self.folder), **variables}
        command = [str(COMMAND), "stack", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=200)

    def status(self, *arguments: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.run("status", "--json", *arguments).stdout)
        return told


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = tmp_path_factory.mktemp("home")
    (folder / "cache").symlink_to(CACHE)
    one = Home(folder)
    yield one
    for instance in (folder / "instances").iterdir():
        one.run("down", "--name", instance.name)


@pytest.fixture
def up(home: Home) -> Home:
    """The home with its main instance running; kept from test to test unless one ends it."""
    result = home.run("up")
    assert result.returncode == 0, result.stderr
    return home


def family(state: State) -> list[ProcessMark]:
    """The servers and all their own children."""
    known = [mark for mark in (state.kafka, state.database) if mark]
    pids = {mark.pid for mark in known}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (child := process.mark(int(entry.name))):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent in pids:
                known.append(child)
    return known


def scalar(url: str, query: LiteralString) -> Any:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    return row and row[0]


def test_a_started_stack_tells_where_it_is_and_answers_there(up: Home) -> None:
    told = up.status()

    url = told["database"]["url"]
    assert told == {
        "running": True,
        "name": "main",
        "kafka": {"bootstrap_servers": told["kafka"]["bootstrap_servers"], "running": True},
        "database": {"url": url, "running": True, "edition": "apache", "version": told["database"]["version"]},
    }
    assert scalar(url, "SELECT current_database()") == "fleettwin"
    extension = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
    assert scalar(url, extension) == told["database"]["version"]
    assert scalar(url, "SHOW timezone") in {"UTC", "GMT"}
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=told["kafka"]["bootstrap_servers"])
    assert [broker["broker_id"] for broker in admin.describe_cluster()["brokers"]] == [1]
    admin.close()


def test_kafka_has_its_classes_from_the_archive(up: Home) -> None:
    kafka = up.instance().read().kafka
    assert kafka is not None

    mapped = Path(f"/proc/{kafka.pid}/maps").read_text()

    assert re.search(rf"{re.escape(str(CACHE.resolve()))}/classes-\w+/classes\.jsa", mapped)


def test_the_servers_listen_on_loopback_only(up: Home) -> None:
    state = up.instance().read()
    assert state.ports

    listening = set()
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:] + Path("/proc/net/tcp6").read_text().splitlines()[1:]:
        address, _, port = row.split()[1].rpartition(":")
        if row.split()[3] == "0A" and int(port, 16) in {
            state.ports.kafka,
            state.ports.controller,
            state.ports.database,
        }:
            listening.add(address)
    assert listening <= {"0100007F", "0000000000000000FFFF00000100007F"}, "127.0.0.1, plain or mapped into IPv6"
    assert listening


def test_nobody_enters_the_database_without_the_password(up: Home) -> None:
    url = up.status()["database"]["url"]
    password = up.instance().database / "password"

    assert password.stat().st_mode & 0o777 == 0o600
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password.read_text().strip(), "guess"))


def test_the_plain_status_hides_the_password(up: Home) -> None:
    shown = up.run("status").stdout

    assert up.instance().password() not in shown
    assert "postgresql://fleettwin:***@127.0.0.1:" in shown
    assert "--json" in shown


def test_a_stack_started_twice_is_found_running(up: Home) -> None:
    first, second = up.run("up"), up.run("up")

    assert first.stdout == second.stdout
    assert "running under process" in second.stdout


def test_commands_find_the_running_instance(up: Home) -> None:
    found = running_stack(up.settings)

    told = up.status()
    assert found is not None
    assert (found.name, found.kafka, found.database_url) == (
        "main",
        told["kafka"]["bootstrap_servers"],
        told["database"]["url"],
    )
    assert running_stack(up.settings, names=("demo",)) is None


def test_the_logs_of_both_servers_are_shown(up: Home) -> None:
    both, one = up.run("logs").stdout, up.run("logs", "kafka", "--lines", "1").stdout

    assert "Kafka Server started" in both
    assert "ready to accept connections" in both
    assert len(one.splitlines()) == 2


def test_a_block_uses_a_stack_that_runs_already_and_leaves_it(up: Home) -> None:
    with EmbeddedStack(up.settings, "main") as stack:
        assert stack.attached
        assert stack.database_url == up.status()["database"]["url"]

    assert up.status()["running"]


def test_a_fresh_stack_is_refused_while_the_old_one_runs(up: Home) -> None:
    supervisor = up.instance().read().supervisor
    assert supervisor

    with (
        pytest.raises(Unavailable, match=f"process {supervisor.pid}.*stack down --name main"),
        EmbeddedStack(up.settings, "main", fresh=True),
    ):
        pass


def test_a_running_stack_is_not_reset(up: Home) -> None:
    result = up.run("reset", "--yes")

    assert result.returncode == 1
    assert "stack down --name main" in result.stderr
    assert up.status()["running"]


def test_no_server_outlives_a_killed_supervisor_and_data_does(up: Home) -> None:
    before = up.status()
    with psycopg.connect(before["database"]["url"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    state = up.instance().read()
    assert state.supervisor
    servers = family(state)
    assert len(servers) > 2

    os.kill(state.supervisor.pid, signal.SIGKILL)

    assert process.await_condition(lambda: not any(mark.alive for mark in servers), 15)
    assert not up.status()["running"]
    assert up.run("up").returncode == 0
    assert up.status() == before, "ports and password are remembered"
    assert scalar(before["database"]["url"], "SELECT answer FROM kept") == 42


def test_a_stopped_stack_leaves_no_process(up: Home) -> None:
    state = up.instance().read()
    assert state.supervisor
    everything = [state.supervisor, *family(state)]

    assert up.run("down").stdout == "stack main: stopped\n"

    assert not any(mark.alive for mark in everything)
    assert not up.status()["running"]
    assert up.run("down").stdout == "stack main: was not running\n"


def test_a_remembered_port_that_somebody_took_is_given_up(up: Home) -> None:
    up.run("down")
    before = up.instance().read().ports
    assert before

    with socket.create_server((ports.HOST, before.kafka)), socket.create_server((ports.HOST, before.controller)):
        result = up.run("up")

    after = up.instance().read().ports
    assert result.returncode == 0, result.stderr
    assert after
    assert after.kafka != before.kafka
    assert after.controller != before.controller
    assert after.database == before.database


def test_stale_files_of_processes_whose_ids_are_taken_heal(up: Home) -> None:
    up.run("down")
    instance = up.instance()
    somebody = subprocess.Popen(["sleep", "100"])
    other = ProcessMark(pid=somebody.pid, started_ticks=1)
    instance.write(State(ports=instance.read().ports, supervisor=other, kafka=other, database=other, ready=True))
    (instance.database / "cluster" / "postmaster.pid").write_text(f"{somebody.pid}\n/elsewhere\n")

    assert not up.status()["running"]
    result = up.run("up")

    assert result.returncode == 0, result.stderr
    assert somebody.poll() is None, "the innocent process lives"
    somebody.kill()
    somebody.wait()


def test_a_cut_off_state_file_heals(up: Home) -> None:
    up.run("down")
    (up.instance().folder / "state.json").write_text('{"ports": {"ka')

    assert up.run("up").returncode == 0


def test_only_the_named_instance_is_reset(home: Home) -> None:
    home.run("down")
    other = home.instance("other")
    other.folder.mkdir(parents=True)

    assert home.run("reset", "--yes").stdout == "stack main: deleted\n"

    assert not home.instance().folder.exists()
    assert other.folder.is_dir()
    assert any(CACHE.iterdir())
    assert home.run("reset", "--yes").stdout == "stack main: had no data\n"


def test_a_stack_in_a_block_ends_with_it_and_starts_afresh(home: Home) -> None:
    with EmbeddedStack(home.settings, "demo", durable=False) as stack:
        with psycopg.connect(stack.database_url) as connection:
            connection.execute("CREATE TABLE leftover (n int)")
        servers = family(home.instance("demo").read())
        assert home.status()["name"] == "demo", "the status without a name shows what runs"
        assert stack.wait_for_failure(0.01) is None

    assert not any(mark.alive for mark in servers)

    with EmbeddedStack(home.settings, "demo", fresh=True, durable=False) as stack:
        assert scalar(stack.database_url, "SELECT to_regclass('leftover')") is None
        kafka = home.instance("demo").read().kafka
        assert kafka
        os.kill(kafka.pid, signal.SIGKILL)
        assert "Apache Kafka ended" in (stack.wait_for_failure(10) or "")


def test_a_server_that_dies_while_starting_is_quoted(home: Home) -> None:
    with EmbeddedStack(home.settings, "broken", durable=False):
        pass
    cluster = home.instance("broken").database / "cluster"
    (cluster / "postgresql.conf").write_text("no_such_setting = 1\n")

    result = home.run("up", "--name", "broken")

    assert result.returncode == 1
    assert "TimescaleDB" in result.stderr
    assert "no_such_setting" in result.stderr
    assert str(home.instance("broken").log("timescaledb")) in result.stderr
    assert home.instance("broken").read().servers == ()


def test_a_fixed_port_that_is_held_names_the_setting(home: Home) -> None:
    with socket.create_server((ports.HOST, 0)) as held:
        port = held.getsockname()[1]
        result = home.run("up", "--name", "fixed", FLEETTWIN_STACK__KAFKA_PORT=str(port))

    assert result.returncode == 2
    assert f"FLEETTWIN_STACK__KAFKA_PORT is '{port}'" in result.stderr
    assert f"(process {os.getpid()})" in result.stderr


def test_a_machine_without_tools_is_told_what_to_install(tmp_path: Path) -> None:
    result = Home(tmp_path).run("up", PATH="", JAVA_HOME="")

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "java, mvn, apt-get, dpkg-deb" in result.stderr
    assert "apt-get install openjdk-17-jre-headless maven" in result.stderr
    assert "FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS" in result.stderr
    assert "docker compose" in result.stderr


def test_a_moved_cache_is_patched_again(tmp_path: Path, home: Home) -> None:
    del home  # the downloads are there
    original = next(CACHE.glob("timescaledb-*"))
    moved = tmp_path / "cache" / original.name
    subprocess.run(["cp", "-a", str(original), str(moved.parent.parent / "copy")], check=True)
    moved.parent.mkdir()
    (tmp_path / "copy").rename(moved)
    assert (moved / "patched-for").read_text() == str(original.resolve())

    from infra.embedded import timescaledb

    programs = timescaledb.programs(tmp_path / "cache", StackSettings(), tmp_path / "log", lambda _: None)

    assert programs.is_relative_to(moved)
    assert (moved / "patched-for").read_text() == str(moved)
    assert str(moved).encode() in (programs / "postgres").read_bytes()
    version = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("postgres (PostgreSQL) 17.")


def test_a_name_must_be_one() -> None:
    with pytest.raises(ConfigurationError, match=r"--name is '\.\./x'"):
        Instance.of(StackSettings(), "../x")


def test_ports_and_processes_survive_a_round_trip(tmp_path: Path) -> None:
    instance = Instance.of(StackSettings(home=tmp_path), "main")
    instance.folder.mkdir(parents=True)
    state = State(ports=Ports(kafka=1, controller=2, database=3), supervisor=process.mark(os.getpid()), ready=True)
    instance.write(state)

    assert instance.read() == state


def test_each_test_has_a_database_of_its_own(database_url: str, kafka_prefix: str) -> None:
    assert scalar(database_url, "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'") == 1
    assert kafka_prefix.endswith(".")


def test_kafka_takes_large_records_and_forms_groups_at_once(stack: RunningStack, kafka_prefix: str) -> None:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    large = os.urandom(3_000_000)
    topic = f"{kafka_prefix}large"

    async def there_and_back() -> bytes:
        admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
        await admin.start()
        await admin.create_topics([NewTopic(topic, num_partitions=3, replication_factor=1)])
        await admin.close()
        producer = AIOKafkaProducer(bootstrap_servers=stack.kafka, max_request_size=4_000_000)
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=stack.kafka, group_id=f"{kafka_prefix}group", auto_offset_reset="earliest"
        )
        async with producer, consumer:
            await producer.send_and_wait(topic, large)
            record = await asyncio.wait_for(consumer.getone(), 20)
            await consumer.commit()
            value: bytes = record.value
            return value

    assert asyncio.run(there_and_back()) == large


def test_topics_are_not_made_by_accident(kafka_admin: KafkaAdminClient, kafka_prefix: str) -> None:
    from kafka import KafkaProducer
    from kafka.errors import KafkaError

    producer = KafkaProducer(bootstrap_servers=kafka_admin.config["bootstrap_servers"], max_block_ms=500)
    with pytest.raises(KafkaError):
        producer.send(f"{kafka_prefix}absent", b"lost").get(5)
    producer.close()

    assert not [topic for topic in kafka_admin.list_topics() if topic.startswith(kafka_prefix)]
