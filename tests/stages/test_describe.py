"""What a description promises: the measured figures of exactly the clip's frames, on real videos with known truth."""

from fractions import Fraction
from itertools import chain, repeat
from pathlib import Path

import cv2
import numpy as np
import pytest

from jobs.samples import make_reel
from schemas.config import RunConfig
from schemas.evidence import Claim
from schemas.media import Clip, ListedSource, Source
from schemas.signals import CameraTerm, ClipDescription, SliceScan
from schemas.verdict import Verdict
from stages.clips.split import split_slice
from stages.describe import describe_clip
from stages.errors import StageError
from stages.evidence.claims import check_no_freeze
from stages.evidence.measurements import Measurements
from stages.media.probe import probe_source
from stages.pictures.embedding import EFFICIENTNET_LITE0, make_embedder
from stages.pictures.text import TextReader, make_reader
from stages.scan.slice_scan import scan_slice
from tests.corpus import Picture, moving_crop, textured_frame, write_video

CONFIG = RunConfig()
FPS = 25


def scanned(path: Path) -> tuple[Source, SliceScan]:
    listed = ListedSource(
        source_id=path.stem, uri=str(path), name=path.name, size_bytes=path.stat().st_size, version="1"
    )
    source = probe_source(listed, path, CONFIG.probe)
    assert not isinstance(source, Verdict)
    return source, scan_slice(source.slices[0], source.video, path, CONFIG.scan)


def clips_of(source: Source, scan: SliceScan) -> tuple[Clip, ...]:
    return split_slice(source.slices[0], scan, CONFIG.split).clips


def described(path: Path) -> tuple[ClipDescription, ...]:
    source, scan = scanned(path)
    return tuple(describe_clip(clip, scan, CONFIG.describe, None) for clip in clips_of(source, scan))


@pytest.fixture(scope="module")
def reader() -> TextReader:
    made = make_reader(CONFIG.describe)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> tuple[ClipDescription, ...]:
    """Three shots of 3 s: red and still but for a moving dot, blue panning right, a dark one that pans and freezes."""
    frames = chain(red_shot(), blue_shot(), freezing_shot())
    # One keyframe and little loss: a repeated picture stays the same picture.
    path = tmp_path_factory.mktemp("describe") / "edited.mp4"
    return described(write_video(path, frames, FPS, gop=250, options={"crf": "12"}))


