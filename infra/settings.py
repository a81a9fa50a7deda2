"""Every setting, read once from the environment (`FLEETTWIN_*`) and an optional file, then passed on as values."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from models.errors import ConfigurationError

FILE_VARIABLE = "FLEETTWIN_CONFIG"
"""Names the TOML file to read; what the environment says wins over it."""

Port = Annotated[int, Field(ge=1, le=65535)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClockSource(StrEnum):
    """Who says that event time has passed."""

    WALL = "wall"
    """The live worker, each second, by the clock on the wall."""
    LOG = "log"
    """The sender: a replay, or a simulator that runs faster than time."""


class SecurityProtocol(StrEnum):
    """What a listener of Kafka speaks."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def encrypted(self) -> bool:
        """Whether it is TLS."""
        return self in (SecurityProtocol.SSL, SecurityProtocol.SASL_SSL)

    @property
    def named(self) -> bool:
        """Whether clients log in."""
        return self in (SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL)


class SaslMechanism(StrEnum):
    """How a user proves to know the password."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class KafkaSettings(_Part):
    """Where Kafka is, how clients log in there, and how our topics are laid out on it."""

    bootstrap_servers: str | None = None
    """`host:port[,host:port]`; unset means the running embedded stack."""
    security_protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    """What the listener at that address speaks."""
    ca_file: Path | None = None
    """PEM with the authorities that may have signed the broker's certificate; unset: those that the system trusts."""
    certificate_file: Path | None = None
    """PEM with the client's own certificate, where the listener asks for one."""
    key_file: Path | None = None
    """Its key, unencrypted, if it is not in the same file."""
    sasl_mechanism: SaslMechanism = SaslMechanism.SCRAM_SHA_512
    user: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    """A file that holds the password, instead of `password`."""
    topic_prefix: Annotated[str, Field(pattern=r"^[a-z0-9.-]*$")] = ""
    """Put before every topic and group name, to keep several twins apart on one Kafka."""
    telemetry_partitions: Annotated[int, Field(ge=1, le=1000)] = 12
    replication_factor: Annotated[int, Field(ge=1, le=9)] = 1
    telemetry_retention_hours: Annotated[float, Field(gt=0)] = 24.0
    history_retention_days: Annotated[float, Field(gt=0)] = 365.0
    """How long facts, demand, the ledger, shortages and dead letters are kept."""
    patience_seconds: Annotated[float, Field(ge=1)] = 600.0
    """How long a sender holds its records while Kafka is away, before it gives up."""


class DatabaseSettings(_Part):
    """Where TimescaleDB is."""

    url: SecretStr | None = None
    """`postgresql://user:password@host:port/database`, of the schema's owner; unset means the embedded stack.
    With `?sslmode=verify-full&sslrootcert=FILE` the connection is encrypted, and the server must prove who it is."""
    url_file: Path | None = None
    """A file that holds the address, instead of `url`."""
    schema_name: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,40}$")] = "fleettwin"
    raw_retention_hours: Annotated[float, Field(gt=0)] = 48.0
    """How long node samples and per-second samples are kept."""
    rollup_retention_days: Annotated[float, Field(gt=0)] = 730.0


class StackSettings(_Part):
    """The embedded servers."""

    home: Path = Path(".fleettwin")
    """Everything they download and store lies below this folder."""
    kafka_port: Port | None = None
    """Unset: a free port is chosen and remembered."""
    database_port: Port | None = None
    debian_mirror: str | None = None
    """URL of a Debian mirror; unset: the one in this host's apt configuration."""
    debian_keyring: Path = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    debian_suite: str = "trixie"


class ConsoleSettings(_Part):
    """The web page and the API that each twin worker serves."""

    enabled: bool = True
    host: str = "127.0.0.1"
    """The address it listens on; anything but loopback shows the fleet to whoever reaches it, so set a token."""
    port: Port | None = None
    """Unset: 8470, or a free one where that is taken."""
    advertised_url: str | None = None
    """Where the other workers reach this one; unset: `http://host:port`."""
    token: SecretStr | None = None
    """What callers must bring as `Authorization: Bearer TOKEN`; unset: nothing. The same for all workers."""
    token_file: Path | None = None
    """A file that holds the token, instead of `token`."""
    requests_per_second: Annotated[float, Field(ge=0)] = 100.0
    """How many one address may ask for, lastingly; five times as many may come at once. 0: as many as it likes."""


