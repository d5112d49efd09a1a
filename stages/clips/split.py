"""From transitions to clips: shots, candidates made of one shot or several, cutting of long ones, verdicts on each.

Here: arithmetic on the scan of one slice. Not here: finding transitions (`stages.transitions.detectors`), which shots
are joined (`stages.clips.stitch`, `stages.clips.scenes`), or cutting files (`stages.cutting.cut`).
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Literal

from schemas.config import SplitConfig
from schemas.media import Clip, EdgeKind, Shot, Slice, SliceSplit, Transition
from schemas.signals import SliceScan
from schemas.time import Span, TimeBase
from schemas.verdict import Verdict
from stages.clips.scenes import group_scenes, shot_similarities
from stages.clips.stitch import stitch
from stages.errors import StageError
from stages.pictures.embedding import Embedder

BLACK_SHOT_SHARE = 0.9
"""Share of black frames from which a shot shows nothing and becomes no clip."""

_GRADUAL: tuple[EdgeKind, ...] = ("dissolve", "fade_out_in", "fade_in", "fade_out", "fade_white", "wipe", "gradual")


def split_slice(slice_: Slice, scan: SliceScan, config: SplitConfig, embedder: Embedder | None = None) -> SliceSplit:
    """The slice's shots, the clips made of them, and one verdict on every candidate clip.

    Every decoded frame lies in exactly one candidate or transition, but for those that `edge_trim_s` takes away. Spans
    start at a frame's pts and end at the pts of the first frame after, or at the end of the scan. Candidates that are
    too short, or black, are rejected. Shots are joined as `split.unit` says. `embedder`, for scenes, compares shots by
    frame samples beside their boundaries; None goes by the similarity stored with each transition.

    Raises:
        StageError: the scan is not of this slice, or holds no frame, or none of the pictures that `embedder` needs.
        MediaError: a frame sample is no JPEG.
    """
    if scan.slice_id != slice_.slice_id:
        raise StageError(f"{slice_.name}: slice {slice_.slice_id} was given the scan of {scan.slice_id}")
    if not scan.frames.pts:
        raise StageError(f"{slice_.name}: slice {slice_.slice_id} has no decoded frame to split")
    timeline = _Timeline((*scan.frames.pts, scan.span.end_pts), scan.span.time_base)
    transitions = sorted(scan.transitions, key=lambda transition: (transition.span.start_pts, transition.span.end_pts))
    shots = _shots(slice_, timeline, transitions)
    black_shares = [_black_share(scan, shot, timeline) for shot in shots]
    similarities = _similarities(slice_.name, shots, black_shares, transitions, scan, config, embedder)

    clips, verdicts = [], []
    for candidate in _candidates(shots, black_shares, similarities, timeline, config):
        clip = _clip(slice_, candidate, transitions, timeline)
        verdict = _verdict(clip, candidate, config, timeline)
        verdicts.append(verdict)
        clips += [clip] if verdict.decision == "keep" else []
    return SliceSplit(slice_id=slice_.slice_id, shots=tuple(shots), clips=tuple(clips), verdicts=tuple(verdicts))


@dataclass(frozen=True)
class _Timeline:
    """Frame boundaries of a slice: the pts of every frame, then the end of the last."""

    boundaries: tuple[int, ...]
    time_base: TimeBase

    @property
    def n_frames(self) -> int:
        return len(self.boundaries) - 1

    def frame_at(self, pts: int | Fraction) -> int:
        """The first frame that starts at `pts` or later."""
        return min(bisect_left(self.boundaries, pts), self.n_frames)

    def frames_until(self, pts: int | Fraction) -> int:
        """How many frames have ended at `pts`."""
        return max(bisect_right(self.boundaries, pts) - 1, 0)

    def span(self, first: int, end: int) -> Span:
        """The span of frames `first` to `end`, the latter not included."""
        return Span(start_pts=self.boundaries[first], end_pts=self.boundaries[end], time_base=self.time_base)

    def ticks(self, seconds: float) -> Fraction:
        """A setting in ticks, exactly as it was written (0.1 is one tenth)."""
        return Fraction(str(seconds)) / self.time_base.fraction


@dataclass(frozen=True)
class _Candidate:
    """Frames `[first, end)` that may become a clip, and the shots that they come from."""

    first: int
    end: int
    shots: tuple[Shot, ...]
    is_cut_before: bool = False
    """Whether it starts with a cut of ours inside a long shot."""
    is_cut_after: bool = False
    black_share: float = 0.0
    is_trimmed_away: bool = False


def _shots(slice_: Slice, timeline: _Timeline, transitions: Sequence[Transition]) -> list[Shot]:
    """What lies between the transitions; where two of them meet there is no shot."""
    starts_with: EdgeKind = "source_start" if slice_.index == 0 else "slice_boundary"
    last_edge: EdgeKind = "source_end" if slice_.index == slice_.n_slices - 1 else "slice_boundary"
    shots: list[Shot] = []
    first = 0
    for transition in (*transitions, None):
        end = timeline.frame_at(transition.span.start_pts) if transition else timeline.n_frames
        ends_with: EdgeKind = transition.kind if transition else last_edge
        if first < end:
            span = timeline.span(first, end)
            shot = Shot(index=len(shots), span=span, n_frames=end - first, starts_with=starts_with, ends_with=ends_with)
            shots.append(shot)
        if transition:
            first = max(first, timeline.frame_at(transition.span.end_pts))
            starts_with = transition.kind
    return shots


def _black_share(scan: SliceScan, shot: Shot, timeline: _Timeline) -> float:
    first = timeline.frame_at(shot.span.start_pts)
    return sum(scan.frames.is_black[first : first + shot.n_frames]) / shot.n_frames


def _candidates(
    shots: Sequence[Shot],
    black_shares: Sequence[float],
    similarities: Sequence[float],
    timeline: _Timeline,
    config: SplitConfig,
) -> Iterator[_Candidate]:
    """Every candidate clip in order: joined, trimmed and cut to length."""
    min_ticks, max_ticks = timeline.ticks(config.min_clip_s), timeline.ticks(config.max_clip_s)
    if config.unit == "scene":
        groups = group_scenes(shots, similarities, config.scene_min_similarity, min_ticks, max_ticks)
    else:
        groups = stitch(shots, similarities, config.stitch_min_similarity, min_ticks, max_ticks)
    for members in groups:
        whole = _Candidate(
            timeline.frame_at(members[0].span.start_pts), timeline.frame_at(members[-1].span.end_pts), members
        )
        if black_shares[members[0].index] >= BLACK_SHOT_SHARE:
            yield replace(whole, black_share=black_shares[members[0].index])
        else:
            yield from _pieces(_trim(whole, timeline, config), timeline, config)


def _similarities(
    name: str,
    shots: Sequence[Shot],
    black_shares: Sequence[float],
    transitions: Sequence[Transition],
    scan: SliceScan,
    config: SplitConfig,
    embedder: Embedder | None,
) -> list[float]:
    """Of each shot and the next; one fewer than there are shots."""
    pairs = list(itertools.pairwise(shots))
    similarities: list[float | None] = [None] * len(pairs)
    if config.unit == "scene" and embedder is not None and pairs:
        similarities = shot_similarities(shots, scan, embedder, config.scene_window_shots, name)
    stored = (_similarity(left, right, transitions) for left, right in pairs)
    found = (mine if theirs is None else theirs for mine, theirs in zip(stored, similarities, strict=True))
    is_black = [share >= BLACK_SHOT_SHARE for share in black_shares]
    # Below every threshold there can be, so that nothing is joined to a black shot.
    return [-1.0 if any(pair) else value for pair, value in zip(itertools.pairwise(is_black), found, strict=True)]


def _similarity(left: Shot, right: Shot, transitions: Sequence[Transition]) -> float:
    """Similarity over the transition between two neighbours; the least where several meet without a shot between."""
    start, end = left.span.start_pts, right.span.end_pts
    between = (t.similarity for t in transitions if start < t.span.start_pts and t.span.end_pts < end)
    return min(between, default=0.0)


def _trim(candidate: _Candidate, timeline: _Timeline, config: SplitConfig) -> _Candidate:
    """The candidate without `edge_trim_s` at those ends that lie at a gradual transition; a shot may go with it."""
    trim = timeline.ticks(config.edge_trim_s)
    first, end, shots = candidate.first, candidate.end, candidate.shots
    while shots and shots[0].starts_with in _GRADUAL:
        first = timeline.frame_at(shots[0].span.start_pts + trim)
        if first < timeline.frame_at(shots[0].span.end_pts):
            break
        shots = shots[1:]
        first = timeline.frame_at(shots[0].span.start_pts) if shots else candidate.end
    while shots and shots[-1].ends_with in _GRADUAL:
        end = timeline.frames_until(shots[-1].span.end_pts - trim)
        if end > max(first, timeline.frame_at(shots[-1].span.start_pts)):
            break
        shots = shots[:-1]
        end = timeline.frame_at(shots[-1].span.end_pts) if shots else candidate.first
    return replace(candidate, first=first, end=end, shots=shots) if shots else replace(candidate, is_trimmed_away=True)


def _pieces(candidate: _Candidate, timeline: _Timeline, config: SplitConfig) -> Iterator[_Candidate]:
    """The candidate, or equal pieces of it where it is longer than `max_clip_s`."""
    if candidate.is_trimmed_away:
        yield candidate
        return
    bounds = _piece_bounds(candidate.first, candidate.end, timeline, config)
    for first, end in itertools.pairwise(bounds):
        before, after = first > candidate.first, end < candidate.end
        yield replace(candidate, first=first, end=end, is_cut_before=before, is_cut_after=after)


def _piece_bounds(first: int, end: int, timeline: _Timeline, config: SplitConfig) -> list[int]:
    """Frames at which pieces begin, and `end`.

    Pieces are as equal as frames allow. Where that makes one too short or too long (a clip may be hardly longer than
    `min_clip_s`, frames may last very differently), each takes as many frames as fit and the last is what remains.
    """
    boundaries = timeline.boundaries
    min_ticks, max_ticks = timeline.ticks(config.min_clip_s), timeline.ticks(config.max_clip_s)
    start_pts, duration = boundaries[first], boundaries[end] - boundaries[first]
    n_pieces = ceil(duration / max_ticks)
    for n in (n_pieces, n_pieces + 1):
        cuts = (timeline.frames_until(start_pts + Fraction(duration * piece, n)) for piece in range(1, n))
        bounds = [first, *cuts, end]
        lengths = [boundaries[after] - boundaries[before] for before, after in itertools.pairwise(bounds)]
        if n == 1 or (min(lengths) >= min_ticks and max(lengths) <= max_ticks):
            return bounds
    bounds = [first]
    while bounds[-1] < end:
        fits = timeline.frames_until(boundaries[bounds[-1]] + max_ticks)
        bounds.append(min(max(fits, bounds[-1] + 1), end))
    return bounds


def _clip(slice_: Slice, candidate: _Candidate, transitions: Sequence[Transition], timeline: _Timeline) -> Clip:
    span = timeline.span(candidate.first, candidate.end)
    start_ms, end_ms = (round(pts * timeline.time_base.fraction * 1000) for pts in (span.start_pts, span.end_pts))
    return Clip(
        clip_id=f"{slice_.slice_id}-{start_ms:08d}-{end_ms:08d}",
        source_id=slice_.source_id,
        slice_id=slice_.slice_id,
        uri=slice_.uri,
        name=slice_.name,
        span=span,
        n_frames=candidate.end - candidate.first,
        shots=tuple(_clamped(shot, candidate, timeline) for shot in candidate.shots),
        # A cut at the clip's own edge is what it is bounded by, not what it holds.
        transitions=tuple(
            t for t in transitions if span.start_pts < t.span.start_pts and t.span.end_pts < span.end_pts
        ),
    )


def _clamped(shot: Shot, candidate: _Candidate, timeline: _Timeline) -> Shot:
    first = max(candidate.first, timeline.frame_at(shot.span.start_pts))
    end = min(candidate.end, timeline.frame_at(shot.span.end_pts))
    return shot.replace(
        span=timeline.span(first, end),
        n_frames=end - first,
        starts_with="length_limit" if candidate.is_cut_before else shot.starts_with,
        ends_with="length_limit" if candidate.is_cut_after else shot.ends_with,
    )


def _verdict(clip: Clip, candidate: _Candidate, config: SplitConfig, timeline: _Timeline) -> Verdict:
    """Keep or reject, with the rule that decided."""
    seconds, ticks = clip.span.duration_s, clip.span.end_pts - clip.span.start_pts

    def decide(
        rule: str, score: float, threshold: float, reason: str, decision: Literal["keep", "reject"] = "reject"
    ) -> Verdict:
        return Verdict(
            subject_id=clip.clip_id, decision=decision, rule=rule, score=score, threshold=threshold, reason=reason
        )

    if candidate.black_share:
        reason = f"{candidate.black_share:.0%} of the shot's frames are black"
        return decide("split.black", candidate.black_share, BLACK_SHOT_SHARE, reason)
    if candidate.is_trimmed_away:
        reason = f"{seconds:.3f} s long, and {config.edge_trim_s:g} s are cut off at each gradual transition"
        return decide("split.edge_trim_s", seconds, config.edge_trim_s, reason)
    if ticks > timeline.ticks(config.max_clip_s):
        reason = f"one frame lasts {seconds:.3f} s, and a clip may last {config.max_clip_s:g} s"
        return decide("split.max_clip_s", seconds, config.max_clip_s, reason)
    if ticks < timeline.ticks(config.min_clip_s):
        reason = f"{seconds:.3f} s long, shorter than {config.min_clip_s:g} s"
        return decide("split.min_clip_s", seconds, config.min_clip_s, reason)
    reason = f"{seconds:.3f} s long, at least {config.min_clip_s:g} s"
    return decide("split.min_clip_s", seconds, config.min_clip_s, reason, "keep")
