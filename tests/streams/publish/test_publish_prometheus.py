"""The source of exporters, over HTTP: what hangs, lies, restarts and vanishes is named, and keeps nothing else back."""

from __future__ import annotations

import asyncio
import gzip
import time
from pathlib import Path
from typing import Any

import pytest

from models.errors import ConfigurationError, Unavailable
from streams.publish.measures import Sampled
from streams.publish.options import SourceOptions
from streams.publish.sources.prometheus import source_of
from tests.exporter import Exporter, Page, answer_of, exporter
from tests.publish_builders import options, run, target

H100 = answer_of("dcgm-h100")


def sampled(asked: SourceOptions, times: int = 1) -> Sampled:
    """The last of so many samples of one source."""

    async def story() -> Sampled:
        source = source_of(asked)
        try:
            for _ in range(times - 1):
                await source.sample()
            return await source.sample()
        finally:
            await source.close()

    return run(story)


def failures(asked: SourceOptions) -> list[str]:
    return [f"{failure.endpoint}: {failure.why}" for failure in sampled(asked).failures]


def test_a_node_is_what_its_exporter_says() -> None:
    before = time.time() * 1000
    with exporter(metrics=H100) as running:
        said = sampled(options(target(running.url())))

    (node,) = said.nodes
    assert said.failures == ()
    assert (node.component.identity.node, node.component.type, node.component.installed) == ("n1", "h100-sxm", 4)
    assert [one.temperature_celsius for one in node.accelerators] == [44, 45, 46, 47]
    assert before - 1 <= node.at <= time.time() * 1000


def test_discovering_finds_the_nodes_that_answer() -> None:
    async def story(running: Exporter) -> list[str]:
        source = source_of(options(target(running.url()), target(running.url("/none"), "n2")))
        try:
            return [component.identity.node for component in await source.discover()]
        finally:
            await source.close()

    with exporter(metrics=H100) as running:
        assert run(lambda: story(running)) == ["n1"]


def test_discovering_nothing_is_an_error_with_a_way_out() -> None:
    async def story(running: Exporter) -> None:
        source = source_of(options(target(running.url("/none"))))
        try:
            await source.discover()
        finally:
            await source.close()

    with exporter() as running, pytest.raises(Unavailable, match=r"/none \(n1\): 404 Not Found\. See that"):
        run(lambda: story(running))


def test_discovering_says_what_the_user_must_say() -> None:
    async def story(running: Exporter) -> None:
        source = source_of(options(target(running.url())))
        try:
            await source.discover()
        finally:
            await source.close()

    with exporter(metrics=answer_of("gaudi3")) as running, pytest.raises(ConfigurationError, match="targets: n1: type"):
        run(lambda: story(running))


BAD = {
    "hangs": (Page(hangs=True), "no answer within 0.5 s"),
    "drips": (Page(drips=True), "no answer within 0.5 s"),
    "broken": (Page(status=500), "500 Internal Server Error"),
    "page": (Page(b"<html>Sign in</html>", headers={"Content-Type": "text/html"}), "a page for browsers"),
    "garbage": (Page(b'DCGM_FI_DEV_GPU_TEMP{gpu="0" 41\n'), "not of its format"),
    "binary": (Page(bytes(range(256))), "not UTF-8"),
    "empty": (Page(b""), "none of the metrics of dcgm"),
    "cut": (Page(H100.body, cut=True), "RemoteProtocolError"),
    "elsewhere": (
        Page(status=302, headers={"Location": "http://admin:secret@127.0.0.1:1/x?key=secret"}),
        "it sends to http://127.0.0.1:1/x, which is not followed",
    ),
    "large": (Page(b"# " + b"x" * 200_000), "larger than 100000 bytes"),
    "bomb": (Page(gzip.compress(b"#" * 50_000_000), headers={"Content-Encoding": "gzip"}), "larger than 100000 bytes"),
    "notgzip": (Page(b"plain", headers={"Content-Encoding": "gzip"}), "cannot be unpacked"),
    "halfgzip": (Page(gzip.compress(H100.body)[:-9], headers={"Content-Encoding": "gzip"}), "ends before its end"),
    "brotli": (Page(b"?", headers={"Content-Encoding": "br"}), "encoded as 'br'"),
}


