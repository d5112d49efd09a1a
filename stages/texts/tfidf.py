"""TF-IDF over letters as an embedder of texts: needs no model, and compares the texts of one call.

Here: `TfidfEmbedder`. Not here: letters that are weighted by nothing (`stages.texts.letters`), or what names mean
(`stages.texts.embedding`).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from stages.texts.embedding import TFIDF, Vectors, unit_rows

TFIDF_DIMENSIONS = 1024
"""Ours: 4 KB a text; cosines of near duplicates are off by about 0.01."""
TFIDF_BLOCK_TEXTS = 8192
"""Texts whose features are in memory at once."""

_WIDE = 2**18
"""Features before they are brought into `TFIDF_DIMENSIONS`: so many that letters hardly ever share one."""
_SEED = 5


class TfidfEmbedder:
    """Pairs to fours of letters within words, weighted by how rare they are among the texts that come together.

    Rows of two calls cannot be compared. Letters rather than words, so that endings and spellings count for little.
    The many features are summed into few with random signs (count sketch), which keeps dot products: one row has the
    same size however many texts there are.
    """

    name = TFIDF
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
