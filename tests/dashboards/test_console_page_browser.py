"""The console's page in a real browser, before a made-up fleet: whatever is in it, it can be read and used."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.embedded import process
from models.instants import moment_of
from models.shortage import Binding, Constraint, Power, Quantity, Scope, ScopeKind, Severity
from models.state import Presence
from tests.builders import view
from tests.chromium import chromium, opened
from tests.dashboards.console_fleet import MadeUp, resolved, shortage, site, this_second
from tests.dashboards.console_server import Served, served

PATIENCE_SECONDS = 60.0

ODD = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "a/b?c=d#e&f",
    "50% of 100%25",
    'it\'s "quoted"',
    "..%2F..",
    "北京-🏭",
    "{{7*7}} ${x}",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def world() -> Iterator[Served]:
    with served(MadeUp()) as one:
        yield one


def tile(page: Page, name: str) -> Any:
    return page.get_by_role("listitem").filter(has=page.get_by_role("link", name=name, exact=True))


def test_the_fleet_is_shown_with_its_figures_and_its_sites(browser: Browser, world: Served) -> None:
    with opened(browser, world.url) as seen:
        page = seen.page

        expect(page.locator(".figures .power")).to_contain_text("11.00of 14.05 MW+3.05 MW headroom")
        expect(page.locator(".figures")).to_contain_text("of 1,600 installed")
        expect(tile(page, "memphis")).to_contain_text("9.00of 12.00 MW+3.00 MW")
        expect(tile(page, "memphis").get_by_role("img").first).to_have_accessible_name(
            "9.00 MW of a supply of 12.00 MW"
        )
        expect(tile(page, "lulea").locator("[data-tightness=tight]").first).to_be_visible()
        expect(page.get_by_role("row").filter(has_text="research")).to_contain_text("60")
        expect(page.locator(".chart canvas")).to_have_count(3)
    assert seen.faults == []


def test_a_shortage_appears_with_what_binds_and_disappears(browser: Browser, world: Served) -> None:
    with opened(browser, world.url) as seen:
        page, panel = seen.page, seen.page.locator("#shortages")
        expect(panel).to_contain_text("Nothing is short.")

        world.say(shortage())
        row = panel.locator(".shortage")
        for said in ("critical", "project frontier", "h100-sxm", "408", "+1\u00a0whole node serves 8", "1\u00a0min"):
            expect(row).to_contain_text(said)
        expect(row.locator(".why")).to_have_text("408 wait for more free h100-sxm together on one node at memphis")
        expect(page).to_have_title("(1) fleettwin")
        expect(page.locator("[role=status].unseen")).to_contain_text("Short: project frontier")

        world.say(resolved(shortage()))
        expect(panel).to_contain_text("Nothing is short.")
        expect(row).to_have_count(0)
        panel.get_by_text("1 resolved within the last hour").click()
        expect(panel.locator(".past")).to_contain_text("project frontier")
        expect(page).to_have_title("fleettwin")
    assert seen.faults == []


def test_what_else_binds_stands_beneath_and_the_worst_stands_first(browser: Browser, world: Served) -> None:
    quota = Binding(constraint=Constraint.QUOTA, sites=(), types=(), summary="40 wait for a quota that is used up")
    world.fleet.say(shortage("mild", severity=Severity.INFO, also=(quota,)))
    world.fleet.say(
        shortage(
            "grid",
            scope=Scope(kind=ScopeKind.SITE, name="lulea"),
            resource=Power(),
            missing=Quantity(watts=1.25e6),
            severity=Severity.CRITICAL,
        )
    )
    with opened(browser, world.url) as seen:
        rows = seen.page.locator(".shortage")
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text("site lulea")
        expect(rows.first).to_contain_text("1.25MW")
        expect(rows.last).to_contain_text("40 wait for a quota that is used up")
    assert seen.faults == []


def test_a_site_leads_to_its_nodes_and_a_node_to_its_accelerators(browser: Browser, world: Served) -> None:
    with opened(browser, world.url) as seen:
        page = seen.page
        page.get_by_role("link", name="memphis").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("memphis")
        expect(page.get_by_role("table", name="Nodes").get_by_role("row")).to_have_count(51)
        expect(page.locator(".racks .rack")).to_have_count(25)
        expect(page.locator(".racks .rack").first).to_have_attribute("data-silent", "some")

        page.get_by_role("link", name="n0", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("n0")
        expect(page.get_by_role("table", name="Accelerators").get_by_role("row")).to_have_count(9)
        expect(page.get_by_role("row").filter(has_text="541")).to_contain_text("89\u00a0°C")
        expect(page).to_have_title("n0 at memphis fleettwin")

        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("n0")
    assert seen.faults == []


def test_nodes_are_ordered_filtered_and_paged_and_the_address_keeps_it(browser: Browser, world: Served) -> None:
    with opened(browser, world.url, "#/sites/memphis") as seen:
        page, first = seen.page, seen.page.locator(".nodes tbody tr").first
        expect(first).to_contain_text("n0")
        page.get_by_role("button", name="Next").click()
        expect(first).to_contain_text("n50")
        expect(page.get_by_text("51 to 100 of 100")).to_be_visible()
        expect(page.get_by_role("button", name="Next")).to_be_disabled()

        page.get_by_label("order by").select_option("hottest")
        expect(first).to_contain_text("n99")
        page.get_by_label("show", exact=True).select_option("not reporting")
        expect(page.locator(".nodes tbody tr")).to_have_count(1)
        expect(first).to_contain_text("lost")

        page.reload()
        expect(page.locator(".nodes tbody tr")).to_have_count(1)
        expect(page.get_by_label("order by")).to_have_value("temperature")
        page.go_back()
        expect(page.get_by_label("show", exact=True)).to_have_value("all")
    assert seen.faults == []


@pytest.mark.parametrize("name", ODD)
def test_a_name_is_text_wherever_it_stands_and_can_be_followed(browser: Browser, name: str) -> None:
    fleet = MadeUp(sites=[site(name), site("memphis")], node_names=(name, "n1"))
    bound = shortage(name).model_copy(
        update={"binding": shortage().binding.model_copy(update={"sites": (name,), "summary": name})}
    )
    fleet.say(bound)
    dialogs: list[str] = []
    with served(fleet) as world, opened(browser, world.url) as seen:
        page = seen.page
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        expect(page.locator(".shortage")).to_contain_text(f"project {name}")
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        expect(page.locator(".shortage .why")).to_have_text(name)
        page.locator(".nodes tbody").get_by_role("link", name=name, exact=True).click()
        expect(page.locator(".about")).to_contain_text(f"8 accelerators of type h100-sxm at {name}")
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
        expect(page.locator(".nodes tbody tr")).to_have_count(2)

        assert page.locator("img, script:not([src])").count() == 0
    assert dialogs == []
    assert seen.faults == []


def test_marks_that_turn_writing_round_are_spelt_out(browser: Browser) -> None:
    with served(MadeUp(sites=[site("\u202eevil")])) as world, opened(browser, world.url) as seen:
        expect(seen.page.locator(".tile .name")).to_have_text("\\u202eevil")
    assert seen.faults == []


def test_the_keyboard_is_enough(browser: Browser) -> None:
    halls = [site(f"hall {number}") for number in range(9)]
    with served(MadeUp(sites=halls)) as world, opened(browser, world.url) as seen:
        page, focused = seen.page, seen.page.locator(":focus")
        expect(page.locator(".tile")).to_have_count(9)
        page.keyboard.press("Tab")
        expect(focused).to_have_text("Skip to the content")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()

        page.keyboard.press("/")
        page.keyboard.type("hall 7")
        expect(page.locator(".tile")).to_have_count(1)
        page.keyboard.press("Escape")
        while focused.count() == 0 or focused.text_content() != "hall 7":
            page.keyboard.press("Tab")
        assert focused.evaluate("one => getComputedStyle(one, '::after').outlineStyle") == "solid"
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("hall 7")
        expect(page.get_by_role("link", name="n0", exact=True)).to_be_visible()

        page.get_by_role("link", name="n0", exact=True).press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("n0")
        page.keyboard.press("Escape")
        expect(page.get_by_role("heading", level=1)).to_have_text("hall 7")
        page.keyboard.press("Escape")
        expect(focused).to_have_text("hall 7")
    assert seen.faults == []


def test_two_hundred_sites_can_be_found_and_ordered(browser: Browser) -> None:
    sites = [site(f"hall {number}", megawatts=12.5 if number == 123 else 5 + number % 7) for number in range(199)]
    sites.append(view("gone", pools=(), presence=Presence.AWAY, milliwatts=3_000_000_000, supply_watts=8e6))
    with served(MadeUp(sites=sites)) as world, opened(browser, world.url) as seen:
        page = seen.page
        expect(page.locator(".tile")).to_have_count(200)
        expect(page.get_by_role("heading", name="Sites")).to_contain_text("200, 1 away or never seen")
        expect(page.locator(".tile .name").nth(3)).to_have_text("hall 2")
        page.get_by_label("order by").select_option("least headroom")
        expect(page.locator(".tile .name").first).to_have_text("hall 123")
        expect(tile(page, "gone")).to_contain_text("away")
        page.get_by_role("searchbox").fill("HALL 12")
        expect(page.locator(".tile")).to_have_count(11)
        page.reload()
        expect(page.locator(".tile")).to_have_count(11)
        expect(page.get_by_role("searchbox")).to_have_value("HALL 12")
        page.get_by_role("searchbox").fill("nowhere")
        expect(page.get_by_text("No site has that in its name.")).to_be_visible()
    assert seen.faults == []


def test_old_data_turns_amber_then_red_while_the_connection_stands(browser: Browser, world: Served) -> None:
    with opened(browser, "about:blank") as blank:
        seen_page = blank.page
        seen_page.clock.install()
        seen_page.goto(world.url)
        fresh = seen_page.locator("#freshness")
        expect(fresh).to_have_attribute("data-freshness", "fresh")
        expect(seen_page.locator(".tile")).to_have_count(2)

        world.silent = True
        seen_page.clock.fast_forward(8_000)
        expect(fresh).to_have_attribute("data-freshness", "doubtful")
        seen_page.clock.fast_forward(25_000)
        expect(fresh).to_have_attribute("data-freshness", "old")
        expect(fresh).to_contain_text(re.compile(r"3\d\ss old"))


def test_the_page_says_that_it_reconnects_does_so_and_reads_what_it_missed(browser: Browser, world: Served) -> None:
    world.fleet.say(shortage("gone-meanwhile"))
    with opened(browser, world.url) as seen:
        page, fresh = seen.page, seen.page.locator("#freshness")
        expect(page.locator(".shortage")).to_contain_text("gone-meanwhile")
        expect(fresh).to_have_attribute("data-phase", "live")

        world.leave()
        expect(fresh).to_contain_text("reconnecting")
        expect(fresh).not_to_have_attribute("data-freshness", "fresh")
        world.fleet.say(resolved(shortage("gone-meanwhile")))
        world.fleet.say(shortage("new-meanwhile"))
        world.come_back()

        expect(fresh).to_have_attribute("data-phase", "live")
        expect(page.locator(".shortage")).to_have_count(1)
        expect(page.locator(".shortage")).to_contain_text("new-meanwhile")
        world.say(resolved(shortage("new-meanwhile")))
        expect(page.locator(".shortage")).to_have_count(0)
    assert seen.outside == []


def test_an_event_that_comes_while_the_rest_is_still_being_read_is_not_lost(browser: Browser, world: Served) -> None:
    world.released.clear()
    with opened(browser, world.url) as seen:
        assert process.await_condition(lambda: "/api/shortages" in world.answering, PATIENCE_SECONDS)
        world.say(shortage())
        seen_by_then = world.ticks + 2
        assert process.await_condition(lambda: world.ticks >= seen_by_then, PATIENCE_SECONDS)
        world.released.set()

        expect(seen.page.locator(".shortage")).to_contain_text("project frontier")
    assert seen.faults == []


def test_a_site_whose_worker_does_not_answer_stays_on_the_screen_with_a_word_of_it(
    browser: Browser, world: Served
) -> None:
    with opened(browser, world.url, "#/sites/memphis") as seen:
        page = seen.page
        expect(page.locator(".nodes tbody tr")).to_have_count(50)
        world.leave()
        expect(page.locator(".trouble")).to_contain_text("Not up to date")
        expect(page.locator(".nodes tbody tr")).to_have_count(50)
        world.come_back()
        expect(page.locator(".trouble")).to_be_hidden()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        pytest.param("#/sites/nowhere", "There is no site nowhere.", id="site"),
        pytest.param("#/sites/memphis/nodes/none", "There is no node none at memphis.", id="node"),
    ],
)
def test_what_is_not_there_is_said_and_leads_back(browser: Browser, world: Served, place: str, said: str) -> None:
    with opened(browser, world.url, place) as seen:
        expect(seen.page.locator(".trouble")).to_have_text(said)
        seen.page.get_by_role("navigation").get_by_role("link", name="Fleet").click()
        expect(seen.page.locator(".tile")).to_have_count(2)


def test_a_token_is_asked_for_once_a_tab_and_a_wrong_one_again(browser: Browser) -> None:
    with served(MadeUp(), token="hush") as world, opened(browser, world.url, "#/sites/memphis") as seen:
        page, form = seen.page, seen.page.get_by_role("dialog")
        for token in ("wrong", "hush"):
            expect(form).to_be_visible()
            page.keyboard.press("Escape")
            expect(form).to_be_visible()
            page.get_by_role("textbox", name="Token").fill(token)
            page.keyboard.press("Enter")
            if token == "wrong":
                expect(form).to_contain_text("not the one")
        expect(page.locator(".nodes tbody tr")).to_have_count(50)
        expect(form).to_be_hidden()

        page.reload()
        expect(page.locator(".nodes tbody tr")).to_have_count(50)
        expect(form).to_be_hidden()
        assert "hush" not in page.url + page.content()
        assert not any("hush" in one for one in world.asked)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_page_is_light_or_dark_as_the_system_is_and_as_one_chooses(
    browser: Browser, world: Served, theme: Any
) -> None:
    other = {"dark": "light", "light": "dark"}[theme]
    with opened(browser, world.url, color_scheme=theme) as seen:
        page, root = seen.page, seen.page.locator("html")
        expect(root).to_have_attribute("data-theme", theme)
        assert bright(page) == (theme == "light")
        page.get_by_role("button", name=f"Show in {other} colours").click()
        expect(root).to_have_attribute("data-theme", other)
        assert bright(page) == (other == "light")
        page.reload()
        expect(root).to_have_attribute("data-theme", other)
    assert seen.faults == []


def bright(page: Page) -> bool:
    """Whether the ground is nearer to white than to black."""
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", ground)[:3])) > 3 * 128


LEGIBLE = """() => {
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return { r, g, b, a }; };
  const over = (top, under) => {
    const mix = (name) => top[name] * top.a + under[name] * (1 - top.a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const light = ({ r, g, b }) => {
    const linear = [r, g, b].map((one) => (one /= 255) <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const poor = [];
  for (const one of document.querySelectorAll("body *")) {
    const text = [...one.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!text || !one.checkVisibility() || one.closest(".unseen, .skip, .uplot, [disabled]")) continue;
    const grounds = [];
    for (let at = one; at; at = at.parentElement) grounds.push(parse(getComputedStyle(at).backgroundColor));
    const ground = grounds.reverse().reduce((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
    const [a, b] = [light(over(parse(getComputedStyle(one).color), ground)), light(ground)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) poor.push(`${contrast.toFixed(2)} ${one.className} ${one.textContent.slice(0, 30)}`);
  }
  return poor;
}"""
"""Texts whose contrast is below what WCAG 2.2 asks of small text (1.4.3, level AA)."""


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("place", ["", "#/sites/memphis", "#/sites/memphis/nodes/n0"])
def test_every_text_stands_out_from_its_ground(browser: Browser, world: Served, theme: Any, place: str) -> None:
    for severity in Severity:
        world.fleet.say(shortage(severity.value, severity=severity))
    world.fleet.say(resolved(shortage("over")))
    with opened(browser, world.url, place, color_scheme=theme) as seen:
        expect(seen.page.locator(".tile, .nodes tbody tr, .each tbody tr").first).to_be_visible()
        assert seen.page.evaluate(LEGIBLE) == []
    assert seen.faults == []


WIDTHS = (320, 400, 640, 768, 1024, 1280, 1920, 3840)
BEYOND_THE_EDGE = """all => all
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.className)"""
WIDER_THAN_THE_SCREEN = """all => all.filter((one) => one.scrollWidth > innerWidth).map((one) => one.tagName)"""
OVER_THEIR_FRAME = """all => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className)"""


def found_in_the_end(page: Page, parts: str, chosen: str) -> list[str]:
    """What `chosen` picks of the `parts`, looked at with each picture drawn until it is nothing, for 5 s at most.

    A chart takes a new width with the next picture. `page.wait_for_function` would look twice only on pages that
    allow `eval`, and these do not.
    """
    found: list[str] = page.evaluate(f"""async () => {{
        const until = performance.now() + 5000;
        let found;
        do {{
            await new Promise(requestAnimationFrame);
            found = ({chosen})([...document.querySelectorAll({json.dumps(parts)})]);
        }} while (found.length && performance.now() < until);
        return found;
    }}""")
    return found


@pytest.mark.parametrize("place", ["", "#/sites/memphis", "#/sites/memphis/nodes/n0"])
def test_no_page_is_wider_than_the_screen(browser: Browser, place: str) -> None:
    crowded = site("n" * 120, megawatts=1988.88, supply=2999.99, free=777)
    fleet = MadeUp(sites=[site("memphis"), crowded, site("北" * 60)])
    fleet.say(shortage("p" * 120))
    with served(fleet) as world, opened(browser, world.url, place) as seen:
        page = seen.page
        expect(page.locator(".tile, .nodes tbody tr, .each tbody tr").first).to_be_visible()
        expect(page.locator(".shortage, .about").first).to_be_visible()
        expect(page.locator(".chart canvas").first).to_be_visible()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            parts = ".panel, .tile, .figure, .shortage > *, .chart, .plot > *, .top > *"
            assert found_in_the_end(page, "html", WIDER_THAN_THE_SCREEN) == [], width
            assert found_in_the_end(page, parts, BEYOND_THE_EDGE) == [], width
            assert found_in_the_end(page, ".figure, .tile, .shortage, .chart", OVER_THEIR_FRAME) == [], width
    assert seen.faults == []


def test_who_wants_no_motion_gets_none(browser: Browser, world: Served) -> None:
    with opened(browser, world.url, reduced_motion="reduce") as seen:
        fill = seen.page.locator(".meter .fill").first
        expect(fill).to_be_visible()
        assert fill.evaluate("one => getComputedStyle(one).transitionDuration") in {"0s", ""}


def test_everything_that_can_be_used_has_a_name_for_those_who_listen(browser: Browser, world: Served) -> None:
    world.fleet.say(shortage())
    for place in ("", "#/sites/memphis", "#/sites/memphis/nodes/n0"):
        with opened(browser, world.url, place) as seen:
            page = seen.page
            expect(page.locator(".tile, .nodes tbody tr, .each tbody tr").first).to_be_visible()
            expect(page.get_by_role("heading", level=1)).to_have_count(1)
            tree = page.locator("body").aria_snapshot()
            nameless = re.findall(
                r"^\s*- (?:link|button|combobox|searchbox|textbox|img|region|table)(?::|$)", tree, re.M
            )
            assert nameless == [], tree


def test_before_anything_is_known_the_page_says_so(browser: Browser) -> None:
    with served(MadeUp(sites=[], tenants=())) as world, opened(browser, world.url) as seen:
        expect(seen.page.get_by_text("No site has been heard of yet.")).to_be_visible()
        expect(seen.page.locator("#shortages")).to_contain_text("Nothing is short.")
    assert seen.faults == []


def test_times_are_told_in_utc_wherever_one_is(browser: Browser, world: Served) -> None:
    with opened(browser, world.url, timezone_id="Asia/Kolkata") as seen:
        expect(seen.page.locator(".top")).to_contain_text(f"{moment_of(this_second()):%H:}")
        expect(seen.page.locator(".top")).to_contain_text("UTC")
    assert seen.faults == []
