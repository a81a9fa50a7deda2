"""A Redfish service as management controllers and power distribution units are one: TLS, sessions, and moods."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import orjson

from tests.loopback import served, write
from tests.security.certificates import made

USER = "monitor"
SESSIONS = "/redfish/v1/SessionService/Sessions"


@dataclass(frozen=True, slots=True)
class Mood:
    """What a path does instead of answering with its resource."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    until: threading.Event | None = None
    """Waits for that, and then answers as usual."""


@dataclass
class RedfishService:
    """Its resources by path, of which links are made as the schemas have them."""

    resources: dict[str, dict[str, Any]]
    authority: Path
    password: str | None = "secret-1"
    """None where nobody needs to log in."""
    moods: dict[str, Mood] = field(default_factory=dict)
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path."""
    sessions: set[str] = field(default_factory=set)
    """The tokens that are good now."""
    logins: int = 0
    _closed: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def gets(self, path: str) -> int:
        """How often that path was asked for."""
        return self.asked.count(("GET", path))

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        path, method = handler.path.rstrip("/"), handler.command
        self.asked.append((method, path))
        mood = self.moods.get(path)
        if mood is not None and mood.until is not None:
            mood.until.wait()
            mood = None
        if mood is not None and mood.hangs:
            self._closed.wait()
            handler.close_connection = True
        elif mood is not None:
            write(handler, mood.status, {"Content-Type": "application/json", **mood.headers}, mood.body)
        elif path == SESSIONS and method == "POST":
            self._log_in(handler, orjson.loads(body))
        elif path != "/redfish/v1" and self.password is not None and not self._known(handler):
            write(handler, 401, {}, b"{}")
        elif method == "DELETE":
            self.sessions.discard(path.rpartition("/")[2])
            write(handler, 204, {}, b"")
        elif path in self.resources:
            resource = {"@odata.id": path, **self.resources[path]}
            write(handler, 200, {"Content-Type": "application/json"}, orjson.dumps(resource))
        else:
            write(handler, 404, {}, b"{}")

    def _known(self, handler: BaseHTTPRequestHandler) -> bool:
        return handler.headers.get("X-Auth-Token") in self.sessions

    def _log_in(self, handler: BaseHTTPRequestHandler, said: Mapping[str, str]) -> None:
        self.logins += 1
        if said != {"UserName": USER, "Password": self.password}:
            write(handler, 401, {}, b"{}")
            return
        token = f"token-{self.logins}"
        self.sessions.add(token)
        write(handler, 201, {"X-Auth-Token": token, "Location": f"{SESSIONS}/{token}"}, b"{}")


def linked(path: str) -> dict[str, str]:
    """A link as resources have them."""
    return {"@odata.id": path}


def collection(*members: str) -> dict[str, Any]:
    """A collection of these paths."""
    return {"Members": [linked(member) for member in members], "Members@odata.count": len(members)}


def controller(**chassis: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A management controller with one system in the chassis `self`, if there is one.

    Args:
        chassis: By id; `EnvironmentMetrics` and `Power` become resources of their own.
    """
    root = "/redfish/v1"
    resources: dict[str, dict[str, Any]] = {
        root: {"Chassis": linked(f"{root}/Chassis"), "Systems": linked(f"{root}/Systems")},
        f"{root}/Chassis": collection(*(f"{root}/Chassis/{id_}" for id_ in chassis)),
        f"{root}/Systems": collection(f"{root}/Systems/1"),
        f"{root}/Systems/1": {"Links": {"Chassis": [linked(f"{root}/Chassis/self")]}},
    }
    for id_, parts in chassis.items():
        path = f"{root}/Chassis/{id_}"
        resources[path] = {name: linked(f"{path}/{name}") for name in parts}
        resources |= {f"{path}/{name}": part for name, part in parts.items()}
    return resources


def power_unit(outlets: int = 2) -> dict[str, dict[str, Any]]:
    """A rack PDU with a three-phase main, two branches and outlets, all of which meter the same 3 kW."""
    root, pdu = "/redfish/v1", "/redfish/v1/PowerEquipment/RackPDUs/1"
    names = [f"A{number}" for number in range(1, outlets + 1)]
    return {
        root: {"PowerEquipment": linked(f"{root}/PowerEquipment")},
        f"{root}/PowerEquipment": {"RackPDUs": linked(f"{root}/PowerEquipment/RackPDUs")},
        f"{root}/PowerEquipment/RackPDUs": collection(pdu),
        pdu: {name: linked(f"{pdu}/{name}") for name in ("Metrics", "Mains", "Branches", "Outlets")},
        f"{pdu}/Metrics": metered(3000, 56438),
        f"{pdu}/Mains": collection(f"{pdu}/Mains/AC1"),
        f"{pdu}/Mains/AC1": {
            "PowerWatts": {"Reading": 3000},
            "PolyPhasePowerWatts": {
                **{f"Line{line}ToNeutral": {"Reading": 1000} for line in (1, 2, 3)},
                "Line1ToLine2": {"Reading": 1500},
            },
        },
        f"{pdu}/Branches": collection(f"{pdu}/Branches/A", f"{pdu}/Branches/B"),
        f"{pdu}/Branches/A": metered(1400, 20000),
        f"{pdu}/Branches/B": metered(1600, 36438),
        f"{pdu}/Outlets": collection(*(f"{pdu}/Outlets/{name}" for name in names)),
        **{f"{pdu}/Outlets/{name}": metered(3000 / outlets, None) for name in names},
    }


def metered(watts: float | None, kilowatt_hours: float | None) -> dict[str, Any]:
    """What environment metrics, metrics, circuits and outlets say."""
    return {"PowerWatts": {"Reading": watts}, "EnergykWh": {"Reading": kilowatt_hours}}


@contextmanager
def redfish_service(folder: Path, resources: dict[str, dict[str, Any]]) -> Iterator[RedfishService]:
    """One that runs, with certificates in the folder."""
    certificates = made(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.server)
    service = RedfishService(resources, certificates.authority)
    with served(service._answer, tls=tls) as port:
        service.port = port
        try:
            yield service
        finally:
            service._closed.set()
