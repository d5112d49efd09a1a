"""What was measured: per-frame series of a slice, and the figures of a clip.

Shape legend: T = frames of the slice, M = motion samples of the slice.
Here: the records. Not here: how anything is measured (`stages`).
"""

from typing import Annotated, Any, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import BeforeValidator, Field, model_validator

from schemas.base import ArrowType, BoolSeries, Float32Series, Int64Series, Record
from schemas.media import Clip, FrameSample, Transition
from schemas.time import Span


def _at_half_precision(values: Any) -> tuple[float, ...]:
    return tuple(np.asarray(values, dtype=np.float16).tolist())


class _SeriesOfOneLength(Record):
    """Nothing but series, all of one length."""

    @model_validator(mode="after")
    def _has_one_length(self) -> Self:
        lengths = {name: len(getattr(self, name)) for name in type(self).model_fields}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"series of one slice differ in length: {lengths}")
        return self


class FrameSignals(_SeriesOfOneLength):
    """One value per decoded frame, in presentation order; every series has length T.

    Differences compare with the frame before; the first frame of a slice has difference 0 and similarity 1.
    """

    pts: Int64Series
    """Presentation timestamp in ticks of the source's video time base, strictly increasing."""
    luma_mean: Float32Series
    """Mean luma, 0 (black) to 1 (white)."""
    luma_spread: Float32Series
    """Standard deviation of luma, 0 to 0.5."""
    saturation_mean: Float32Series
    """Mean HSV saturation, 0 to 1."""
    content_distance: Float32Series
    """Mean absolute HSV difference, 0 to 255: the figure PySceneDetect's ContentDetector thresholds."""
    histogram_distance: Float32Series
    """Half the L1 distance of the hue-saturation histograms, 0 to 1."""
    structural_similarity: Float32Series
    """SSIM on the luma proxy, -1 to 1 (Wang et al. 2004): mean over windows of 8x8 pixels, 4 apart."""
    moving_ratio: Float32Series
    """Share of these windows whose own SSIM is below `scan.moving_similarity`, 0 to 1 (the gate of GRT)."""
    sharpness: Float32Series
    """Variance of the Laplacian of the luma proxy (0 to 255 scale), 0 upwards."""
    is_black: BoolSeries
    is_frozen: BoolSeries
    """Whether the frame repeats the one before it."""


class SampleSignals(_SeriesOfOneLength):
    """One value per frame sample of a slice, in presentation order; every series has the samples' length."""

    pts: Int64Series
    patch_similarity: Float32Series
    """Share of similar 28x28 patches relative to the last slow frame, 0 to 1 (Keye-VL-1.5); 1 on the first."""
    is_slow: BoolSeries
    """Whether the sample is a slow frame in the sense of Keye-VL-1.5; the first is."""


class MotionSignals(_SeriesOfOneLength):
    """Camera and subject motion between pairs of frames, at a lower rate than the frames; every series has length M."""

    start_pts: Int64Series
    """pts of the earlier frame of the pair."""
    end_pts: Int64Series
    """pts of the later frame of the pair."""
    pan_widths_per_s: Float32Series
    """Horizontal camera motion in picture widths per second; positive: the camera turns right (content moves left)."""
    tilt_heights_per_s: Float32Series
    """Vertical camera motion in picture heights per second; positive: the camera turns up (content moves down)."""
    zoom_per_s: Float32Series
    """Natural logarithm of the scale change per second; positive: zoom in."""
    roll_degrees_per_s: Float32Series
    """Rotation of the content in degrees per second; positive: clockwise."""
    inlier_ratio: Float32Series
    """Share of the textured picture that follows the camera model, 0 to 1; low: the estimate is not to be trusted."""
    subject_ratio: Float32Series
    """Share of the textured picture that moves, but not with the camera, 0 to 1; what is lost to sight is neither."""
    subject_motion_widths_per_s: Float32Series
    """Median motion of that share relative to the camera, picture widths per second; 0 where there is none."""


class SliceScan(Record):
    """What the one decode of a slice left behind."""

    slice_id: str
    source_id: str
    span: Span
    """From the first decoded frame to the end of the last."""
    display_width: int
    display_height: int
    frames: FrameSignals
    motion: MotionSignals
    samples: SampleSignals
    transitions: tuple[Transition, ...]
    frame_samples: tuple[FrameSample, ...] = Field(default=(), repr=False)
    """Empty where the reader left the pictures in the table."""
    speech: tuple[Span, ...] = ()
    """Where somebody speaks, in order; the spans lie inside `span` and apart from each other."""
    speech_is_measured: bool = False
    """Whether the sound was heard: no span then means that nobody speaks. True for a source without sound."""
    problems: tuple[str, ...] = ()
    """What could not be decoded, one sentence each."""


