"""Brings folder, dashboards and data source to a Grafana that runs, through its API: as often as one likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import conninfo

from dashboards.grafana.provisioning import data_source_settings
from dashboards.grafana.source import DATA_SOURCE_NAME, DATA_SOURCE_TYPE, DATA_SOURCE_UID, FOLDER, FOLDER_UID
from infra.settings import GrafanaSettings
from models.errors import ConfigurationError, Unavailable

try:
    from grafana_client.api import GrafanaApi
    from grafana_client.client import GrafanaClientError, GrafanaException
    from niquests.exceptions import JSONDecodeError, RequestException
except ModuleNotFoundError as missing:
    raise Unavailable(
        "grafana-client",
        "dashboards are pushed with it, and it is not installed",
        "Install the extra: pip install 'fleettwin[grafana]'",
    ) from missing

URL, TOKEN = "FLEETTWIN_GRAFANA__URL", "FLEETTWIN_GRAFANA__TOKEN"  # the names of settings
_RIGHTS = "the token of a service account that may write dashboards, folders and data sources"
_PATIENCE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to.

    Args:
        url: Of the Grafana.
        dashboards: Their addresses.
        data_source: Whether it has our data source.
    """

    url: str
    dashboards: tuple[str, ...]
    data_source: bool


def push(settings: GrafanaSettings, documents: Mapping[str, dict[str, Any]], database: str | None = None) -> Pushed:
    """Bring everything to where the settings say.

    Args:
        settings: Where the Grafana is, and its token.
        documents: The dashboards' JSON by uid.
        database: The URL of TimescaleDB as Grafana reaches it, with a login that may only read; the data source is made
            or brought up to date with it. Without it the data source stays as it is.

    Raises:
        ConfigurationError: no address, no token, or ones that do not do.
        Unavailable: Grafana does not answer, or fails.
    """
    url = _url(settings)
    api = GrafanaApi.from_url(url + "/", credential=_token(settings), timeout=_PATIENCE_SECONDS)
    try:
        with _told(url):
            _ensure_folder(api)
            if database is not None:
                _ensure_data_source(api, database)
            addresses = tuple(url + _pushed(api, document) for document in documents.values())
            return Pushed(url, addresses, _found(api.datasource.get_datasource_by_uid, DATA_SOURCE_UID) is not None)
    finally:
        api.client.s.close()


def _ensure_folder(api: Any) -> None:
    if _found(api.folder.get_folder, FOLDER_UID) is None:
        api.folder.create_folder(FOLDER, uid=FOLDER_UID)


def _ensure_data_source(api: Any, database: str) -> None:
    wanted = data_source(database)
    if _found(api.datasource.get_datasource_by_uid, DATA_SOURCE_UID) is None:
        api.datasource.create_datasource(wanted)
    else:
        api.datasource.update_datasource_by_uid(DATA_SOURCE_UID, wanted)


def data_source(database: str) -> dict[str, Any]:
    """Our data source as Grafana's API takes it.

    Raises:
        ConfigurationError: the address of the database cannot be read; it is not repeated, for it holds a password.
    """
    try:
        parts = conninfo.conninfo_to_dict(database)
    except (psycopg.ProgrammingError, ValueError):
        raise _unreadable() from None
    if not (parts.get("host") and parts.get("user") and parts.get("dbname")):
        raise _unreadable()
    return {
        "name": DATA_SOURCE_NAME,
        "uid": DATA_SOURCE_UID,
        "type": DATA_SOURCE_TYPE,
        "access": "proxy",
        "url": f"{parts['host']}:{parts.get('port') or 5432}",
        "user": parts["user"],
        "jsonData": {
            "database": parts["dbname"],
            "sslmode": parts.get("sslmode") or "require",
            **data_source_settings(),
        },
        "secureJsonData": {"password": parts.get("password") or ""},
    }


def _pushed(api: Any, document: dict[str, Any]) -> str:
    answer = api.dashboard.update_dashboard(
        {
            "dashboard": {**document, "id": None},
            "folderUid": FOLDER_UID,
            "overwrite": True,
            "message": "pushed by fleettwin",
        }
    )
    return str(_object(answer)["url"])


def _found(ask: Callable[[str], Any], uid: str) -> dict[str, Any] | None:
    try:
        return _object(ask(uid))
    except GrafanaClientError as error:
        if error.status_code == 404 and isinstance(error.response, dict):
            return None
        raise


def _object(answer: Any) -> dict[str, Any]:
    """What Grafana answers; some other server may well answer with a page."""
    if not isinstance(answer, dict):
        raise GrafanaClientError(404, answer, "something that Grafana would not")  # type: ignore[no-untyped-call]
    return answer


@contextmanager
def _told(url: str) -> Iterator[None]:
    try:
        yield
    except GrafanaException as error:
        said = str(error)[:300]
        match error.status_code:
            case 401 | 403:
                raise ConfigurationError(TOKEN, "(hidden)", f"{_RIGHTS}; {url} says: {said}") from error
            case 404:
                expected = f"the address of a Grafana; what answers there says: {said}"
                raise ConfigurationError(URL, url, expected) from error
            case _:
                raise Unavailable(url, said, "See Grafana's log, then try again.") from error
    except JSONDecodeError as error:
        raise ConfigurationError(
            URL, url, "the address of a Grafana; what answers there does not speak JSON"
        ) from error
    except RequestException as error:
        why = f"it does not answer ({type(error).__name__})"
        raise Unavailable(url, why, f"Check that it runs, and {URL}.") from error


def _url(settings: GrafanaSettings) -> str:
    if settings.url is None:
        raise ConfigurationError(URL, None, "http://host:port of the Grafana to push to")
    parts = urlsplit(settings.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(URL, settings.url, "http://host:port, or https, with a path where it has one")
    if parts.username or parts.password:
        raise ConfigurationError(URL, "(hidden)", f"an address without a password; a token belongs into {TOKEN}")
    return settings.url.rstrip("/")


def _token(settings: GrafanaSettings) -> str:
    """The token out of the settings or its file."""
    if settings.token is not None and settings.token_file is not None:
        raise ConfigurationError(f"{TOKEN}_FILE", str(settings.token_file), f"nothing, since {TOKEN} is set too")
    if settings.token_file is not None:
        try:
            token = settings.token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"{TOKEN}_FILE", str(settings.token_file), f"a readable file ({error})") from error
        if not token:
            raise ConfigurationError(f"{TOKEN}_FILE", str(settings.token_file), "a file with a token in it")
        return token
    if settings.token is None or not settings.token.get_secret_value():
        raise ConfigurationError(TOKEN, None, _RIGHTS)
    return settings.token.get_secret_value()


def _unreadable() -> ConfigurationError:
    return ConfigurationError(
        "--data-source", "(hidden)", "a file with postgresql://user:password@host:port/database as Grafana reaches it"
    )
