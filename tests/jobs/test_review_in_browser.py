"""The whole circle in a real browser: a click on a label, a saved file, `reelproof review`, and the label is gone."""

import contextlib
import csv
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page, expect, sync_playwright

from tests.jobs.test_review import arguments, decide, packaged, write
from tests.product import reelproof, rows

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.slow,
    # Where the browser is meant to be, its absence is an error and not a reason to look away.
    pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="no Chromium is installed"),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose folder has a name that a shell must have quoted."""
    videos = tmp_path_factory.mktemp("videos")
    write(videos, 0)
    output = tmp_path_factory.mktemp("finished") / "my run"
    made = reelproof(*arguments(videos, output))
    assert made.returncode == 0, made.stderr
    return output


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "my run"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[BrowserType]:
    assert CHROMIUM, "no Chromium is installed, and in CI there must be one"
    with sync_playwright() as playwright:
        yield playwright.chromium


def browser_of(chromium: BrowserType, profile: Path) -> BrowserContext:
    """A browser as a person has it, with a profile on the disk."""
    return chromium.launch_persistent_context(profile, executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def browser(chromium: BrowserType, tmp_path: Path) -> Iterator[BrowserContext]:
    """One that has never seen the page."""
    with contextlib.closing(browser_of(chromium, tmp_path / "profile")) as browser:
        yield browser


def settle(page: Page) -> None:
    """Waits as a person would: in a busy Chromium, what one page stores reaches the others a moment later."""
    page.wait_for_timeout(1000)


def reload(page: Page) -> None:
    settle(page)
    page.reload()
    settle(page)


@contextlib.contextmanager
def opened(browser: BrowserContext, run: Path) -> Iterator[Page]:
    """The run's report; no message, error or request may come of it."""
    page = browser.new_page()
    page.set_viewport_size({"width": 1360, "height": 900})
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: trouble.append(request.url))
    page.goto((run / "report" / "index.html").as_uri())
    settle(page)
    yield page
    settle(page)
    assert [one for one in trouble if not one.startswith(("data:", "blob:", "file:"))] == []
    page.close()


def saved(page: Page, path: Path) -> Path:
    """The file that the page saves."""
    with page.expect_download() as download:
        page.locator("#save-decisions").click()
    assert download.value.suggested_filename == "decisions.csv"
    download.value.save_as(path)
    return path


def label(label_id: str) -> str:
    return f'.judged[data-label="{label_id}"]'


def test_what_is_rejected_and_accepted_in_the_browser_leaves_and_enters_the_data_set(
    browser: BrowserContext, run: Path, tmp_path: Path
) -> None:
    judged = {row["unit_id"]: row["outcome"] for row in rows(run, "verify.evidence")}
    kept = next(key for key, outcome in judged.items() if outcome == "result")
    rejected = next(key for key, outcome in judged.items() if outcome == "rejection")
    with opened(browser, run) as page:
        expect(page.locator("#decisions")).to_be_hidden()
        page.locator(f"{label(kept)} [data-decision=reject]").click()
        page.locator(f"{label(kept)} .reason").fill('=SUM("no, really")')
        page.locator("#verdict").select_option("rejected")
        page.locator(f"{label(rejected)} [data-decision=accept]").click()
        page.locator("#reviewer").fill("Ada")
        expect(page.locator("#decision-count")).to_have_text("2 decisions, 2 not saved yet")
        expect(page.locator("#review-command")).to_have_text(f"reelproof review '{run}' decisions.csv")
        file = saved(page, tmp_path / "decisions.csv")
        expect(page.locator("#decision-count")).to_contain_text("all saved")
        with file.open(encoding="utf-8-sig", newline="") as text:
            notes = {row["label_id"]: row["note"] for row in csv.DictReader(text)}
        assert notes == {kept: '\'=SUM("no, really")', rejected: ""}

        told = decide(run, str(file))
        assert (told["accepted"], told["rejected"], told["outgrown"]) == (1, 1, [])
        assert kept not in packaged(run)
        shown = packaged(run)[rejected]
        assert [verdict["judges"] for verdict in shown["verdicts"]] == [["reelproof"], ["Ada"]]

        reload(page)
        expect(page.locator("#decisions")).to_be_hidden()  # what took effect is no longer to be saved
        expect(page.locator(f"{label(rejected)} > .label")).to_have_class("label kept")
        page.locator("#verdict").select_option("review")
        gone = page.locator(label(kept))
        expect(gone).to_contain_text('Ada decided so: =SUM("no, really")')
        expect(gone.locator(".outcome.rejected").first).to_have_text("rejected by review")


