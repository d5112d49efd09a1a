"""What a video is: sources, slices, shots, clips and frame samples.

Here: records of the media and of where it was cut. Not here: what was measured on it (`schemas.signals`).
"""

from typing import Literal

from pydantic import Field

from schemas.base import Record
from schemas.time import Span, TimeBase
from schemas.verdict import Verdict

TransitionKind = Literal["cut", "dissolve", "fade_out_in", "fade_in", "fade_out", "fade_white", "wipe", "gradual"]
"""Fades go to, from or through black; `fade_white` goes to, from or through white. `gradual` is a slow transition whose
kind could not be told."""

EdgeKind = Literal[
    "source_start", "source_end", "slice_boundary", "cut", "dissolve", "fade_out_in", "fade_in", "fade_out",
    "fade_white", "wipe", "gradual", "length_limit",
]  # fmt: skip
"""Why a shot or clip begins or ends where it does; `length_limit` is a cut of ours inside a long shot."""


class ListedSource(Record):
    """One line of the listing: what the storage says about an input before anybody opens it."""

    source_id: str
    """`<readable stem>-<hash of the name>`: the same wherever the input's folder lies; no dots, slashes or spaces."""
    uri: str
    """Where the file is: an absolute path, or a URL that fsspec understands."""
    name: str
    """Path relative to the input it was found under; the only name that is ever published."""
    size_bytes: int = Field(ge=0)
    version: str
    """What storage offers to tell versions of the file apart: an etag, or the modification time."""


class VideoStream(Record):
    """Facts about the chosen video stream, those from the header apart from those from the content."""

    codec: str
    width: int
    """Coded width in pixels, before rotation and aspect correction."""
    height: int
    display_width: int
    """Width in pixels as a player shows it: sample aspect ratio and rotation applied."""
    display_height: int
    rotation_degrees: int
    """Clockwise rotation a player applies: 0, 90, 180 or 270."""
    pixel_format: str
    time_base: TimeBase
    is_interlaced: bool
    color_transfer: str
    """Transfer characteristic as ffmpeg names it (`bt709`, `smpte2084` …); `unknown` where the file does not say."""
    fps_from_header: float
    """Average frames per second as the header claims; 0 where it does not."""
    fps_from_content: float
    """Frames over duration, from the packets' timestamps."""
    n_frames_from_header: int
    """Frame count as the header claims; 0 where it does not."""
    n_frames_from_content: int
    """Video packets that were read."""
    duration_s_from_header: float
    """Seconds the header claims; 0 where it does not."""
    duration_s_from_content: float
    """Seconds from the first to the end of the last frame."""
    is_variable_frame_rate: bool
    """Whether frame intervals differ by more than one tick."""
    n_keyframes: int


class AudioStream(Record):
    """Facts about the chosen audio stream."""

    codec: str
    sample_rate_hz: int
    n_channels: int


class Slice(Record):
    """A stretch of one source, at most `probe.max_slice_s` long, cut at codec keyframes."""

    slice_id: str
    source_id: str
    uri: str
    name: str
    content_sha256: str
    """Hash of the whole source file."""
    index: int
    """Position among the source's slices, from 0."""
    n_slices: int
    span: Span
    n_frames: int
    """Video packets whose pts lies in the span."""


class Source(Record):
    """What `probe` learned of one input."""

    source_id: str
    uri: str
    name: str
    size_bytes: int
    content_sha256: str
    container: str
    """Demuxer that read it, as ffmpeg names it."""
    video: VideoStream
    audio: AudioStream | None
    problems: tuple[str, ...] = ()
    """What was wrong with the file though it could be read, one sentence each."""
    slices: tuple[Slice, ...]


class PartSlice(Record):
    """A slice as a part holds it: with what is known of its source's video stream."""

    slice: Slice
    video: VideoStream


class Transition(Record):
    """Where one shot gives way to the next."""

    kind: TransitionKind
    span: Span
    """From the first frame that shows the new shot (or black) to the first that shows nothing else. Empty for a cut,
    at the first frame of the new shot."""
    score: float
    """The detector's own figure for how strong the change is."""
    similarity: float = Field(ge=0, le=1)
    """Hue-saturation histogram intersection of the last clean frame before and the first clean frame after."""
    detector: str


class Shot(Record):
    """`[start, end)` between two transitions, within one slice."""

    index: int
    """Position among the slice's shots, from 0."""
    span: Span
    n_frames: int
    starts_with: EdgeKind
    ends_with: EdgeKind


class Clip(Record):
    """The training unit: one shot, or adjacent shots stitched together."""

    clip_id: str
    """`<slice_id>-<start ms>-<end ms>`: the same span has the same id, whatever thresholds led to it."""
    source_id: str
    slice_id: str
    uri: str
    name: str
    span: Span
    n_frames: int
    shots: tuple[Shot, ...]
    """The shots inside, clamped to the clip."""
    transitions: tuple[Transition, ...]
    """The transitions wholly inside, in order."""


class SliceSplit(Record):
    """What `split` made of one slice."""

    slice_id: str
    shots: tuple[Shot, ...]
    clips: tuple[Clip, ...]
    """The clips that are kept."""
    verdicts: tuple[Verdict, ...]
    """One per candidate clip, kept or rejected: nothing is dropped without its reason."""


class FrameSample(Record):
    """A decoded frame kept as JPEG, with its exact timestamp."""

    pts: int
    width: int
    height: int
    jpeg: bytes = Field(repr=False)
