"""Films drawn at random from a seed, so that planted errors are also counted on films that nobody looked at.

Here: drawing what a film is made of. Not here: pictures and truth (`tests.planted_films`).
"""

import random

from tests.planted_films import MOVES, TINTS, Film, FilmShot, JoinKind

SIZES = ((320, 180), (256, 144), (240, 240), (180, 320), (384, 216))
TEXTS = ("GREEN VALLEY", "FINAL ROUND", "OLD HARBOUR", "MIDNIGHT SUN")
MAX_FRAMES = 725
"""Longer films would be split into several clips."""
_TURNING = ("pan_left", "pan_right", "tilt_up", "tilt_down", "static")
"""Motions that may follow one another within a shot."""
_JOINS: tuple[JoinKind, ...] = ("cut", "cut", "dissolve", "fade_out_in", "wipe")


def random_film(seed: int) -> Film:
    """A film of two to six shots; the same seed gives the same film."""
    draw = random.Random(seed)  # noqa: S311 (test data)
    shots: list[FilmShot] = []
    for _ in range(draw.randint(2, 6)):
        shot = _shot(draw, shots[-1].tint if shots else "")
        if sum(s.n_frames + s.join_frames for s in (*shots, shot)) > MAX_FRAMES:
            break
        shots.append(shot)
    width, height = draw.choice(SIZES)
    return Film(f"random-{seed}", width, height, tuple(shots))


def _shot(draw: random.Random, before: str) -> FilmShot:
    moves: tuple[str, ...] = (draw.choice(list(MOVES)),)
    if moves[0] in _TURNING and draw.random() < 0.3:
        moves = (moves[0], draw.choice([move for move in _TURNING if move != moves[0]]))
    join = draw.choice(_JOINS)
    can_hold = len(moves) == 1 and moves[0] != "static"
    return FilmShot(
        n_frames=draw.randint(60, 140) * len(moves),
        tint=draw.choice([tint for tint in TINTS if tint != before]),
        moves=moves,
        text=draw.choice(TEXTS) if draw.random() < 0.25 else "",
        held=(20, 20 + draw.randint(20, 35)) if can_hold and draw.random() < 0.15 else None,
        join=join,
        join_frames=0 if join == "cut" else draw.randint(15, 35),
    )