def test_choices_stay_when_the_browser_is_closed(chromium: BrowserType, run: Path, tmp_path: Path) -> None:
    with contextlib.closing(browser_of(chromium, tmp_path / "profile")) as before, opened(before, run) as page:
        page.locator(".judged").first.locator("[data-decision=reject]").click()
        page.locator(".judged").first.locator(".reason").fill("blurred")
    with contextlib.closing(browser_of(chromium, tmp_path / "profile")) as after, opened(after, run) as page:
        expect(page.locator(".judged").first.locator("[data-decision=reject]")).to_have_attribute(
            "aria-pressed", "true"
        )
        expect(page.locator(".judged").first.locator(".reason")).to_have_value("blurred")


def test_two_tabs_of_one_page_agree(browser: BrowserContext, run: Path) -> None:
    with opened(browser, run) as one, opened(browser, run) as other:
        one.locator(".judged").first.locator("[data-decision=reject]").click()
        one.locator(".judged").first.locator(".reason").fill("blurred")
        expect(other.locator(".judged").first.locator(".reason")).to_have_value("blurred")
        other.locator(".judged").nth(1).locator("[data-decision=accept]").click()
        other.locator("#reviewer").fill("Ada")
        expect(one.locator("#decision-count")).to_have_text("2 decisions, 2 not saved yet")
        expect(one.locator(".judged").nth(1).locator("[data-decision=accept]")).to_have_attribute(
            "aria-pressed", "true"
        )
        expect(one.locator("#reviewer")).to_have_value("Ada")
        one.locator(".judged").first.locator("[data-decision=reject]").click()  # taken back
        expect(other.locator("#decision-count")).to_have_text("1 decision, 1 not saved yet")
        expect(other.locator(".judged").first.locator("[aria-pressed=true]")).to_have_count(0)


def test_choices_stay_when_the_page_is_loaded_anew_and_can_be_taken_back(browser: BrowserContext, run: Path) -> None:
    with opened(browser, run) as page:
        first = page.locator(".judged").first
        first.locator("[data-decision=reject]").click()
        first.locator(".reason").fill("blurred")
        reload(page)
        expect(page.locator("#decision-count")).to_have_text("1 decision, 1 not saved yet")
        first = page.locator(".judged").first
        expect(first.locator("[data-decision=reject]")).to_have_attribute("aria-pressed", "true")
        expect(first.locator(".reason")).to_have_value("blurred")
        first.locator("[data-decision=reject]").click()
        expect(page.locator("#decisions")).to_be_hidden()
        first.locator("[data-decision=accept]").click()
        page.locator("#forget-decisions").click()
        expect(page.locator("#decision-count")).to_have_text("1 decision, 1 not saved yet")
        page.locator("#forget-decisions").click()
        expect(page.locator("#decisions")).to_be_hidden()
        expect(first.locator("[aria-pressed=true]")).to_have_count(0)
        reload(page)
        expect(page.locator("#decisions")).to_be_hidden()


def test_the_keyboard_decides_and_saves(browser: BrowserContext, run: Path, tmp_path: Path) -> None:
    with opened(browser, run) as page:
        first = page.locator(".judged").first
        first.locator("summary").first.focus()
        page.keyboard.press("r")
        expect(first.locator("[data-decision=reject]")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("a")
        expect(first.locator("[data-decision=accept]")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.dataset.decision") == "accept"
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type("a rare dissolve")
        page.locator("#save-decisions").focus()
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        download.value.save_as(tmp_path / "decisions.csv")
        assert "a rare dissolve" in (tmp_path / "decisions.csv").read_text(encoding="utf-8-sig")
        name = first.locator(".choosing").get_attribute("aria-label")
        assert name
        assert name.startswith("Decide: ")


def test_choices_about_labels_that_changed_are_forgotten(browser: BrowserContext, run: Path) -> None:
    with opened(browser, run) as page:
        page.locator(".judged [data-decision=reject]").first.click()
        path = run / "report" / "index.html"
        version = page.locator(".judged").first.get_attribute("data-version")
        assert version
        path.write_text(path.read_text().replace(version, "0123456789abcdef"))
        reload(page)
        expect(page.locator("#decisions")).to_be_hidden()
