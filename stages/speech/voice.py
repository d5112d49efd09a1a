"""The network that tells speech from other sound: Silero VAD, from the package `silero-vad`, which holds its weights.

Here: whether it is installed, loading it, and its probabilities. Not here: reading sound (`stages.speech.sound`), or
what follows from the probabilities (`stages.speech.spans`). Nothing heavy is imported before the network is asked for.
"""

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.config import ScanConfig
from stages.errors import StageError

WINDOW = 512
"""Samples at 16 kHz that the network hears at a time: 32 ms."""


class Voice:
    """Probabilities of speech. Holds the network and its state: one per worker, used by one thread at a time."""

    def __init__(self, model: Any) -> None:
        """`model` is what `silero_vad.load_silero_vad` returns."""
        self._model = model

    def probabilities(self, waves: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of waves side by side, shape (B, N * WINDOW) at 16 kHz: the probability of speech, (B, N), 0 to 1.

        Each wave is heard from silence on, and no value depends on what comes after its window.
        """
        import torch

        windows = torch.from_numpy(np.ascontiguousarray(waves)).reshape(waves.shape[0], -1, WINDOW)
        self._model.reset_states()
        with torch.inference_mode():
            heard = [self._model(windows[:, number], 16_000)[:, 0] for number in range(windows.shape[1])]
            return np.asarray(torch.stack(heard, dim=1).numpy(), np.float32)


def resolve_speech_setting(config: ScanConfig) -> ScanConfig:
    """The configuration with `speech: auto` replaced by what is installed here: `silero` or `none`."""
    if config.speech != "auto":
        return config
    return config.replace(speech="silero" if _is_installed() else "none")


def make_voice(config: ScanConfig) -> Voice | None:
    """The network that the configuration asks for; None where speech is not to be measured.

    Raises StageError where `silero` is asked for and not installed.
    """
    if resolve_speech_setting(config).speech == "none":
        return None
    if not _is_installed():
        raise StageError("scan.speech is silero, which is not installed: install reelproof[speech], or set it to none")
    import silero_vad

    return Voice(silero_vad.load_silero_vad())


def _is_installed() -> bool:
    return find_spec("silero_vad") is not None
