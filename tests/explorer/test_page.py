from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, Route, expect

from tests.explorer.conftest import KINDS, Schedule


@pytest.mark.parametrize("schedule", KINDS, indirect=True)
def test_the_page_shows_and_verifies_a_schedule(page: Page, schedule: Schedule) -> None:
    """Choosing a process shows its slots; the verify button checks all of them in the browser."""
    page.goto(schedule.node.url)
    page.get_by_role("button", name=str(schedule.process)).click()
    expect(page.locator("#slots tr")).to_have_count(6)
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("#verdict")).to_have_text("slots 0 to 5 verified in this browser")


def test_new_slots_appear_by_themselves(page: Page, schedule: Schedule) -> None:
    """What is scheduled while the page is open is shown without asking again, newest first."""
    page.goto(f"{schedule.node.url}/#{schedule.process}")
    expect(page.locator("#live")).to_have_text("live")
    schedule.send(2)
    expect(page.locator("#slots tr")).to_have_count(8)
    expect(page.locator("#slots tr").first).to_contain_text("7")


def test_an_assignment_is_shown_with_its_checks(page: Page, schedule: Schedule) -> None:
    """Opening a slot shows the assignment's fields and what the browser proved of it."""
    page.goto(f"{schedule.node.url}/#{schedule.process}")
    page.get_by_role("button", name="Slot 3").click()
    expect(page.locator("#checks li.good")).to_have_count(6)
    expect(page.locator("#fields")).to_contain_text(str(schedule.process))
    expect(page.locator("#message")).to_contain_text("Ping")


def test_a_lie_is_found(page: Page, schedule: Schedule) -> None:
    """A node that shows another time than the one it signed is caught by the page."""

    def lie(route: Route) -> None:
        answer = route.fetch()
        told = json.loads(answer.text())
        for edge in told["edges"]:
            for tag in edge["node"]["assignment"]["Tags"]:
                if tag["name"] == "Timestamp" and edge["cursor"] == 2:
                    tag["value"] = "1"
        route.fulfill(response=answer, json=told)

    page.route("**/schedule?*accept*", lie)
    page.goto(f"{schedule.node.url}/#{schedule.process}")
    page.get_by_role("button", name="Verify").click()
    verdict = page.locator("#verdict")
    expect(verdict).to_have_text("slot 2: not so: the scheduler's signature holds")
