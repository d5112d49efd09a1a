"""Which frame samples stand for a clip: a table of strategies over stored samples, signals and embeddings.

Here: the table, and putting a choice together. Not here: the strategies themselves (`stages.keyframes.by_signals`,
`stages.keyframes.by_embeddings`), or decoding video, which none of them needs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schemas.config import DescribeConfig
from schemas.media import Clip, FrameSample
from schemas.signals import Keyframe, SliceScan
from schemas.time import Span
from stages.errors import StageError
from stages.keyframes.by_embeddings import any_k, grow_key_clips, kmeans, redundancy_removal
from stages.keyframes.by_signals import evenly_spaced, middle_sharpest, slow_frames, variation_peaks
from stages.keyframes.candidates import Candidates, Chooser, filled_up, gather, usable_samples
from stages.pictures.embedding import Embedder

FILLED_UP = "farthest_in_time"
"""What chose a keyframe that the strategy itself did not: it had too few, and the clip has more samples."""


@dataclass(frozen=True)
class Strategy:
    """How keyframes are chosen."""

    choose: Chooser
    needs_embeddings: bool = False
    """Whether every sample of a clip is embedded for it, which costs more than all else in `describe`."""
    grow: Callable[[Candidates, Sequence[int], DescribeConfig], list[tuple[int, int]]] | None = None
    """Makes a key clip, `[start, end)` in ticks, of every keyframe."""


STRATEGIES: Mapping[str, Strategy] = {
    "middle_sharpest": Strategy(middle_sharpest),
    "variation_peaks": Strategy(variation_peaks),
    "slow_frames": Strategy(slow_frames),
    "contact_sheet": Strategy(evenly_spaced),
    "kmeans": Strategy(kmeans, needs_embeddings=True),
    "redundancy_removal": Strategy(redundancy_removal, needs_embeddings=True),
    "any_k": Strategy(any_k, needs_embeddings=True),
    "key_clips": Strategy(kmeans, needs_embeddings=True, grow=grow_key_clips),
}
"""Every strategy by the name that the configuration uses."""


def choose_keyframes(
    clip: Clip, scan: SliceScan, config: DescribeConfig, embedder: Embedder | None = None
) -> tuple[Keyframe, ...]:
    """The clip's keyframes by the configured strategy, in presentation order.

    There are `describe.keyframes_per_clip`, or as many as the clip has usable samples: those in its shots that are not
    black, and others only where it has none of these. Where a strategy chooses fewer, each further one is the sample
    farthest in time from those chosen, and says so. Without a sample there is no keyframe.

    Args:
        clip: of the scan's slice.
        scan: with its frame samples.
        config: the strategy, how many, and its settings.
        embedder: gives each keyframe its embedding; None where there is to be none.

    Raises:
        StageError: the strategy needs embeddings and there is no embedder, or a sample is none of the decoded frames.
        MediaError: a frame sample is no JPEG.
    """
    strategy = STRATEGIES[config.keyframe_strategy]
    require_embedder(config, is_there=embedder is not None)
    samples = usable_samples(clip, scan)
    if not samples:
        return ()
    candidates = gather(samples, clip, scan, embedder if strategy.needs_embeddings else None)
    own = strategy.choose(candidates, config.keyframes_per_clip, config)
    chosen = sorted(filled_up(own, candidates, config.keyframes_per_clip))
    spans = strategy.grow(candidates, chosen, config) if strategy.grow else [None] * len(chosen)
    embeddings = _embeddings(candidates, chosen, samples, embedder, clip.name)
    return tuple(
        Keyframe(
            sample=samples[position],
            strategy=config.keyframe_strategy if position in own else FILLED_UP,
            sharpness=float(candidates.sharpness[position]),
            span=span and Span(start_pts=span[0], end_pts=span[1], time_base=clip.span.time_base),
            embedding=embedding,
        )
        for position, span, embedding in zip(chosen, spans, embeddings, strict=True)
    )


def _embeddings(
    candidates: Candidates, chosen: Sequence[int], samples: Sequence[FrameSample], embedder: Embedder | None, name: str
) -> list[tuple[float, ...]]:
    """Of each chosen candidate, made only where they are not there yet; empty ones where there is no embedder."""
    if embedder is None:
        return [()] * len(chosen)
    if len(candidates.embeddings):
        rows = candidates.embeddings[list(chosen)]
    else:
        rows = embedder.embed_samples([samples[position] for position in chosen], name)
    return [tuple(row.tolist()) for row in rows]


def require_embedder(config: DescribeConfig, *, is_there: bool) -> None:
    """Raises StageError where the strategy compares embeddings, and no embedder is there."""
    if not is_there and STRATEGIES[config.keyframe_strategy].needs_embeddings:
        raise StageError(
            f"describe.keyframe_strategy is {config.keyframe_strategy}, which compares embeddings: "
            "install reelproof[models], or name a model in describe.embedder"
        )
