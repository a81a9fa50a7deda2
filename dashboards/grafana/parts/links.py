"""Links between the dashboards: each keeps the time range and what is chosen."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import DashboardLink, DashboardLinkType

from dashboards.grafana.source import PAGES


def links_from(uid: str) -> list[DashboardLink]:
    """The links at the top of a page: to all the others."""
    return [_shown(_link(title, other)) for other, title in PAGES.items() if other != uid]


def to_site(site: str = "${__data.fields.site:percentencode}") -> DashboardLink:
    """From a row of a table with a column `site`, or from wherever `site` says, to the site's page."""
    return _drill(f"Site {_shown_name(site)}", f"/d/fleet-site?${{__url_time_range}}&var-site={site}")


def to_node() -> DashboardLink:
    """From a row of a table with columns `site` and `node` to the node's page."""
    return _drill(
        "Node ${__data.fields.node}",
        "/d/fleet-node?${__url_time_range}"
        "&var-site=${__data.fields.site:percentencode}&var-node=${__data.fields.node:percentencode}",
    )


def to_page(uid: str) -> DashboardLink:
    """To a page with the sites that are chosen here."""
    return _drill(PAGES[uid], f"/d/{uid}?${{__url_time_range}}&${{site:queryparam}}")


LABELLED_SITE = "${__field.labels.site:percentencode}"
"""The site of a series, for `to_site`."""


def _shown_name(site: str) -> str:
    return site.replace(":percentencode", "")


def _link(title: str, uid: str) -> DashboardLink:
    return DashboardLink(
        title=title,
        type_val=DashboardLinkType.LINK,
        icon="dashboard",
        url=f"/d/{uid}",
        include_vars=True,
        keep_time=True,
    )


def _shown(link: DashboardLink) -> DashboardLink:
    # The SDK puts every link into a menu; where nothing is said Grafana shows it beside the variables.
    link.placement = None  # type: ignore[assignment]
    return link


def _drill(title: str, url: str) -> DashboardLink:
    return _shown(DashboardLink(title=title, url=url))