def test_what_fails_is_named_and_keeps_the_others_not_back() -> None:
    with exporter(good=H100, **{name: page for name, (page, _) in BAD.items()}) as running:
        bad = [target(running.url(f"/{name}"), name) for name in BAD]
        asked = options(
            target(running.url("/good"), "good"), *bad, timeout_seconds=0.5, extra={"largest_answer_bytes": 100_000}
        )
        said = sampled(asked)

    assert [node.component.identity.node for node in said.nodes] == ["good"]
    why = {failure.endpoint.rpartition("(")[2].rstrip(")"): failure.why for failure in said.failures}
    assert why.keys() == BAD.keys()
    for name, (_, expected) in BAD.items():
        assert expected in why[name], name
    assert not any("secret" in said for said in why.values())


def test_those_that_hang_leave_time_for_all_others_however_few_are_asked_at_a_time() -> None:
    with exporter(good=H100, hangs=Page(hangs=True)) as running:
        hanging = [target(running.url("/hangs"), f"h{number}") for number in range(6)]
        good = [target(running.url("/good"), f"g{number}") for number in range(3)]
        began = time.monotonic()
        said = sampled(options(*hanging, *good, timeout_seconds=2.0, extra={"concurrency": 3}))

    assert len(said.nodes) == 3
    assert len(said.failures) == 6
    assert time.monotonic() - began < 5


def test_an_exporter_may_restart_at_any_time() -> None:
    async def story(running: Exporter) -> tuple[Sampled, Sampled, Sampled]:
        source = source_of(options(target(running.url())))
        try:
            before = await source.sample()
            await asyncio.to_thread(running.stop)
            away = await source.sample()
            running.pages["/metrics"] = Page(H100.body.replace(b" 1234567890123\n", b" 0\n"))
            await asyncio.to_thread(running.start)
            return before, away, await source.sample()
        finally:
            await source.close()

    with exporter(metrics=H100) as running:
        before, away, after = run(lambda: story(running))

    assert (len(before.nodes), before.failures) == (1, ())
    assert away.nodes == ()
    assert "ConnectError" in away.failures[0].why
    assert after.failures == ()
    assert after.nodes[0].accelerators[0].energy_joules == 0


def test_connections_are_kept_from_sample_to_sample() -> None:
    with exporter(metrics=H100) as running:
        sampled(options(target(running.url())), times=3)

    assert (len(running.asked), len(running.connections)) == (3, 1)


def test_answers_may_be_packed() -> None:
    packed = Page(gzip.compress(H100.body), headers={"Content-Encoding": "gzip"})
    with exporter(metrics=packed) as running:
        assert len(sampled(options(target(running.url()))).nodes) == 1

    assert running.asked[0][1]["Accept-Encoding"] == "gzip"


def test_two_exporters_may_speak_of_one_node() -> None:
    with exporter(gpus=H100, bmc=Page(b"ipmi_dcmi_power_consumption_watts 6851\n")) as running:
        asked = options(target(running.url("/gpus")), extra={"beside": {"n1": [running.url("/bmc")]}})
        (node,) = sampled(asked).nodes
        running.pages["/gpus"] = Page(status=503)
        alone = sampled(asked)

    assert (node.power_watts, len(node.accelerators), node.component.installed) == (6851, 4, 4)
    assert "no exporter speaks of its accelerators" in alone.failures[1].why


