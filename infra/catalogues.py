"""The accelerator catalogue as the settings have it: the shipped one, with the user's own entries."""

from __future__ import annotations

from infra.settings import TwinSettings
from models.catalogue import Catalogue, extended_catalogue, shipped_catalogue
from models.errors import ConfigurationError

SETTING = "FLEETTWIN_TWIN__CATALOGUE"


def chosen_catalogue(settings: TwinSettings) -> Catalogue:
    """The catalogue to fold with.

    Raises:
        ConfigurationError: the file cannot be read, or an entry is wrong; names file, path and value.
    """
    path = settings.catalogue
    if path is None:
        return shipped_catalogue()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        raise ConfigurationError(SETTING, str(path), "the path of a readable YAML file") from None
    return extended_catalogue(text, str(path))
