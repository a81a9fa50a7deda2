"""Answers that are none: why a question is turned away, as an exception that the application turns into a `Problem`."""

from __future__ import annotations

from models.console import Problem


class NoAnswer(Exception):
    """A question cannot be answered.

    Args:
        status: Of HTTP.
        code: A short, stable name of the reason.
        detail: The reason for people.
        name: The site or node that was asked for, where that is what is wrong.
        headers: Beside the usual ones.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, name: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self.status, self.headers = status, headers
        self.problem = Problem(code=code, detail=detail, name=name)
        super().__init__(f"{status} {code}: {detail}")


def come_back(seconds: int, code: str, detail: str, *, name: str | None = None) -> NoAnswer:
    """A 503 that says after how many seconds to ask again."""
    return NoAnswer(503, code, detail, name=name, headers={"Retry-After": str(seconds)})


def unknown_site(site: str) -> NoAnswer:
    """No site of that name."""
    return NoAnswer(404, "unknown_site", f"No site is called {site!r}", name=site)


def unknown_node(node: str, site: str | None = None) -> NoAnswer:
    """No node of that name, or none at that site."""
    where = "" if site is None else f" at {site!r}"
    return NoAnswer(404, "unknown_node", f"No node is called {node!r}{where}", name=node)
