"""Units that cannot be started where the tests run: what can be known of them without is checked here."""

from __future__ import annotations

import os
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.main import application
from infra.settings import Settings, read_settings

ROOT = Path(__file__).parents[2] / "infra"
UNIT = ROOT / "systemd" / "fleettwin-publish.service"
VARIABLES = UNIT.with_suffix(".env")
DOCUMENTS: list[dict[str, Any]] = list(
    yaml.safe_load_all((ROOT / "kubernetes" / "publish-daemonset.yaml").read_text(encoding="utf-8"))
)


def kind(name: str) -> dict[str, Any]:
    (found,) = [one for one in DOCUMENTS if one["kind"] == name]
    return found


POD: dict[str, Any] = kind("DaemonSet")["spec"]["template"]["spec"]
CONTAINER: dict[str, Any] = POD["containers"][0]


class Unit(RawConfigParser):
    """Settings keep their case, and the last of several stands."""

    def __init__(self) -> None:
        super().__init__(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def unit() -> Unit:
    parsed = Unit()
    parsed.read(UNIT, encoding="utf-8")
    return parsed


def parsed_as_publish(arguments: list[str]) -> dict[str, Any]:
    """The options that the command makes of a command line; one that it does not know is an error."""
    command = typer.main.get_command(application())
    assert arguments[0] == "publish"
    publish = command.commands[arguments[0]]  # type: ignore[attr-defined]  # a group has them
    return dict(publish.make_context("publish", list(arguments[1:])).params)


def settings_of(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith("FLEETTWIN_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return read_settings()


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        assert unit()["Unit"]["Description"]
        return
    there = tmp_path / UNIT.name  # with a program that is there
    there.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/fleettwin/bin/fleettwin", "/bin/true"))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(there)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, [line for line in done.stderr.splitlines() if UNIT.name in line]) == (0, [])


def test_the_unit_starts_a_command_that_there_is_and_lets_systemd_keep_its_state() -> None:
    service = unit()["Service"]
    program, *arguments = service["ExecStart"].split()

    assert Path(program).name == "fleettwin"
    assert parsed_as_publish(arguments)["once"] is False
    assert (service["Restart"], service["StateDirectory"], service["DynamicUser"]) == ("always", "fleettwin", "yes")


def test_the_units_variables_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line for line in VARIABLES.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]

    settings = settings_of(dict(line.split("=", 1) for line in lines), monkeypatch)

    assert (settings.publish.source, settings.publish.site, settings.publish.node) == ("nvml", "memphis", "gpu-0001")
    credential = unit()["Service"]["LoadCredential"].partition(":")[0]
    assert settings.kafka.password_file == Path(f"/run/credentials/{UNIT.name}/{credential}")


def test_the_daemonset_runs_a_command_that_there_is() -> None:
    options = parsed_as_publish(CONTAINER["args"])

    assert (options["source"], options["once"], options["dry_run"]) == ("nvml", False, False)
    assert options["metrics_port"] == CONTAINER["ports"][0]["containerPort"]


def test_the_daemonsets_variables_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = kind("ConfigMap")["data"]
    said: dict[str, str] = {}
    for one in CONTAINER["env"]:
        if one["name"].startswith("FLEETTWIN_"):
            source = one.get("valueFrom", {})
            said[one["name"]] = (
                maps[source["configMapKeyRef"]["key"]]
                if "configMapKeyRef" in source
                else one.get("value", "a-node-of-kubernetes")
            )

    settings = settings_of(said, monkeypatch)

    assert (settings.publish.site, settings.publish.node) == ("memphis", "a-node-of-kubernetes")
    assert settings.kafka.security_protocol.named


def test_the_node_is_called_as_kubernetes_calls_it_and_nothing_is_guessed() -> None:
    (node,) = [one for one in CONTAINER["env"] if one["name"] == "FLEETTWIN_PUBLISH__NODE"]

    assert node["valueFrom"] == {"fieldRef": {"fieldPath": "spec.nodeName"}}


def test_secrets_are_files_and_everything_that_is_mounted_is_there() -> None:
    volumes = {one["name"]: one for one in POD["volumes"]}
    mounts = {one["name"]: one["mountPath"] for one in CONTAINER["volumeMounts"]}
    paths = [one["value"] for one in CONTAINER["env"] if one["name"].endswith(("_FILE", "_DIR"))]

    assert mounts.keys() <= volumes.keys()
    assert "secret" in volumes["secrets"]
    assert all(any(path.startswith(mount) for mount in mounts.values()) for path in paths)
    assert not [one for one in CONTAINER["env"] if "PASSWORD" in one["name"] and not one["name"].endswith("_FILE")]


def test_the_container_may_do_nothing_and_says_when_it_is_ready() -> None:
    allowed = CONTAINER["securityContext"]

    assert allowed["readOnlyRootFilesystem"]
    assert allowed["runAsNonRoot"]
    assert allowed["capabilities"] == {"drop": ["ALL"]}
    assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/metrics"
    assert CONTAINER["readinessProbe"]["httpGet"]["port"] == CONTAINER["ports"][0]["name"]
    assert POD["runtimeClassName"] == "nvidia"


def test_the_folder_of_the_state_belongs_to_the_user_of_the_image() -> None:
    dockerfile = (ROOT.parent / "Dockerfile").read_text(encoding="utf-8")
    user = CONTAINER["securityContext"]["runAsUser"]

    assert f"--uid {user}" in dockerfile
    assert POD["initContainers"][0]["command"][1] == f"{user}:{CONTAINER['securityContext']['runAsGroup']}"
