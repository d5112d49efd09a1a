"""Language models as embedders of texts: any encoder that `transformers` knows, its tokens' mean.

Here: loading one, and running it in batches. Not here: what names mean, and whether a model is there
(`stages.texts.embedding`), or embedding without a model (`stages.texts.tfidf`, `stages.texts.letters`).
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from stages.errors import StageError
from stages.hub_models import TEXT_FILES, first_line, load_pretrained, missing_model, one_thread
from stages.texts.embedding import Vectors, unit_rows

BATCH_TEXTS = {"cpu": 32, "cuda": 256}
"""Texts embedded together."""
MOST_TOKENS = 512
"""Of a longer text the beginning counts; less where the model takes less. Ours."""


class TransformersEmbedder:
    """A text model of `transformers`, by its name on the Hub or its folder.

    What stands for a text is the mean of its tokens' last states, the padding left out, which is what sentence
    transformers such as all-MiniLM-L6-v2 are trained for (Sentence-BERT, Reimers and Gurevych 2019). Nothing is
    fetched: the model is in the Hub's cache on this machine, or in a folder. No code that comes with a model is run.
    """

    knows_synonyms = True

    def __init__(self, name: str, folder: str, device: str, setting: str) -> None:
        """Raises StageError, naming the `setting`, where the model is not to be had, or takes no texts."""
        from transformers import AutoModel, AutoTokenizer

        self.name = name
        self._device = device
        missing = missing_model(folder, "text", TEXT_FILES)
        self._network = load_pretrained(AutoModel, folder, setting, missing, dtype=torch.float32).eval().to(device)
        self._tokenizer = load_pretrained(AutoTokenizer, folder, setting, missing)
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token or self._tokenizer.unk_token
        most = getattr(self._network.config, "max_position_embeddings", None) or MOST_TOKENS
        self._most_tokens = min(MOST_TOKENS, most, self._tokenizer.model_max_length)
        try:
            self._means(["a text"])
        except (TypeError, ValueError, AttributeError, RuntimeError, KeyError, IndexError) as error:
            raise StageError(f"{setting}: {folder} is no model of texts: {first_line(error)}") from error

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text; what is embedded beside it changes no more than rounding does."""
        size = BATCH_TEXTS[self._device]
        # Texts of one length together need little padding.
        order = sorted(range(len(texts)), key=lambda place: (len(texts[place]), place))
        found: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(texts)
        for start in range(0, len(order), size):
            places = order[start : start + size]
            for place, row in zip(places, self._means([texts[place] for place in places]), strict=True):
                found[place] = row
        return unit_rows(np.stack(found)) if found else np.zeros((0, 0), np.float32)

    def _means(self, texts: Sequence[str]) -> NDArray[np.float32]:
        made = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=self._most_tokens, return_tensors="pt"
        ).to(self._device)
        with torch.inference_mode(), one_thread():
            states = self._network(**made).last_hidden_state
            counts = made["attention_mask"].unsqueeze(-1).to(states.dtype)
            means = (states * counts).sum(1) / counts.sum(1).clamp(min=1)
            return np.asarray(means.float().cpu().numpy(), np.float32)
