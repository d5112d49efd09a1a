"""The report in a real browser: nothing is fetched, nothing hostile runs, evidence lights up, filters filter."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright

from data_cards.report import ReportClip, render_report
from schemas.config import RunConfig
from tests.data_cards import builders

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = "<img src=x onerror=alert(1)>.mp4"
N_CLIPS = 200

pytestmark = [
    pytest.mark.slow,
    # Where the browser is meant to be, its absence is an error and not a reason to look away.
    pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="no Chromium is installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "no Chromium is installed, and in CI there must be one"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def written(folder: Path, n_clips: int) -> str:
    """The address of a report on that many clips; the second one has a label that a check contradicts."""
    path = folder / "index.html"
    names = [HOSTILE, *(f"walk-{number:03d}.mp4" for number in range(1, n_clips))]
    clips = [builders.make_report_clip(name) for name in names]
    contradicted = builders.kept(builders.qa_label(clips[1].description.clip, 9, "freeze"), "contradicted")
    clips[1] = ReportClip(description=clips[1].description, labels=(*clips[1].labels, contradicted))
    summary, statistics = builders.make_summary(clips), builders.make_statistics(clips)
    path.write_text(render_report(summary, statistics, RunConfig(), clips, builders.make_problems(HOSTILE)))
    return path.as_uri()


@contextlib.contextmanager
def opened(browser: Browser, address: str) -> Iterator[Page]:
    """The open page; a console message, an error, a dialog or a request by the end is a failure."""
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    trouble: list[str] = []

    def on_dialog(dialog: Dialog) -> None:
        trouble.append(dialog.message)
        dialog.dismiss()

    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", on_dialog)
    page.on("request", lambda request: trouble.append(request.url))
    page.goto(address)
    yield page
    page.close()
    assert [entry for entry in trouble if not entry.startswith("data:")] == [address]


@pytest.fixture(scope="module")
def small_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("small"), 3)


@pytest.fixture
def page(browser: Browser, small_report: str) -> Iterator[Page]:
    with opened(browser, small_report) as page:
        yield page


@pytest.fixture(scope="module")
def large_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened(browser, written(tmp_path_factory.mktemp("large"), N_CLIPS)) as page:
        yield page


Hit = tuple[str | None, str | None]


def expect_hits(page: Page, expected: int | list[Hit], clip: int = 0) -> None:
    """That so many spans are marked, or exactly these; a busy machine may take a moment to show it."""
    marks = page.locator(".clip").nth(clip).locator(".hits rect")
    expect(marks).to_have_count(expected if isinstance(expected, int) else len(expected))
    for number, (x, width) in enumerate([] if isinstance(expected, int) else expected):
        expect(marks.nth(number)).to_have_attribute("x", str(x))
        expect(marks.nth(number)).to_have_attribute("width", str(width))


def test_a_hostile_name_is_shown_and_runs_nothing(page: Page) -> None:
    expect(page.locator(".clip h3").first).to_contain_text(HOSTILE)
    assert page.locator("img[src=x]").count() == 0


def test_a_click_on_a_label_marks_its_spans_and_opens_its_checks(page: Page) -> None:
    label = page.locator(".clip").first.locator(".label").first
    expect(label.locator(".check").first).not_to_be_visible()
    label.locator("summary").click()
    expect(label.locator(".check").first).to_be_visible()
    page.mouse.move(0, 0)
    expect_hits(page, [("0%", "100%"), ("55%", "6.667%"), ("33.333%", "4")])


def test_marks_lie_where_the_shots_are(page: Page) -> None:
    clip = page.locator(".clip").first
    clip.locator(".label[data-kind=sv6d] summary").nth(1).click()
    page.mouse.move(0, 0)
    mark, shot = clip.locator(".hits rect").bounding_box(), clip.locator(".lane.shots svg").nth(1).bounding_box()
    assert mark
    assert shot
    assert mark["x"] == pytest.approx(shot["x"], abs=1.5)
    assert mark["width"] == pytest.approx(shot["width"], abs=3)


def test_pointing_shows_and_leaving_hides(page: Page) -> None:
    page.locator(".label summary").first.hover()
    expect_hits(page, 3)
    page.mouse.move(0, 0)
    expect_hits(page, [])


def test_a_single_step_marks_only_what_it_rests_on(page: Page) -> None:
    label = page.locator(".label").first
    label.locator("summary").click()
    label.locator(".steps li").first.hover()
    expect_hits(page, [("33.333%", "4")])


def test_the_keyboard_does_all_of_it(page: Page) -> None:
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.locator(".label summary").first.focus()
    expect_hits(page, 3)
    page.keyboard.press("Enter")
    expect(page.locator(".label").first).to_have_attribute("open", "")
    # What was folded away can take the focus only once it is laid out.
    expect(page.locator(".label").first.locator("[tabindex]").first).to_be_visible()
    page.keyboard.press("Tab")
    expect_hits(page, [("33.333%", "4")])
    page.keyboard.press("Escape")
    expect(page.locator(".label").first).not_to_have_attribute("open", "")


def test_search_finds_one_clip_among_many(large_page: Page) -> None:
    page = large_page
    page.locator("#search").fill("WALK-117")
    expect(page.locator("#clip-count")).to_have_text(f"1 of {N_CLIPS} clips")
    expect(page.locator(".clip:not([hidden])")).to_have_count(1)
    page.locator("#search").fill("no such thing")
    expect(page.locator("#nothing")).to_be_visible()
    page.locator("#reset").click()
    expect(page.locator("#clip-count")).to_have_text(f"{N_CLIPS} of {N_CLIPS} clips")


def test_filters_leave_only_the_labels_that_suit(large_page: Page) -> None:
    page = large_page
    page.locator("#task").select_option("freeze")
    expect(page.locator("#clip-count")).to_have_text(f"1 of {N_CLIPS} clips")
    expect(page.locator(".clip:not([hidden]) .label:not([hidden])")).to_have_count(1)
    page.locator("#task").select_option("")
    page.locator("#outcome").select_option("contradicted")
    expect(page.locator("#clip-count")).to_have_text(f"1 of {N_CLIPS} clips")
    page.locator("#outcome").select_option("")
    page.locator("#kind").select_option("caption")
    expect(page.locator("#clip-count")).to_have_text(f"{N_CLIPS} of {N_CLIPS} clips")
    expect(page.locator(".clip").nth(5).locator(".label:not([hidden])")).to_have_count(1)


def test_problems_are_filtered_by_kind(page: Page) -> None:
    page.locator("#problems summary").click()
    page.locator("#problem-kind").select_option("MediaError")
    expect(page.locator("#problem-count")).to_have_text("1 of 4 rows")
    expect(page.locator(".problems tbody tr:visible")).to_contain_text("no frame could be decoded")


@pytest.mark.parametrize("width", [360, 768, 1360])
def test_nothing_is_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(page: Page, scheme: str) -> None:
    """The colours of text and its ground differ by at least WCAG 2.2's contrast of 4.5."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    ratios = page.evaluate(CONTRASTS)
    assert {selector: ratio for selector, ratio in ratios.items() if ratio < 4.5} == {}


CONTRASTS = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (value) => value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const ground = (element) => {
    for (let node = element; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
  };
  const result = {};
  for (const selector of ["h1", ".lead", ".note", ".zero", ".count", ".bad", ".facts .id", ".label .title", ".answer",
    ".meta", ".outcome.confirmed", ".outcome.unchecked", ".outcome.contradicted", ".role", ".check dt", ".letter",
    ".gutter.names", ".gutter.names i", "output", ".options .right", ".cause",
    ".outcome.rejected", ".verdicts .note", ".choosing button", "#save-decisions", ".decisions output"]) {
    const element = document.querySelector(selector);
    const [one, two] = [luminance(parse(getComputedStyle(element).color)), luminance(ground(element))];
    result[selector] = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  }
  return result;
}"""
