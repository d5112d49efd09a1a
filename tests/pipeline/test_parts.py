"""Parts are balanced by duration, fixed once made, and follow from the slices alone."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.parts import balance
from schemas.config import GridConfig
from schemas.media import PartSlice, Slice, VideoStream
from schemas.time import Span, TimeBase

MILLISECONDS = TimeBase(numerator=1, denominator=1000)
VIDEO = VideoStream(
    codec="h264", width=64, height=36, display_width=64, display_height=36, rotation_degrees=0, pixel_format="yuv420p",
    time_base=MILLISECONDS, is_interlaced=False, color_transfer="unknown", fps_from_header=25, fps_from_content=25,
    n_frames_from_header=0, n_frames_from_content=1, duration_s_from_header=0, duration_s_from_content=1,
    is_variable_frame_rate=False, n_keyframes=1,
)  # fmt: skip


def member(number: int, milliseconds: int) -> PartSlice:
    slice_ = Slice(
        slice_id=f"s{number}", source_id=f"v{number}", uri=f"/v{number}.mp4", name=f"v{number}.mp4", content_sha256="",
        index=0, n_slices=1, span=Span(start_pts=0, end_pts=milliseconds, time_base=MILLISECONDS), n_frames=1,
    )  # fmt: skip
    return PartSlice(slice=slice_, video=VIDEO)


configs = st.builds(
    GridConfig,
    part_duration_s=st.floats(1, 500),
    max_slices_per_part=st.integers(1, 6),
    min_parts=st.integers(1, 5),
)


@given(st.lists(st.integers(1, 300_000), max_size=30), configs)
def test_every_slice_is_in_exactly_one_part_and_no_part_is_too_full(lengths: list[int], config: GridConfig) -> None:
    slices = [member(number, length) for number, length in enumerate(lengths)]
    parts = balance(slices, config)
    assert sorted(m.slice.slice_id for part in parts for m in part) == sorted(m.slice.slice_id for m in slices)
    assert all(0 < len(part) <= config.max_slices_per_part for part in parts)
    assert parts == balance(slices, config)


@given(st.lists(st.integers(1, 300_000), min_size=1, max_size=30))
def test_the_longest_part_is_close_to_the_best_possible(lengths: list[int]) -> None:
    parts = balance([member(number, length) for number, length in enumerate(lengths)], GridConfig(part_duration_s=60))
    longest = max(sum(m.slice.span.duration_s for m in part) for part in parts)
    best = max(sum(lengths) / 1000 / len(parts), max(lengths) / 1000)
    assert longest <= 4 / 3 * best + 1e-6 or longest <= best + max(lengths) / 1000


def test_a_few_short_videos_still_make_work_for_several_workers() -> None:
    assert len(balance([member(n, 5000) for n in range(6)], GridConfig())) == 4
    assert len(balance([member(0, 5000)], GridConfig())) == 1
