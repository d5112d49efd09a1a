"""What claims are held against, and what holding one against it finds.

Here: `Measurements`, `Finding`, `compare`. Not here: the checks, one per quantity (`stages.evidence.claims`).
"""

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from schemas.config import DescribeConfig
from schemas.judging import EvidenceConfig
from schemas.media import Transition
from schemas.signals import CameraSegment, ClipDescription, SliceScan
from schemas.time import Span
from stages.camera.terms import camera_segments


@dataclass(frozen=True)
class Finding:
    """What one check found; the fields are those of `schemas.evidence.EvidenceCheck`."""

    outcome: Literal["confirmed", "contradicted", "unchecked"]
    reason: str
    measured: float | None = None
    measured_text: str | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class Measurements:
    """Everything that claims about one clip are held against."""

    description: ClipDescription
    scan: SliceScan
    describe: DescribeConfig
    config: EvidenceConfig

    @property
    def clip_span(self) -> Span:
        """The clip, on the source's timeline."""
        return self.description.clip.span

    @cached_property
    def transitions(self) -> tuple[Transition, ...]:
        """The scan's transitions that the clip holds or is bounded by, in order."""
        clip = self.clip_span
        touching = (
            transition
            for transition in self.scan.transitions
            if transition.span.start_pts <= clip.end_pts and clip.start_pts <= transition.span.end_pts
        )
        return tuple(sorted(touching, key=lambda transition: transition.span.start_pts))

    @cached_property
    def shots(self) -> tuple[Span, ...]:
        """The clip's shots as the scan's transitions bound them, independently of how the clip was made."""
        edges = [self.scan.span.start_pts]
        for transition in self.transitions:
            edges += [transition.span.start_pts, transition.span.end_pts]
        edges.append(self.scan.span.end_pts)
        starts, ends = edges[0::2], edges[1::2]
        spans = [self.clip_span.replace(start_pts=a, end_pts=b) for a, b in zip(starts, ends, strict=True) if a < b]
        return tuple(inside for span in spans if (inside := span.clamp(self.clip_span)))

    @cached_property
    def camera(self) -> tuple[tuple[CameraSegment, ...], ...]:
        """For each of `shots` its stretches of one camera motion, from the scan's motion signals."""
        return tuple(camera_segments(self.scan.motion, shot, self.describe) for shot in self.shots)

    @cached_property
    def held(self) -> tuple[Span, ...]:
        """Stretches of the clip that show one picture for at least `describe.min_freeze_s`, from the frames' flags.

        They have two frames or more, as in `stages.describe`.
        """
        inside = self.frames(self.clip_span)
        runs: list[Span] = []
        start: int | None = None
        for position in range(inside.start, inside.stop + 1):
            is_frozen = position < inside.stop and self.scan.frames.is_frozen[position]
            if is_frozen and start is None:
                # The frame before is the first to show the picture.
                start = max(inside.start, position - 1)
            elif not is_frozen and start is not None:
                if position - start > 1:
                    end_pts = min(self.frame_start(position), self.clip_span.end_pts)
                    runs.append(self.clip_span.replace(start_pts=self.frame_start(start), end_pts=end_pts))
                start = None
        return tuple(run for run in runs if run.duration_s >= self.describe.min_freeze_s)

    @property
    def frame_s(self) -> float:
        """Seconds of one frame, as the slice's mean."""
        return self.scan.span.duration_s / max(1, len(self.scan.frames.pts))

    def seconds(self, pts: int) -> float:
        """Seconds from the clip's start."""
        return self.clip_span.time_base.seconds(pts - self.clip_span.start_pts)

    def between(self, start_s: float, end_s: float) -> Span:
        """The span from one time to another, in seconds from the clip's start; it may leave the clip."""
        first = self.clip_span.start_pts + self.clip_span.time_base.ticks(start_s)
        last = self.clip_span.start_pts + self.clip_span.time_base.ticks(max(start_s, end_s))
        return self.clip_span.replace(start_pts=first, end_pts=last)

    def frames(self, span: Span) -> slice:
        """Positions of the frames whose pts lies in the span."""
        return slice(*(bisect_left(self.scan.frames.pts, pts) for pts in (span.start_pts, span.end_pts)))

    def frame_start(self, position: int) -> int:
        """The pts of a frame; after the last frame, the end of the scan."""
        pts = self.scan.frames.pts
        return pts[position] if position < len(pts) else self.scan.span.end_pts

    def frames_between(self, first_pts: int, second_pts: int) -> int:
        """How many frames start from one instant until the other."""
        pts = self.scan.frames.pts
        return abs(bisect_left(pts, second_pts) - bisect_left(pts, first_pts))

    def transitions_in(self, span: Span) -> tuple[Transition, ...]:
        """Transitions wholly inside the span, those at its very edges left out."""
        return tuple(t for t in self.transitions if span.start_pts < t.span.start_pts and t.span.end_pts < span.end_pts)

    def crossed_by(self, span: Span) -> Transition | None:
        """A transition that parts the span by more than the tolerance; None for the whole clip, which may hold many."""
        if span == self.clip_span:
            return None
        for transition in self.transitions:
            starts_before = transition.span.end_pts > span.start_pts
            ends_after = transition.span.start_pts < span.end_pts
            depth = min(
                self.frames_between(span.start_pts, transition.span.end_pts),
                self.frames_between(transition.span.start_pts, span.end_pts),
            )
            if starts_before and ends_after and depth > self.config.cut_tolerance_frames:
                return transition
        return None


def compare(measured: float, claimed: float | None, tolerance: float, what: str) -> Finding:
    """A claimed number against the measured one; `what` names the quantity in the reason."""
    if claimed is None:
        return Finding("unchecked", f"the claim names no number; measured {what} is {measured:.4g}", measured)
    difference = abs(measured - claimed)
    # Claims are rounded when they are written down.
    is_close = difference <= tolerance + 1e-6
    reason = f"{what} is {measured:.4g}, claimed {claimed:.4g}, tolerance {tolerance:.3g}"
    return Finding("confirmed" if is_close else "contradicted", reason, measured, threshold=tolerance)
