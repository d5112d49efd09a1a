"""Spans of something that was measured, cut to a slice or a clip."""

from collections.abc import Iterable

from schemas.time import Span

MIN_PIECE_S = 0.1
"""A span of speech that reaches less far than this over a boundary is not told on its other side."""


def pieces(spans: Iterable[Span], inside: Span) -> tuple[Span, ...]:
    """What lies inside another span, without pieces shorter than `MIN_PIECE_S` that its edges cut off."""
    clamped = [(span, span.clamp(inside)) for span in spans]
    return tuple(
        piece for span, piece in clamped if piece is not None and (piece == span or piece.duration_s >= MIN_PIECE_S)
    )
