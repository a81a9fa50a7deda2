"""Grafana as code: what operators look at, generated into JSON that is committed and checked without a Grafana.

To add a dashboard, or change one:

1. A dashboard is a module of `pages/` with a function that returns `page(uid, question, parts)`; `fleet_overview` is an
   example. Its uid and title stand in `source.PAGES`, and `building.pages` calls it.
2. Its parts are rows (`parts.layout.row`) of panels (`parts.panels`, `parts.tables`). Every panel has a title, a
   description that says what it answers, a unit, and SQL. Places and numbers of panels come from their order.
   Variables, links, shaded shortages, the time zone and so on are the same for all pages: `parts.page`.
3. SQL reads the store's series functions, `*_now` views and the small tables, never samples as they are. What many
   queries need has a name in `parts.sql.PIECES` and is written `{fleet}`, `{sites}`. A time series has a column `time`,
   in its order; text columns become labels.
4. A colour has one meaning on all pages: `parts.colours`.
5. `fleettwin dashboards build` writes the JSON into `json/`, which is committed; `fleettwin dashboards check` runs
   every query of it on the database. The tests do both, and look at layout, links and units.

Only `parts/` and `pages/` need Grafana's SDK. Whatever reads the JSON does without.
"""