def scene(seed: int, strength: tuple[float, float, float], width: int = 800) -> Picture:
    """A mosaic of sharp-edged tiles between one third of a colour and all of it."""
    tiles = np.random.default_rng(seed).uniform(0.33, 1, (40, width // 10, 1)) * np.array(strength)
    picture = cv2.resize(tiles, (width, 400), interpolation=cv2.INTER_NEAREST)
    return np.asarray(picture, np.uint8)


def red_shot() -> list[Picture]:
    background = scene(1, (255, 30, 30), 320)[:180]
    frames = []
    for number in range(75):
        frame = background.copy()
        cv2.circle(frame, (60 + 2 * number, 90), 12, (255, 255, 255), -1)
        frames.append(frame)
    return frames


def blue_shot() -> list[Picture]:
    # 320 x 180 pixels seen; 1.28 pixels a frame are 0.1 widths a second.
    return list(moving_crop(scene(2, (30, 60, 255)), 75, 180, 320, start=(300, 200), pan_px=1.28))


def freezing_shot() -> list[Picture]:
    moving = list(moving_crop(scene(3, (40, 90, 40)), 50, 180, 320, start=(300, 200), pan_px=2.56))
    return [*moving, *repeat(moving[-1], 25)]


def terms(description: ClipDescription) -> list[CameraTerm]:
    return [segment.term for shot in description.shots for segment in shot.camera]


def test_each_shot_has_its_own_camera(edited: tuple[ClipDescription, ...]) -> None:
    assert len(edited) == 3
    assert terms(edited[0]) == ["static"]
    assert terms(edited[1]) == ["pan_right"]
    assert terms(edited[2]) == ["pan_right", "static"]
    assert edited[1].shots[0].camera[0].pan_widths_per_s == pytest.approx(0.1, rel=0.1)


def test_each_shot_has_its_own_palette(edited: tuple[ClipDescription, ...]) -> None:
    assert [description.shots[0].palette[0].name for description in edited[:2]] == ["red", "blue"]


def test_a_first_frame_that_is_shown_for_long_is_no_freeze_to_anybody(tmp_path: Path) -> None:
    frames = moving_crop(scene(2, (30, 60, 255)), 60, 180, 320, start=(300, 200), pan_px=1.28)
    path = write_video(tmp_path / "late.mkv", frames, fps=FPS, pts=[0, *range(20, 79)], time_base=Fraction(1, FPS))
    source, scan = scanned(path)
    (clip,) = clips_of(source, scan)
    description = describe_clip(clip, scan, CONFIG.describe, None)
    assert description.frozen_spans == ()
    measurements = Measurements(description, scan, CONFIG.describe, CONFIG.verify.evidence)
    assert measurements.held == ()
    claim = Claim(quantity="no_freeze")
    assert check_no_freeze(claim, clip.span, measurements).outcome == "confirmed"


def test_a_freeze_is_found_with_its_first_and_last_frame(edited: tuple[ClipDescription, ...]) -> None:
    (freeze,) = edited[2].frozen_spans
    assert freeze.start_s == pytest.approx((150 + 49) / FPS, abs=1 / FPS)
    assert freeze.end_s == pytest.approx(225 / FPS)
    assert edited[0].frozen_spans == edited[1].frozen_spans == ()


def test_figures_are_means_over_exactly_the_shots_frames(tmp_path: Path) -> None:
    pictures = [scene(6, (255, 255, 255), 320)[:180], scene(7, (90, 90, 90), 320)[:180]]
    path = write_video(tmp_path / "two.mp4", chain.from_iterable(repeat(picture, 60) for picture in pictures), FPS)
    figures = [shot.luma_mean for description in described(path) for shot in description.shots]
    assert figures == pytest.approx([picture.mean() / 255 for picture in pictures], abs=0.01)


def test_a_description_is_of_the_clip_it_was_given(edited: tuple[ClipDescription, ...]) -> None:
    for description in edited:
        assert (description.display_width, description.display_height) == (320, 180)
        assert description.clip.span.covers(description.shots[0].span)
        assert all(description.clip.span.holds(keyframe.sample.pts) for keyframe in description.keyframes)
        assert len(description.keyframes) == CONFIG.describe.keyframes_per_clip


def test_speech_is_that_of_the_clip_alone(tmp_path: Path) -> None:
    source, scan = scanned(write_video(tmp_path / "a.mp4", chain(red_shot(), blue_shot()), FPS))
    first, second = clips_of(source, scan)
    cut = first.span.end_pts
    over = scan.span.replace(start_pts=cut - scan.span.time_base.ticks(1.0), end_pts=cut + 1)
    assert not describe_clip(first, scan, CONFIG.describe, None).speech_is_measured
    heard = scan.replace(speech=(over,), speech_is_measured=True)
    told = [describe_clip(clip, heard, CONFIG.describe, None) for clip in (first, second)]
    assert [one.speech for one in told] == [(over.replace(end_pts=cut),), ()]
    assert all(one.speech_is_measured for one in told)


def test_without_a_reader_text_is_not_measured_rather_than_absent(edited: tuple[ClipDescription, ...]) -> None:
    assert {(description.text_is_measured, description.text) for description in edited} == {(False, ())}


def test_without_an_embedder_no_keyframe_has_an_embedding(edited: tuple[ClipDescription, ...]) -> None:
    assert {description.embedder for description in edited} == {"none"}
    assert {keyframe.embedding for description in edited for keyframe in description.keyframes} == {()}


def test_keyframes_are_stored_with_embeddings_that_tell_shots_apart(tmp_path: Path) -> None:
    frames = chain(repeat(textured_frame(8), 75), repeat(textured_frame(9), 75))
    source, scan = scanned(write_video(tmp_path / "two.mp4", frames, FPS))
    embedder = make_embedder(EFFICIENTNET_LITE0, "cpu", "describe.embedder")
    descriptions = [
        describe_clip(clip, scan, CONFIG.describe, None, embedder=embedder) for clip in clips_of(source, scan)
    ]
    assert [description.embedder for description in descriptions] == [EFFICIENTNET_LITE0] * 2
    first, second = (
        np.array([keyframe.embedding for keyframe in description.keyframes]) for description in descriptions
    )
    assert (first @ first.T).min() > (first @ second.T).max() + 0.1


def test_a_contact_sheet_is_made_by_its_strategy_only(tmp_path: Path, edited: tuple[ClipDescription, ...]) -> None:
    assert {description.contact_sheet for description in edited} == {None}
    source, scan = scanned(write_video(tmp_path / "one.mp4", repeat(textured_frame(4), 100), FPS))
    config = CONFIG.describe.replace(keyframe_strategy="contact_sheet")
    (clip,) = clips_of(source, scan)
    description = describe_clip(clip, scan, config, None)
    assert description.contact_sheet is not None
    assert description.contact_sheet.pts == tuple(keyframe.sample.pts for keyframe in description.keyframes)
    assert (description.contact_sheet.columns, description.contact_sheet.rows) == (2, 2)


def test_a_clip_of_another_slice_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "one.mp4", repeat(textured_frame(4), 75), FPS)
    source, scan = scanned(path)
    (clip,) = clips_of(source, scan)
    with pytest.raises(StageError, match=r"one\.mp4: clip .* was given the scan of slice"):
        describe_clip(clip.replace(slice_id="other-000"), scan, CONFIG.describe, None)


def test_a_black_stretch_inside_a_clip_is_told(tmp_path: Path) -> None:
    scene = textured_frame(5)
    frames = [*repeat(scene, 50), *repeat(np.zeros_like(scene), 25), *repeat(scene, 50)]
    source, scan = scanned(write_video(tmp_path / "gap.mp4", frames, FPS))
    # Whatever the detectors make of the gap, the clip described here runs over it.
    (clip,) = split_slice(source.slices[0], scan.replace(transitions=()), CONFIG.split).clips
    (black,) = describe_clip(clip, scan, CONFIG.describe, None).black_spans
    assert (black.start_s, black.end_s) == (2.0, 3.0)


def test_the_sample_reel_is_described_as_its_truth_says(reader: TextReader) -> None:
    truth = make_reel.truth()
    source, scan = scanned(make_reel.REEL)
    config = CONFIG.describe.replace(text_samples_per_shot=1)
    descriptions = [describe_clip(clip, scan, config, reader) for clip in clips_of(source, scan)]

    found = [[segment.term for segment in shot.camera] for one in descriptions for shot in one.shots]
    assert found == [[segment["term"] for segment in shot["camera"]] for shot in truth["shots"]]

    texts = {detection.text for one in descriptions for detection in one.text}
    assert texts == {text["text"] for text in truth["texts"]}
    frozen = [span for one in descriptions for span in one.frozen_spans]
    spans = [(freeze["start_frame"] / FPS, freeze["end_frame"] / FPS) for freeze in truth["freezes"]]
    assert [(span.start_s, span.end_s) for span in frozen] == [pytest.approx(span, abs=1 / FPS) for span in spans]
    lumas = [shot.luma_mean for one in descriptions for shot in one.shots]
    assert (int(np.argmin(lumas)), int(np.argmax(lumas))) == (truth["darkest_shot"], truth["brightest_shot"])
