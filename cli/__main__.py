"""`python -m cli`: the `fleettwin` command, for processes that start one another."""

from cli.main import run

run()
