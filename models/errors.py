"""The errors of fleettwin, told apart by what the caller can do about them."""

from pydantic import ValidationError


class FleettwinError(Exception):
    """Whatever fleettwin raises on purpose."""


class ConfigurationError(FleettwinError):
    """Something the user wrote must change; the command ends with exit code 2.

    Args:
        setting: The name of the setting, option, or `file: path.in.file`.
        value: What was found there.
        expected: What would have been right.
    """

    def __init__(self, setting: str, value: object, expected: str) -> None:
        self.setting, self.value, self.expected = setting, value, expected
        super().__init__(f"{setting} is {value!r}; expected {expected}")


class RecordRefused(FleettwinError):
    """A record cannot be taken in; it belongs in the dead-letter topic.

    Args:
        code: A short, stable name of the reason, such as `undecodable` or `unknown_type`.
        detail: The reason for people, with the offending value.
    """

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail
        super().__init__(f"{code}: {detail}")


class SnapshotDamaged(FleettwinError):
    """A machine's snapshot is none, or holds what no machine could have put there."""


class Unavailable(FleettwinError):
    """A server or a tool is missing now; the command ends with exit code 1, a worker waits and tries again.

    Args:
        what: The thing, with its address where it has one.
        why: What happened.
        way_out: What the reader can do about it.
    """

    def __init__(self, what: str, why: str, way_out: str) -> None:
        self.what, self.why, self.way_out = what, why, way_out
        super().__init__(f"{what}: {why}. {way_out}")


def first_doubt(invalid: ValidationError) -> str:
    """What a model that refuses a record says first: where, why, and what was found there, cut to a line."""
    error = invalid.errors()[0]
    path = ".".join(str(part) for part in error["loc"]) or "the whole"
    return f"{path}: {error['msg']}, found {str(error['input'])[:100]!r}"
