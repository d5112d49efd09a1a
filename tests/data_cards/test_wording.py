"""Untrusted text is shown as the characters it has; settings are told from their defaults."""

import shlex

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from data_cards import wording
from schemas.config import CardConfig, RunConfig, SplitConfig

HOSTILE = "| <script>alert(1)</script> --- : # \n---\n**bold** [link](http://evil.example) `code` \\| &amp; ~~x~~ $x$"


def shown_in_a_table(text: str) -> list[str]:
    """What a reader sees in the cells of the row that `text` is put into, and that nothing but text is there."""
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = markdown.parse(f"| a | b | c |\n| - | - | - |\n| x | {wording.markdown_text(text)} | z |\n")
    cells = [token for token in tokens if token.type == "inline"][3:]
    assert all(child.type in ("text", "text_special") for cell in cells for child in cell.children or [])
    return ["".join(child.content for child in cell.children or []) for cell in cells]


@given(st.text(max_size=60))
@example(HOSTILE)
@example("a|b\\|c\\\\|d")
@example("<!-- x --> <https://evil.example> http://evil.example www.evil.example")
def test_a_table_cell_shows_exactly_the_text(text: str) -> None:
    assert shown_in_a_table(text) == ["x", wording.plain_line(text), "z"]


@pytest.mark.parametrize(
    "text", ["# title", "- item", "1. item", "12) item", "> quote", "---", "===", "```", "    x", "+ a"]
)
def test_text_at_the_start_of_a_line_opens_no_block(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(wording.markdown_text(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert "".join(child.content for child in tokens[1].children or []) == text.strip()


def test_characters_that_hide_or_reorder_text_are_made_visible() -> None:
    assert wording.plain_line("evil\u202egpj.exe\x00\x1b[31m") == "evil\ufffdgpj.exe\ufffd\ufffd[31m"


def test_long_text_is_cut() -> None:
    assert len(wording.plain_line("x" * 10_000)) == 300


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (wording.duration(59.94), "59.9 s"),
        (wording.duration(200.2), "3 min 20 s"),
        (wording.duration(43_500), "12 h 05 min"),
        (wording.byte_size(1023), "1023 B"),
        (wording.byte_size(3 * 2**29), "1.5 GiB"),
        (wording.clock(3723.4564), "1:02:03.456"),
        (wording.clock(61.2), "1:01.200"),
        (wording.money(0.0084), "$0.0084"),
        (wording.money(1234.5), "$1,234.50"),
        (wording.share(1, 3), "33.3 %"),
        (wording.share(0, 0), "—"),
        (wording.figure(0.123456), "0.1235"),
        (wording.figure(20_000_000.0), "20000000"),
        (wording.figure(None), "—"),
    ],
)
def test_figures_are_worded(said: str, expected: str) -> None:
    assert said == expected


def test_a_rule_names_the_setting_that_decided_it() -> None:
    config = RunConfig(split=SplitConfig(min_clip_s=3.5))
    assert wording.threshold_of(config, "split.min_clip_s") == 3.5
    assert wording.threshold_of(config, "verify.evidence.cut_tolerance_frames") == 2
    assert wording.threshold_of(config, "verify.evidence") is None
    assert wording.threshold_of(config, "no.such.rule") is None


@given(st.text(max_size=40))
@example("it's; rm -rf / $(x)\n`y`")
@example("---")
@example("true")
@example("\n")
def test_the_reproduce_command_sets_exactly_what_differs(title: str) -> None:
    config = RunConfig(card=CardConfig(title=title), split=SplitConfig(max_clip_s=12.0))
    command = wording.reproduce_command(config)
    assert len(command.splitlines()) == 1
    pairs = [word.partition("=") for word in shlex.split(command) if "=" in word]
    changes = {name: yaml.safe_load(value) for name, _, value in pairs}
    default = {} if title == CardConfig().title else {"card.title": title}
    assert changes == {"split.max_clip_s": 12.0, **default}


def test_the_default_configuration_needs_no_setting() -> None:
    assert "--set" not in wording.reproduce_command(RunConfig())
