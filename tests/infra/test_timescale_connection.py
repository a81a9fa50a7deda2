"""What PostgreSQL's errors mean to who called it."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from infra.timescale.connection import database_errors
from models.errors import Unavailable


@pytest.mark.parametrize(
    "error",
    [
        errors.AdminShutdown("terminating connection"),
        errors.DeadlockDetected("deadlock detected"),
        errors.InternalError_("tuple concurrently updated"),
        errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction"),
    ],
)
def test_what_passes_is_worth_another_try(error: psycopg.Error) -> None:
    with pytest.raises(Unavailable, match=str(error)), database_errors("here"):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        errors.InternalError_("cache lookup failed for relation 1"),
        errors.ProgramLimitExceeded("row is too big"),
        errors.UndefinedTable("relation does not exist"),
    ],
)
def test_a_defect_goes_through_unchanged(error: psycopg.Error) -> None:
    with pytest.raises(type(error)) as raised, database_errors("here"):
        raise error

    assert raised.value is error
