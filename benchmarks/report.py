"""The figures of a report as tables in Markdown, as they stand in the README."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ABSENT = "not measured"


def table(report: Mapping[str, Any]) -> str:
    """All of it, with the machine and the versions above."""
    machine, versions = report["machine"], report["versions"]
    head = ", ".join(f"{name} {value}" for name, value in {**machine, **versions}.items())
    rows = [*_end_to_end(report.get("end_to_end")), *_others(report)]
    return "\n".join([head, "", "| what | figure |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in rows)])


def _end_to_end(run: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    if run is None:
        yield "readings a second, end to end", ABSENT
        return
    held = "held" if run["held"] else "not held: " + ", ".join(run["misses"])
    yield (
        "readings a second, end to end",
        f"{run['readings_per_second']:,} for {run['seconds']:.0f} s, {run['accelerators']:,} accelerators; {held}",
    )
    yield "refused", f"{run['refused']:,}"
    yield (
        "from the end of a tick to a site's sample",
        f"p50 {run['p50_sample_seconds']} s, p99 {run['p99_sample_seconds']} s",
    )
    yield "from the end of a tick to its rows", f"p99 {run['p99_row_seconds']} s"
    yield "megabytes at half time, at the end", f"{run['rss_mb']['half']:,}, {run['rss_mb']['end']:,}"
    costs = run["cpu_seconds_per_million"]
    yield (
        "CPU seconds per million readings",
        f"{sum(costs.values()):.2f}: " + ", ".join(f"{name} {cost}" for name, cost in costs.items()),
    )
    planner, console = run["planner"], run["console"]
    yield "a tick of the fleet, plan included", f"p50 {planner['p50_seconds']} s, p99 {planner['p99_seconds']} s"
    answers = console["answer_milliseconds"]
    yield "answers of the API", "; ".join(f"{path} p99 {times['p99']:.0f} ms" for path, times in answers.items())
    yield "age of an update of the console", f"p99 {console['update_age_seconds']['p99']} s"


def _others(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    highest = report.get("highest_rate")
    yield "highest rate held, readings a second", ABSENT if highest is None else f"{highest:,}"
    for name, ratio in (report.get("ratios") or {}).items():
        yield f"readings per CPU second beside {name}", ABSENT if ratio is None else f"{ratio:g} times"
    single = report.get("json_ratio")
    yield "single JSON readings beside an empty Faust agent", ABSENT if single is None else f"{single:.0%}"
    for found in report.get("recoveries") or ():
        yield f"live again after `kill -9`, {found['nodes']:,} nodes", f"{found['seconds']} s"
    store = report.get("store")
    if store is not None:
        sink = store["steps"]["sink"]
        yield (
            "rows of nodes a second, written by the store",
            f"{store['rows_per_second']:,}; {sink['client_us'] + sink['server_us']:.1f} microseconds of CPU a row, "
            f"{store['share_of_bare_copy']:.0%} of a bare COPY",
        )
    day = report.get("disk")
    if day is not None:
        yield f"a day of {day['nodes']:,} nodes on disk", f"{day['megabytes']:,.0f} MB ({day['edition']} edition)"