def test_a_node_stays_known_while_the_exporter_of_its_accelerators_is_away() -> None:
    async def story(running: Exporter) -> Sampled:
        source = source_of(options(target(running.url("/gpus")), extra={"beside": {"n1": [running.url("/bmc")]}}))
        try:
            await source.sample()
            running.pages["/gpus"] = Page(status=503)
            return await source.sample()
        finally:
            await source.close()

    with exporter(gpus=H100, bmc=Page(b"ipmi_dcmi_power_consumption_watts 6851\n")) as running:
        said = run(lambda: story(running))

    (node,) = said.nodes
    assert (node.power_watts, node.accelerators, node.component.installed) == (6851, (), 4)
    assert [failure.why for failure in said.failures] == ["503 Service Unavailable"]


def test_two_exporters_that_both_speak_of_a_nodes_accelerators_are_a_named_failure() -> None:
    with exporter(a=H100, b=H100) as running:
        said = sampled(options(target(running.url("/a")), extra={"beside": {"n1": [running.url("/b")]}}))

    assert said.nodes == ()
    assert said.failures[0].why.startswith("several exporters speak of its accelerators")


def test_a_password_and_a_token_come_from_files_and_are_read_anew(tmp_path: Path) -> None:
    password, token = tmp_path / "password", tmp_path / "token"
    password.write_text("first\n")

    async def story(running: Exporter) -> None:
        source = source_of(options(target(running.url()), user="scraper", password_file=password))
        try:
            await source.sample()
            password.write_text("second\n")
            await source.sample()
            password.unlink()
            said = await source.sample()
        finally:
            await source.close()
        assert "a readable file" in said.failures[0].why

    with exporter(metrics=H100) as running:
        run(lambda: story(running))
        token.write_text("t-1")
        sampled(options(target(running.url()), extra={"token_file": str(token)}))

    assert [headers["Authorization"] for _, headers in running.asked] == [
        "Basic c2NyYXBlcjpmaXJzdA==",
        "Basic c2NyYXBlcjpzZWNvbmQ=",
        "Bearer t-1",
    ]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        pytest.param({"extra": {"map": "tpu"}}, "map is 'tpu'; expected one of dcgm", id="unknown-map"),
        pytest.param({"extra": {"mpa": "dcgm"}}, r"options\.mpa is 'dcgm'", id="unknown-option"),
        pytest.param({"extra": {"concurrency": 0}}, r"options\.concurrency is 0", id="no-concurrency"),
        pytest.param({"extra": {"map": "amd"}, "field_map": Path("x")}, r"options\.map is 'amd'", id="two-maps"),
        pytest.param(
            {"extra": {"beside": {"n2": []}}}, r"options\.beside is 'n2'; expected one of n1", id="beside-nobody"
        ),
        pytest.param({"extra": {"token_file": "/none/token"}}, "a readable file", id="no-token-file"),
        pytest.param({"ca_file": Path("/none/ca.pem")}, r"ca_file is '/none/ca.pem'", id="no-ca-file"),
        pytest.param({"ca_file": Path(__file__)}, "no certificates in it", id="no-certificates"),
    ],
)
def test_a_wrong_option_is_named(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        source_of(options(target("http://127.0.0.1:1/metrics"), **said))


def test_a_meter_that_is_no_node_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="targets: pdu-a: meter is 'pdu-a'; expected a node"):
        source_of(options(target("http://127.0.0.1:1/metrics", "pdu-a", meter=True)))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param(None, "url is None", id="none"),
        pytest.param("ftp://host/metrics", "url is 'ftp://host'", id="scheme"),
        pytest.param("host:9400", "expected http://host:port/path", id="no-scheme"),
        pytest.param("http://u:secret@host/metrics", "no user or password", id="password"),
        pytest.param("http://host/metrics#x", "expected http://host:port/path", id="fragment"),
    ],
)
def test_an_address_that_cannot_be_asked_is_refused_without_its_secrets(url: str | None, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as error:
        source_of(options(target(url)))

    assert "secret" not in str(error.value)
