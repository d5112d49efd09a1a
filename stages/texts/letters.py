"""Texts compared by their letters: needs no model, and how near two texts are depends on no third.

Here: `LetterEmbedder`, and what of a text does not count. Not here: letters weighted by how rare they are
(`stages.texts.tfidf`), or what names mean (`stages.texts.embedding`).
"""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stages.texts.embedding import LETTERS

NGRAM_CHARS = (2, 3)
"""Lengths of the stretches of letters that are counted: two for scripts that write a word in one or two signs. Ours."""
_MIXERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)


class LetterEmbedder:
    """Counts of stretches of two and three characters, each by its root, so that no repetition outweighs the rest.

    Unlike TF-IDF nothing is learnt from the texts at hand: how far two texts are apart must not depend on a third.
    """

    name = LETTERS
    knows_synonyms = False

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
