"""What the benchmarks measure with: fair turns, ratios of the same round, inputs of the right length, kept results."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks import results
from tests.benchmarks.contest import Times, race
from tests.benchmarks.figures import Figure, at_least, at_most, spell, spell_target
from tests.benchmarks.footage import H264, SAMPLES, Footages, real_videos
from tests.benchmarks.utilisation import Busy, Utilisation, utilisation_of


def test_everybody_runs_once_a_round_and_another_begins_each_time() -> None:
    order: list[str] = []

    def runner(name: str, seconds: float) -> Callable[[], float]:
        def run() -> float:
            order.append(name)
            return seconds

        return run

    times = race({"a": runner("a", 3.0), "b": runner("b", 2.0), "c": runner("c", 1.0)}, 3, lambda _: None)
    assert "".join(order) == "abcbcacab"
    assert (times.median_s("a"), times.ratio("a", "b")) == (3.0, 1.5)


def test_a_slow_round_slows_both_and_leaves_their_ratio_alone() -> None:
    times = Times({"ours": [1.1, 8.8, 1.1], "limit": [1.0, 8.0, 1.0]})
    assert times.ratio("ours", "limit") == pytest.approx(1.1)
    assert times.spread("ours", "limit") == "1.10 to 1.10 in 3 rounds"


def test_cores_are_busy_between_the_first_and_the_last_look_at_an_open_video() -> None:
    looks = [
        Busy(0.0, 5.0, 900, is_scanning=False),
        Busy(1.0, 5.5, 300, is_scanning=True),
        Busy(2.0, 6.0, 500, is_scanning=False),
        Busy(3.0, 8.5, 400, is_scanning=True),
        Busy(9.0, 30.0, 900, is_scanning=False),
    ]
    assert utilisation_of(looks) == Utilisation(share=0.75, wall_s=2.0, peak_memory_bytes=500)
    assert utilisation_of(looks[:2]) is None


def test_inputs_have_the_length_asked_for_and_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("REELPROOF_BENCH_VIDEOS", raising=False)
    videos, told = real_videos(), list[str]()
    assert [video.parent for video in videos] == [SAMPLES] * len(videos)
    footages = Footages(videos, told.append)
    short = footages.encoded("short", 160, 90, 3, H264)
    assert (short.n_frames, short.duration_s) == (75, 3.0)
    long = footages.looped("long", short, 10)
    assert long.n_frames == pytest.approx(250, abs=3)
    assert footages.encoded("short", 160, 90, 3, H264) == short
    assert told == ["making short …", "making long …"]


@pytest.mark.parametrize(
    ("figure", "target"),
    [
        (at_most("a", 1.2, "", 1.15), "≤ 1.15"),
        (at_most("a", 1.1, "", 1.15), "≤ 1.15"),
        (at_least("a", 1.1, "", 1.15), "≥ 1.15"),
        (at_least("a", 1.2, "", 1.15), "≥ 1.15"),
        (at_least("a", 1.0, "", 1.0), "= 1"),
        (Figure("a", 1.2, ""), ""),
    ],
)
def test_a_target_shows_its_good_side(figure: Figure, target: str) -> None:
    assert spell_target(figure) == target


def test_a_figure_is_a_finite_number_that_judges_its_target() -> None:
    with pytest.raises(ValueError, match="finite"):
        Figure("a", float("nan"), "")
    with pytest.raises(ValueError, match="holds its target"):
        Figure("a", 1.0, "", target=2.0)
    assert [spell(value) for value in (0.97312, 1.08, 12.44, 21_340.4)] == ["0.973", "1.08", "12.4", "21,340"]


def test_measuring_again_replaces_its_own_section_and_keeps_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "RESULTS.md"
    monkeypatch.setattr(results, "machine_kind", lambda: "large machine")
    results.write_results("scan", [Figure("speed", 7.0, "times")], path)
    monkeypatch.setattr(results, "machine_kind", lambda: "small machine")
    results.write_results("scan", [Figure("speed", 1.0, "times")], path)
    path.write_text(path.read_text() + "\n## Remarks\n\nWritten by hand.\n")
    results.write_results("scan", [at_most("speed", 2.0, "times", 1.5, peer={"x|y": 3.0}, note="slow")], path)
    text = path.read_text()
    assert "| speed | 7 times |" in text
    assert "| speed | 2 times | ≤ 1.5 | **no** | x\\|y 3 |  | slow |" in text
    assert "| speed | 1 times |" not in text
    assert text.rstrip().endswith("## Remarks\n\nWritten by hand.")
    assert text.index("large machine") < text.index("small machine") < text.index("Remarks")
    assert str(tmp_path) not in text
