"""Comparing short texts: one vector a text, near where two texts say the same, by letters or by a model.

Here: the vectors of letters, and what names mean. Not here: what is compared (`stages.value_distance`), or vectors of
pictures (`stages.embedding`).
"""

import unicodedata
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

LETTERS = "letters"
"""The embedder that needs no model."""
NGRAM_CHARS = (2, 3)
"""Lengths of the stretches of letters that are counted: two for scripts that write a word in one or two signs. Ours."""
_MIXERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)


class TextEmbedder(Protocol):
    """What turns texts into vectors."""

    def embed(self, texts: Sequence[str]) -> Any:
        """A NumPy array or SciPy sparse array of shape (N, D), rows of length 1 or 0; N may be 0.

        Vectors of one call are compared with each other. How far two are apart does not depend on the other texts.
        """


class LetterEmbedder:
    """Counts of stretches of two and three characters, each by its root, so that no repetition outweighs the rest.

    Unlike TF-IDF nothing is learnt from the texts at hand: how far two texts are apart must not depend on a third.
    """

    def embed(self, texts: Sequence[str]) -> sparse.csr_array:
        """Sparse, float64, one column for each stretch that there is; a text without a word has no length."""
        spelled = [folded(text) for text in texts]
        padded = [f" {text} " if text else "" for text in spelled]
        owner = np.repeat(np.arange(len(texts)), [len(text) for text in padded])
        signs = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
        found = [_stretches(signs, owner, length) for length in NGRAM_CHARS]
        rows = np.concatenate([texts for texts, _ in found])
        distinct, columns = np.unique(np.concatenate([hashes for _, hashes in found]), return_inverse=True)
        shape = (len(texts), max(1, len(distinct)))
        counts = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()
        counts.sum_duplicates()
        counts.data = np.sqrt(counts.data)
        lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1))).ravel()
        return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-12)) @ counts)


def folded(text: str) -> str:
    """The text as it is compared: apart from case, width of signs and space, and without marks around it."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(plain.split()).strip(".,;:!?\"'` ")


def similarities(first: Any, second: Any) -> NDArray[np.float64]:
    """The cosine of every row of one with every row of the other, 0 to 1 (what is below counts as 0): (N, M)."""
    product = first @ second.T
    dense = product.toarray() if sparse.issparse(product) else product
    return np.clip(np.asarray(dense, np.float64), 0, 1)


def make_text_embedder(name: str, setting: str) -> TextEmbedder:
    """The embedder of that name; a model is loaded here, and not before.

    Args:
        name: `letters`, `minilm`, or the name or folder of a text model that `transformers` knows.
        setting: the setting that `name` comes from, for errors.

    Raises:
        StageError: the packages or the model are not there; one line that says what to do.
    """
    if name == LETTERS:
        return LetterEmbedder()
    from stages.text_models import load_text_model

    return load_text_model(name, setting)


def _stretches(
    signs: NDArray[np.uint64], owner: NDArray[np.int64], length: int
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Text and hash of every stretch of so many signs that lies in one text."""
    n_starts = max(0, len(signs) - length + 1)
    hashes = np.full(n_starts, length, np.uint64)
    for place in range(length):
        hashes = (hashes ^ signs[place : place + n_starts]) * _MIXERS[place]
        hashes ^= hashes >> np.uint64(29)
    inside = owner[:n_starts] == owner[length - 1 : length - 1 + n_starts]
    return owner[:n_starts][inside], hashes[inside]