class GrafanaSettings(_Part):
    """A Grafana server to push dashboards to."""

    url: str | None = None
    """`http://host:port`; unset: none."""
    token: SecretStr | None = None
    """Of a service account that may write dashboards, folders and data sources."""
    token_file: Path | None = None
    """A file that holds the token, instead of `token`."""


class AlertsSettings(_Part):
    """Where shortages are forwarded to, and with which secrets; `fleettwin alerts forward` reads them."""

    url: SecretStr | None = None
    """As `--to`, for an address that is itself a secret."""
    url_file: Path | None = None
    """A file that holds the address, instead of `url`."""
    token: SecretStr | None = None
    """Sent as `Authorization: Bearer TOKEN`."""
    token_file: Path | None = None
    """A file that holds the token, instead of `token`."""
    routing_key: SecretStr | None = None
    """Of the PagerDuty service's integration."""
    routing_key_file: Path | None = None
    """A file that holds the routing key, instead of `routing_key`."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 10.0
    """How long the receiver may take to answer."""
    longest_wait_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Between two attempts, unless the receiver asks for more."""
    resend_seconds: Annotated[float, Field(gt=0)] = 60.0
    """How often Alertmanager is told again of what is open; it forgets what it has not heard of for five times that."""


class PublishSettings(_Part):
    """What `fleettwin publish` would be told by options or its `--config`; options win over these, these over that."""

    config: Path | None = None
    """The YAML file of `--config`."""
    source: str | None = None
    target: str | None = None
    """The address or path to ask, where there is one alone."""
    site: str | None = None
    node: str | None = None
    rack: str | None = None
    type: str | None = None
    """An id of the catalogue."""
    interval_seconds: Annotated[float, Field(ge=0.1, le=3600)] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] | None = None
    field_map: Path | None = None
    verify_tls: bool | None = None
    ca_file: Path | None = None
    user: str | None = None
    password_file: Path | None = None
    """A file that holds the password of `user` at the targets."""
    state_dir: Path | None = None
    spool_mebibytes: Annotated[float, Field(ge=1)] | None = None
    metrics_host: str | None = None
    metrics_port: Port | None = None


class TwinSettings(_Part):
    """How the machines count time and judge what they see."""

    clock: ClockSource = ClockSource.WALL
    catalogue: Path | None = None
    """YAML with types beside the shipped ones, in the format of models/catalogue.yaml; the same id replaces one."""
    site_timeout_seconds: Annotated[float, Field(gt=0)] = 10.0
    """A telemetry partition without samples for so long, by the wall, takes its sites away."""
    checkpoint_seconds: Annotated[float, Field(gt=0)] = 5.0
    tick_milliseconds: Annotated[int, Field(ge=100, le=3_600_000)] = 1000
    grace_milliseconds: Annotated[int, Field(ge=0, le=3_600_000)] = 500
    stale_after_milliseconds: Annotated[int, Field(ge=1)] = 15_000
    lost_after_milliseconds: Annotated[int, Field(ge=1)] = 60_000
    longest_gap_milliseconds: Annotated[int, Field(ge=1)] = 60_000
    """Between two readings of a node further apart than this, no energy is counted."""
    node_interval_milliseconds: Annotated[int, Field(ge=1000)] = 10_000
    idle_below: Annotated[float, Field(ge=0, le=1)] = 0.05
    idle_after_milliseconds: Annotated[int, Field(ge=1)] = 300_000
    longest_jump_milliseconds: Annotated[int, Field(ge=1)] = 600_000
    """A clock that jumps further over a time with nothing to fold closes its last tick alone."""
    open_after_milliseconds: Annotated[int, Field(ge=0)] = 5_000
    resolve_after_milliseconds: Annotated[int, Field(ge=0)] = 5_000
    unplaced_after_milliseconds: Annotated[int, Field(ge=0)] = 60_000
    """As `open_after_milliseconds`, for demand that could be served and is not granted; 0: told at once."""
    escalate_after_milliseconds: Annotated[int, Field(ge=0)] = 3_600_000
    """A shortage that has lasted so long is one step more severe; 0: age never counts."""
    unknown_above: Annotated[float, Field(ge=0, le=1)] = 0.1
    """A site with a larger part of its accelerators unknown has a visibility shortage."""


