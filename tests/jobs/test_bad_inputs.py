"""Bad input costs nobody else anything: it is a row that names the file and the cause."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.annotators.reel import REEL
from tests.corpus import textured_frame, write_video
from tests.product import assert_accounted_for, reelproof, results, rows, status


@pytest.fixture(scope="module")
def mixed_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over good, damaged, sound-only, empty, hostile and absurd files together."""
    folder = tmp_path_factory.mktemp("mixed")
    videos = folder / "videos"
    videos.mkdir()
    frames = [np.roll(textured_frame(1, 144, 256), shift, axis=1) for shift in range(75)]
    good = write_video(videos / "good.mp4", frames, fps=25, gop=12)
    damage(write_video(videos / "damaged.avi", frames, fps=25, codec="mpeg4", gop=12))
    truncated = write_video(folder / "whole.mkv", frames, fps=25, gop=12).read_bytes()
    (videos / "truncated.mkv").write_bytes(truncated[: len(truncated) // 2])
    (videos / "empty.mp4").touch()
    (videos / "text.mp4").write_text("this is no video\n" * 100)
    (videos / "playlist.mp4").write_text(f"#EXTM3U\n#EXTINF:3,\n{good}\n#EXT-X-ENDLIST\n")
    (videos / "concat.mp4").write_text(f"ffconcat version 1.0\nfile '{good}'\n")
    sound_only(videos / "sound.mkv")
    shutil.copy(good, videos / "again <b>|`$(x)`.mp4")
    output = folder / "run"
    finished = reelproof("run", "--input", str(videos), "--output", str(output), "--runner", "local")
    assert finished.returncode == 1, finished.stderr
    return output


def damage(path: Path) -> None:
    """Overwrite a stretch in the middle of a file."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 20] = bytes(len(data) // 20)
    path.write_bytes(bytes(data))


def sound_only(path: Path) -> None:
    """A file with a sound track and no picture."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        for index in range(50):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44100, index * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def outcome(run: Path, name: str) -> tuple[str, str]:
    (row,) = [row for row in rows(run, "probe") if row["subject"] == name]
    if row["outcome"] == "rejection":
        return "rejection", row["rejection"]["verdict"]["rule"]
    return row["outcome"], (row["failure"] or {}).get("message", "")


def test_every_unit_is_accounted_for(mixed_run: Path) -> None:
    assert_accounted_for(mixed_run)
    assert status(mixed_run)["sources"] == 9


def test_good_videos_come_out_whole(mixed_run: Path) -> None:
    packaged = {sample["source_name"]: sample["n_frames"] for sample in results(mixed_run, "package")}
    assert packaged["good.mp4"] == packaged["again <b>|`$(x)`.mp4"] == 75


def test_a_damaged_video_yields_what_can_be_decoded_and_says_what_could_not(mixed_run: Path) -> None:
    scans = {scan["source_id"].rsplit("-", 1)[0]: scan for scan in results(mixed_run, "scan")}
    probes = {source["name"]: source for source in results(mixed_run, "probe")}
    for name in ("damaged.avi", "truncated.mkv"):
        scan = scans[name.split(".")[0]]
        assert 20 < len(scan["frames"]["pts"]) <= 75
        assert scan["problems"] or probes[name]["problems"], name


@pytest.mark.parametrize("name", ["empty.mp4", "text.mp4", "playlist.mp4", "concat.mp4"])
def test_what_is_no_video_is_a_failure_that_names_it(mixed_run: Path, name: str) -> None:
    kind, message = outcome(mixed_run, name)
    assert kind == "failure"
    assert name in message
    assert "\n" not in message


def test_sound_without_pictures_is_rejected_by_a_rule(mixed_run: Path) -> None:
    assert outcome(mixed_run, "sound.mkv") == ("rejection", "probe.has_video")


def test_names_are_shown_as_the_characters_they_are(mixed_run: Path) -> None:
    page = (mixed_run / "report/index.html").read_text()
    assert "again &lt;b&gt;|" in page
    assert "again <b>" not in page


def test_caps_are_rules_with_the_figure_that_broke_them(tmp_path: Path) -> None:
    frames = [textured_frame(1, 72, 128)] * 30
    write_video(tmp_path / "videos.mp4", frames, fps=10)
    finished = reelproof(
        "run", "--input", str(tmp_path / "videos.mp4"), "--output", str(tmp_path / "run"), "--runner", "local",
        "--set", "probe.max_duration_s=2", "--until", "probe",
    )  # fmt: skip
    assert finished.returncode == 0
    (row,) = rows(tmp_path / "run", "probe")
    verdict = row["rejection"]["verdict"]
    assert (verdict["rule"], verdict["threshold"]) == ("probe.max_duration_s", 2.0)
    assert verdict["score"] > 2


def test_clips_without_a_picture_fail_and_say_what_to_set(tmp_path: Path) -> None:
    finished = reelproof(
        "run", "--input", str(REEL), "--output", str(tmp_path / "run"), "--runner", "local",
        "--set", "scan.sample_fps=0.01", "--set", "describe.text=none",
    )  # fmt: skip
    assert finished.returncode == 1
    failed = [row["failure"]["message"] for row in rows(tmp_path / "run", "describe") if row["failure"]]
    assert failed
    assert all("reel.mp4: no frame was sampled" in message for message in failed)
    assert all("raise scan.sample_fps" in message for message in failed)
    assert_accounted_for(tmp_path / "run")


def test_a_name_that_is_no_utf8_is_a_failure_that_says_so(tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    good = write_video(videos / "good.mp4", [textured_frame(1, 72, 128)] * 60, fps=25)
    Path(os.fsdecode(bytes(videos) + b"/bad\xff.mp4")).write_bytes(good.read_bytes())
    output = tmp_path / "run"
    finished = reelproof("run", "--input", str(videos), "--output", str(output), "--runner", "local")
    assert finished.returncode == 1, finished.stderr
    (failed,) = [row["failure"]["message"] for row in rows(output, "probe") if row["failure"]]
    assert failed == r"bad\xff.mp4: the file is gone, or its name is no UTF-8; if so, rename it"
    assert len(results(output, "package")) == 1


def test_a_run_in_which_nothing_is_a_video_still_ends_with_a_card_and_a_report(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    output = tmp_path / "run"
    finished = reelproof("run", "--input", str(tmp_path / "empty.mp4"), "--output", str(output), "--runner", "local")
    assert finished.returncode == 1
    assert "empty.mp4" in finished.stdout
    assert_accounted_for(output)
    assert (output / "README.md").exists()
    assert "empty.mp4" in (output / "report/index.html").read_text()
