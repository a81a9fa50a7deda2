"""What the user wants: every name complete, none guessed in silence, and every mistake told with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.publish.wishes import state_folder, wanted_of
from infra.settings import PublishSettings
from models.errors import ConfigurationError, Unavailable
from models.reading import NodeState
from streams.publish import registry
from streams.publish.configuration import TargetEntry, Wanted, read_wanted
from streams.publish.measures import Identity
from streams.publish.options import Target, password_of
from streams.publish.planning import Guessing, Plan, planned
from tests.builders import CATALOGUE
from tests.publish_fakes import options

URL = "http://gpu-7.memphis:9400/metrics"


def plan(guesses: list[str] | None = None, file: str | None = None, **said: Any) -> Plan:
    known = {"source": "prometheus", **said}
    guessing = None if guesses is None else Guessing("host-1", guesses.append)
    return planned(Wanted.model_validate(known), CATALOGUE, file, guessing)


def test_one_node_by_options_alone() -> None:
    found = plan(source="nvml", site="memphis", node="n1", rack="r1", type="h100-sxm", timeout_seconds=2)

    assert found.options.targets == (Target(Identity("memphis", "n1", "r1"), type="h100-sxm"),)
    assert (found.source, found.options.timeout_seconds, found.name) == ("nvml", 2, "nvml/memphis/n1")


def test_several_targets_with_what_all_of_them_share() -> None:
    entries = [
        {"url": "http://a:9400", "node": "a", "state": "draining", "installed": 4},
        {"url": "http://b:9400", "node": "b", "rack": "r2", "type": "b300"},
        {"url": "https://pdu", "meter": "pdu-1"},
    ]

    found = plan(site="memphis", rack="r1", type="h100-sxm", targets=entries)

    a, b, pdu = Identity("memphis", "a", "r1"), Identity("memphis", "b", "r2"), Identity("memphis", "pdu-1", "r1")
    assert found.options.targets == (
        Target(a, "http://a:9400", "h100-sxm", 4, NodeState.DRAINING),
        Target(b, "http://b:9400", "b300"),
        Target(pdu, "https://pdu", "h100-sxm", meter=True),
    )
    assert found.states == {a: NodeState.DRAINING}


MISTAKES = [
    pytest.param({"source": None}, "--source is None; expected one of simulated, file,", id="no-source"),
    pytest.param({"source": "nvlm"}, "--source is 'nvlm'; expected one of", id="an-unknown-source"),
    pytest.param({"node": "n1"}, "--site is None; expected the name of the site", id="no-site"),
    pytest.param({"site": "memphis"}, "--node is None; expected the name of the node", id="no-node"),
    pytest.param({"site": "fleet", "node": "n1"}, "--site is 'fleet'", id="the-fleets-own-name"),
    pytest.param({"site": "memphis", "node": "n\n1"}, "--node is 'n\\n1'", id="a-name-with-a-line-end"),
    pytest.param({"site": "a" * 129, "node": "n1"}, "--site is 'aaa", id="too-long-a-name"),
    pytest.param({"site": "memphis", "node": "n1", "type": "h100"}, "--type is 'h100'; expected one of a10", id="type"),
]


@pytest.mark.parametrize(("said", "message"), MISTAKES)
def test_what_is_missing_or_wrong_is_named_by_its_option(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        plan(**said)

    assert message in str(refused.value)


IN_THE_FILE = [
    pytest.param([{"url": URL}], "f.yaml: targets.0.node is None", id="no-node"),
    pytest.param([{"node": "a"}, {"node": "a"}], "targets is 'memphis/a'; expected every node", id="the-same-twice"),
    pytest.param([{"node": "a", "meter": "b"}], "f.yaml: targets.0.meter is 'b'", id="a-node-and-a-meter"),
    pytest.param([{"node": "a"}, {"node": "b", "type": "x"}], "f.yaml: targets.1.type is 'x'", id="an-unknown-type"),
]


@pytest.mark.parametrize(("targets", "message"), IN_THE_FILE)
def test_what_is_missing_or_wrong_in_a_file_is_named_by_its_place(targets: list[Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        plan(file="f.yaml", site="memphis", targets=targets)

    assert message in str(refused.value)


def test_one_name_for_several_targets_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="--node is 'n1'; expected none with 2 targets"):
        plan(site="memphis", node="n1", targets=[{"url": "a"}, {"url": "b"}])


def test_only_where_it_is_allowed_names_are_guessed_and_each_is_told() -> None:
    guesses: list[str] = []

    found = plan(guesses, targets=[{"url": URL}])

    assert found.options.targets[0].identity == Identity("unset", "gpu-7.memphis")
    assert guesses == ["guessed: --site unset", "guessed: --node gpu-7.memphis"]


@pytest.mark.parametrize(
    ("urls", "names"),
    [
        pytest.param(["http://a:9400/metrics", "http://b:9400/metrics"], ["a", "b"], id="other-hosts"),
        pytest.param(["http://u:secret@a:1/x", "http://u:secret@a:2/x"], ["a:1", "a:2"], id="other-ports"),
        pytest.param(["http://a:1/x", "http://a:1/y", "http://b:1/x"], ["a:1/x", "a:1/y", "b:1/x"], id="other-paths"),
    ],
)
def test_targets_whose_names_are_guessed_are_told_apart(urls: list[str], names: list[str]) -> None:
    found = plan([], site="memphis", targets=[{"url": url} for url in urls])

    assert [target.identity.node for target in found.options.targets] == names


def test_the_own_machine_is_guessed_by_its_name() -> None:
    guesses: list[str] = []

    found = plan(guesses, source="nvml", site="memphis")

    assert found.options.targets[0].identity == Identity("memphis", "host-1")
    assert guesses == ["guessed: --node host-1"]


def test_a_file_may_name_its_nodes_itself() -> None:
    found = plan(source="file", site="memphis", targets=[{"url": "/run/f.json"}])

    assert found.options.targets[0].identity == Identity("memphis", "")
    assert found.name == "file/memphis"


def test_a_file_says_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "publish.yaml"
    file.write_text(
        "source: redfish\nsite: memphis\ninterval_seconds: 10\nuser: monitor\npassword_file: /run/secret\n"
        "targets:\n  - {url: https://bmc-1, node: n1, type: h100-sxm}\noptions: {chassis: [Self]}\n"
    )

    wanted = read_wanted(file)

    assert (wanted.source, wanted.interval_seconds, wanted.user) == ("redfish", 10, "monitor")
    assert wanted.targets == (TargetEntry(url="https://bmc-1", node="n1", type="h100-sxm"),)
    assert planned(wanted, CATALOGUE, str(file)).options.where == f"{file}: options"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("source: [", "line 1", id="no-yaml"),
        pytest.param("site: a\nsite: b\n", "line 2 is \"key 'site' is there twice\"", id="a-key-twice"),
        pytest.param("sites: a\n", "f.yaml: sites is 'a'; expected Extra inputs", id="an-unknown-key"),
        pytest.param("targets:\n- {nod: a}\n", "f.yaml: targets.0.nod is 'a'", id="an-unknown-key-inside"),
        pytest.param("interval_seconds: 0\n", "f.yaml: interval_seconds is 0", id="no-interval"),
        pytest.param("- a\n", "f.yaml is ['a']", id="a-list"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_file_place_and_value(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "f.yaml").write_text(text)

    with pytest.raises(ConfigurationError) as refused:
        read_wanted(tmp_path / "f.yaml")

    assert message in str(refused.value)
    assert str(tmp_path / "f.yaml") in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"--config is .*none"):
        read_wanted(tmp_path / "none")


def test_options_win_over_settings_and_these_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("site: by-file\nnode: by-file\nrack: by-file\ninterval_seconds: 7\n")
    settings = PublishSettings(site="by-settings", node="by-settings", interval_seconds=8)

    wanted = wanted_of({"site": "by-option", "node": None, "targets": []}, settings, tmp_path / "f.yaml")

    assert (wanted.site, wanted.node, wanted.rack) == ("by-option", "by-settings", "by-file")
    assert (wanted.interval_seconds, wanted.timeout_seconds) == (8, 5)


def test_addresses_come_from_one_place(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("targets: [{url: a}]\n")

    assert wanted_of({"targets": ["x", "y"]}, PublishSettings(target="z"), None).targets == (
        TargetEntry(url="x"),
        TargetEntry(url="y"),
    )
    assert wanted_of({}, PublishSettings(target="z"), None).targets == (TargetEntry(url="z"),)
    with pytest.raises(ConfigurationError, match=r"--target is 'z'; expected none, since .*f\.yaml has targets"):
        wanted_of({}, PublishSettings(target="z"), tmp_path / "f.yaml")


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        pytest.param({"HOME": "/home/a"}, "/home/a/.local/state/fleettwin", id="at-home"),
        pytest.param({"HOME": "/home/a", "XDG_STATE_HOME": "/s"}, "/s/fleettwin", id="where-the-desktop-has-it"),
        pytest.param(
            {"HOME": "/home/a", "XDG_STATE_HOME": "/s", "STATE_DIRECTORY": "/var/lib/a:/b"},
            "/var/lib/a",
            id="where-systemd-has-it",
        ),
    ],
)
def test_the_folder_is_where_such_folders_are(environment: dict[str, str], folder: str) -> None:
    assert state_folder(Wanted(), environment) == Path(folder)
    assert state_folder(Wanted(state_dir=Path("/mine")), environment) == Path("/mine")


def test_without_a_home_a_folder_must_be_said() -> None:
    with pytest.raises(ConfigurationError, match="--state-dir is None"):
        state_folder(Wanted(), {})


def test_a_password_comes_from_its_file_and_is_read_anew(tmp_path: Path) -> None:
    said = options(password_file=tmp_path / "password")
    (tmp_path / "password").write_text("one\n")
    assert password_of(said) == "one"

    (tmp_path / "password").write_text("two\n")
    assert password_of(said) == "two"

    (tmp_path / "password").unlink()
    with pytest.raises(ConfigurationError, match="FLEETTWIN_PUBLISH__PASSWORD_FILE"):
        password_of(said)
    assert password_of(options()) is None


def test_a_source_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="--source is 'sys'; expected one of simulated"):
        registry.chosen_source("sys", options())


def test_every_extra_is_one_of_the_distribution() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]

    assert set(registry.EXTRAS.values()) <= project["optional-dependencies"].keys()
    assert registry.EXTRAS.keys() <= set(registry.SOURCES)


def test_a_library_that_is_not_installed_is_told_with_how_to_install_it() -> None:
    missing = ModuleNotFoundError("No module named 'pynvml'", name="pynvml")

    told = registry.not_installed("nvml", missing)

    assert isinstance(told, Unavailable)
    assert str(told) == ("source nvml: the library pynvml is not installed. pip install 'fleettwin[nvidia]'")
