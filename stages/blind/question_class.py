"""What a question needs: no video, frames in any order, frames in order, or none of these.

Here: VBenchComp's classes from what was answered right, and the orders in which frames are shown shuffled. Not here:
asking (`annotators.judges`). The four classes are VBenchComp's; the order of the decision, the majority and how orders
are drawn are ours.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.label import QuestionClass

_COUNTED = 20
"""Frames beyond which there are more orders than anybody asks for."""


@dataclass(frozen=True)
class FrameOrder:
    """One order in which frames are shown."""

    seed: int
    """What it follows from, together with how many frames there are."""
    frames: tuple[int, ...]
    """Positions of the frames in time, in the order in which they are shown."""


def classify(*, blind: bool, ordered: bool, shuffled: Sequence[bool]) -> QuestionClass:
    """The class of a question.

    In this order: `llm_answerable` where it is answered blind; `others` where the frames in order do not answer it;
    `semantic` where they answer it shuffled, too; else `temporal`.

    Shuffled counts as right where more than half of the orders were answered right; half is not enough. Each order is
    one try and some are right by luck, so a few temporal questions pass for semantic ones: with four options and three
    orders about one in six of those that are guessed. Without any order, because there are fewer than two frames, no
    order can matter, and the question is `semantic`.

    Args:
        blind: whether it is answered right without the video.
        ordered: whether it is answered right from the frames in order.
        shuffled: the same for each order of `permutations`.
    """
    if blind:
        return "llm_answerable"
    if not ordered:
        return "others"
    return "temporal" if shuffled and 2 * sum(shuffled) <= len(shuffled) else "semantic"


def permutations(n_frames: int, count: int, seed: int, key: str) -> tuple[FrameOrder, ...]:
    """Different orders of the frames, none of which is the order in time.

    The same arguments give the same orders on any machine.

    Args:
        n_frames: frames that are shown; fewer than two cannot be shuffled, and nothing comes back.
        count: orders that are wanted; fewer come back where there are not so many.
        seed: of the settings.
        key: what is shuffled for, such as the label's id: other labels have other orders.
    """
    there_are = math.factorial(min(max(n_frames, 0), _COUNTED)) - 1
    found: dict[tuple[int, ...], FrameOrder] = {}
    in_time, number = tuple(range(n_frames)), 0
    while len(found) < min(count, there_are):
        own = int.from_bytes(_digest(f"{seed}\x1f{key}\x1f{number}")[:4], "big")
        order = frame_order(n_frames, own)
        if order.frames != in_time:
            found.setdefault(order.frames, order)
        number += 1
    return tuple(found.values())


def frame_order(n_frames: int, seed: int) -> FrameOrder:
    """The order that follows from a seed: frames sorted by a hash, so that each order is equally likely."""
    return FrameOrder(seed, tuple(sorted(range(n_frames), key=lambda frame: _digest(f"{seed}\x1f{frame}"))))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