class WorkersSettings(_Part):
    """How twin and store workers look after themselves."""

    stalled_after_seconds: Annotated[float, Field(ge=1)] = 60.0
    """A worker that has stood still for so long, with records to read, ends with an error."""


class Settings(BaseSettings):
    """All of them; nested ones are reached as `FLEETTWIN_KAFKA__BOOTSTRAP_SERVERS`."""

    model_config = SettingsConfigDict(
        env_prefix="FLEETTWIN_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    database: DatabaseSettings = DatabaseSettings()
    stack: StackSettings = StackSettings()
    twin: TwinSettings = TwinSettings()
    workers: WorkersSettings = WorkersSettings()
    console: ConsoleSettings = ConsoleSettings()
    grafana: GrafanaSettings = GrafanaSettings()
    alerts: AlertsSettings = AlertsSettings()
    publish: PublishSettings = PublishSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the file that `FLEETTWIN_CONFIG` names."""
        path = os.environ.get(FILE_VARIABLE)
        file = (TomlConfigSettingsSource(settings_cls, Path(path)),) if path else ()
        return (init_settings, env_settings, dotenv_settings, file_secret_settings, *file)


def read_settings() -> Settings:
    """Read the settings.

    Raises:
        ConfigurationError: naming the first wrong setting, its value and what was expected.
    """
    path = os.environ.get(FILE_VARIABLE)
    if path and not Path(path).is_file():
        raise ConfigurationError(FILE_VARIABLE, path, "the path of a readable TOML file")
    unknown = sorted(_unknown_variables())
    if unknown:
        known = ", ".join(f"FLEETTWIN_{name.upper()}__*" for name in Settings.model_fields)
        value = _shown(unknown[0], os.environ[unknown[0]])
        raise ConfigurationError(unknown[0], value, f"no such variable; the known ones are {known}")
    try:
        return Settings()
    except ValidationError as invalid:
        first = invalid.errors()[0]
        name = "FLEETTWIN_" + "__".join(str(part).upper() for part in first["loc"])
        # of a whole part, any of its secrets may be what is wrong
        value = _shown(name, first["input"]) if len(first["loc"]) > 1 else _HIDDEN
        raise ConfigurationError(name, value, first["msg"].removeprefix("Input should be ")) from None
    except SettingsError as invalid:
        raise ConfigurationError("FLEETTWIN_*", _HIDDEN, f"JSON, where a variable is a whole part: {invalid}") from None
    except TOMLDecodeError as invalid:
        raise ConfigurationError(FILE_VARIABLE, path, f"a file in TOML: {invalid}") from None


def _shown(name: str, value: object) -> object:
    """The value as a message may show it."""
    return _HIDDEN if any(word in name for word in _SECRET) else value


_HIDDEN = "(hidden)"
_SECRET = ("URL", "TOKEN", "PASSWORD", "KEY")
"""Words in the names of settings whose values no message shows."""


def _unknown_variables() -> set[str]:
    """Variables with our prefix that no setting reads: a typing error that would otherwise pass in silence."""
    known = {FILE_VARIABLE, "FLEETTWIN_TRACES"}
    for part, field in Settings.model_fields.items():
        known.add(f"FLEETTWIN_{part.upper()}")
        known |= {f"FLEETTWIN_{part.upper()}__{name.upper()}" for name in type(field.default).model_fields}
    return {name for name in os.environ if name.startswith("FLEETTWIN_") and name.upper() not in known}
