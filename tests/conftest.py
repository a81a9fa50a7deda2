"""Fixtures that every test may ask for."""

import pytest

from tests.security.servers import secured
from tests.servers import database_template, database_url, kafka_admin, kafka_prefix, stack

__all__ = ["database_template", "database_url", "kafka_admin", "kafka_prefix", "secured", "stack"]


def pytest_configure(config: pytest.Config) -> None:
    # kafka-python 3.0 reads its protocol files in a way that Python 3.11 and 3.12 frown upon; 3.13 no longer does.
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")
    # A client of it that is closed while a connection is in its TLS handshake leaves that socket to the collector.
    unclosed = "ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"
    config.addinivalue_line("filterwarnings", unclosed)