CameraTerm = Literal[
    "static", "pan_left", "pan_right", "tilt_up", "tilt_down", "zoom_in", "zoom_out", "roll_clockwise",
    "roll_counterclockwise", "handheld", "mixed", "unclear",
]  # fmt: skip
"""What a person would call the camera's motion; the numbers are those of `describe`, the rule is `stages.camera`'s.

`static`: every motion below its static threshold, and hardly a shake; `pan_*`, `tilt_*`, `zoom_*`, `roll_*`: this one
above its moving threshold and clearly ahead of all others; `mixed`: several above theirs at once; `handheld`: it shakes
more than it travels; `unclear`: between these, or the estimate is not to be trusted, so nothing is claimed.
"""


class CameraSegment(Record):
    """A stretch of a clip with one camera motion."""

    span: Span
    term: CameraTerm
    pan_widths_per_s: float
    tilt_heights_per_s: float
    zoom_per_s: float
    roll_degrees_per_s: float
    shake: float
    """Standard deviation of frame-to-frame translation about its mean, picture widths per second."""
    subject_ratio: float
    """Share of the textured picture that moves otherwise than the camera, 0 to 1."""
    subject_motion_widths_per_s: float
    inlier_ratio: float


class PaletteColour(Record):
    """One dominant colour of a clip."""

    name: str
    """Basic colour term (Berlin and Kay's eleven)."""
    red: int = Field(ge=0, le=255)
    green: int = Field(ge=0, le=255)
    blue: int = Field(ge=0, le=255)
    share: float = Field(ge=0, le=1)
    """Share of pixels, 0 to 1."""


class TextDetection(Record):
    """Text seen on one frame sample."""

    text: str
    score: float = Field(ge=0, le=1)
    pts: int
    left: float = Field(ge=0, le=1)
    """Left edge as a share of the picture width; the box is axis-aligned, origin top left."""
    top: float = Field(ge=0, le=1)
    right: float = Field(ge=0, le=1)
    bottom: float = Field(ge=0, le=1)


class ShotFigures(Record):
    """The figures of one shot of a clip: means over its frames."""

    index: int
    span: Span
    luma_mean: float
    luma_spread: float
    saturation_mean: float
    sharpness: float
    palette: tuple[PaletteColour, ...]
    camera: tuple[CameraSegment, ...]
    """Consecutive segments in order; they do not overlap."""


Embedding = Annotated[tuple[float, ...], BeforeValidator(_at_half_precision), ArrowType(pa.list_(pa.float16()))]
"""A picture's embedding, of length 1 (L2), held at float16 precision so that it survives the table unchanged."""


class Keyframe(Record):
    """A frame sample chosen to stand for a clip, with why."""

    sample: FrameSample
    strategy: str
    """The strategy that chose it; `farthest_in_time` where that chose too few and the clip has more samples."""
    sharpness: float
    span: Span | None = None
    """The key clip around it, where the strategy grows one (`key_clips`); None elsewhere."""
    embedding: Embedding = ()
    """What `ClipDescription.embedder` makes of the picture; empty where there is none."""


class ContactSheet(Record):
    """A clip's keyframes as one picture, in reading order (IG-VLM)."""

    width: int
    height: int
    columns: int
    rows: int
    pts: tuple[int, ...]
    """Of each picture in order; cells after the last are black."""
    jpeg: bytes = Field(repr=False)


class ClipDescription(Record):
    """What `describe` measured of one clip."""

    clip: Clip
    display_width: int
    display_height: int
    luma_mean: float
    luma_spread: float
    saturation_mean: float
    sharpness: float
    shots: tuple[ShotFigures, ...]
    frozen_spans: tuple[Span, ...]
    """Stretches that repeat one picture for at least `describe.min_freeze_s`."""
    black_spans: tuple[Span, ...]
    text_is_measured: bool
    """Whether text recognition ran: no detection then means that no text was found."""
    text: tuple[TextDetection, ...]
    speech: tuple[Span, ...] = ()
    """Where somebody speaks, in order, inside the clip."""
    speech_is_measured: bool = False
    """Whether the sound was heard: no span then means that nobody speaks. True for a source without sound."""
    embedder: str = "none"
    """The model whose embeddings the keyframes hold; only those of one model can be compared."""
    keyframes: tuple[Keyframe, ...] = ()
    """Empty where the reader left the pictures in the table."""
    contact_sheet: ContactSheet | None = Field(default=None, repr=False)
    """None where the strategy makes none, or the reader left the picture in the table."""
