"""What embedders of texts promise: texts that say the same lie nearer than others, by any model that is named."""

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from stages.errors import StageError
from stages.texts.embedding import TextEmbedder, cosines, make_text_embedder, resolve_text_embedder
from stages.texts.tfidf import TFIDF_BLOCK_TEXTS, TFIDF_DIMENSIONS

transformers: Any = importlib.import_module("transformers")
"""Not imported by its name: checking its types takes longer than checking ours."""

SETTING = "verify.duplicates.embedder"
TEXTS = (
    "Why does the boy open the gate?",
    "Why is the gate opened by the boy?",
    "Which bird sits on the roof of the church?",
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder with random weights, saved as the Hub has it."""
    import torch

    folder = tmp_path_factory.mktemp("models") / "bert"
    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, vocab_size=40,
        max_position_embeddings=32,
    )  # fmt: skip
    transformers.BertModel(config).eval().save_pretrained(folder)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", "the", "cat", "dog", "runs"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["tfidf", "letters", "minilm", "folder"])
def embedder(request: pytest.FixtureRequest, tiny: Path) -> TextEmbedder:
    return make_text_embedder(str(tiny) if request.param == "folder" else request.param, SETTING)


@pytest.mark.parametrize("name", ["tfidf", "letters", "minilm"])
def test_texts_that_say_the_same_are_nearer_than_others(name: str) -> None:
    rows = make_text_embedder(name, SETTING).embed(TEXTS)
    found = cosines(rows, rows)
    assert found[0, 1] > max(found[0, 2], found[1, 2]) + 0.2


def dense(embedder: TextEmbedder, texts: Sequence[str]) -> NDArray[Any]:
    rows = embedder.embed(texts)
    return np.asarray(rows.toarray() if sparse.issparse(rows) else rows)


def test_rows_are_of_length_one_in_the_order_of_the_texts(embedder: TextEmbedder) -> None:
    texts = ["the cat runs", "a", "the dog " * 400, "the cat runs"]
    rows = dense(embedder, texts)
    assert rows.shape[0] == 4
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert np.array_equal(rows[0], rows[3])
    assert np.array_equal(dense(embedder, texts), rows)
    assert embedder.embed([]).shape[0] == 0


@pytest.mark.parametrize("text", ["", " ", "\n", "\x00", "…", "🎬", "开门", "\u0301", "word " * 5000])
def test_odd_texts_have_a_row_that_is_a_number(embedder: TextEmbedder, text: str) -> None:
    row = dense(embedder, [text, "the cat runs"])[0]
    assert np.isfinite(row).all()
    assert np.linalg.norm(row) <= 1 + 1e-5


def test_what_a_model_embeds_beside_a_text_changes_no_more_than_rounding(tiny: Path) -> None:
    for name in ("minilm", str(tiny)):
        embedder = make_text_embedder(name, SETTING)
        texts = [("the cat runs " * n).strip() for n in range(1, 70)]
        together, alone = embedder.embed(texts), embedder.embed(texts[4:5])
        assert np.abs(together[4] - alone[0]).max() < 1e-4


def test_a_row_is_the_mean_of_the_tokens_that_the_model_itself_makes(tiny: Path) -> None:
    import torch

    model = transformers.BertModel.from_pretrained(tiny).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    with torch.inference_mode():
        states = model(**tokenizer("the cat runs", return_tensors="pt")).last_hidden_state[0]
    mean = states.mean(0).numpy()
    assert make_text_embedder(str(tiny), SETTING).embed(["the cat runs"])[0] == pytest.approx(
        mean / np.linalg.norm(mean), abs=1e-5
    )


def test_tfidf_rows_keep_their_size_and_their_cosines_over_many_texts() -> None:
    embedder = make_text_embedder("tfidf", SETTING)
    pairs = [text for n in range(TFIDF_BLOCK_TEXTS // 2 + 9) for text in (f"who lifts box {n}", f"who lifted box {n}")]
    rows = embedder.embed(pairs)
    assert rows.shape == (len(pairs), TFIDF_DIMENSIONS)
    assert (rows[::2] * rows[1::2]).sum(axis=1).min() > 0.5


def test_summing_features_into_few_hardly_changes_a_cosine() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [
        f"{who} the {what} near the {place}?"
        for who in ("Does Ann lift", "Did Bob paint", "Does Ann paint", "Did Bob lift")
        for what in ("box", "old boat")
        for place in ("door", "river", "small church")
    ]
    exact = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True).fit_transform(texts).toarray()
    rows = make_text_embedder("tfidf", SETTING).embed(texts)
    error = np.abs(rows @ rows.T - exact @ exact.T)
    assert error.max() < 0.1
    assert error.mean() < 0.025


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("nobody/no-such-model", "is not on this machine: fetch it with `hf download nobody/no-such-model`"),
        ("/no/such/folder", "there is no folder"),
        ("{empty}", "holds no text model of transformers"),
        ("{empty}/strange", "cannot be loaded"),
        ("no name of a model", "is not on this machine"),
    ],
)
def test_a_model_that_is_not_there_is_told_in_one_line_without_a_network(
    tmp_path: Path, name: str, answer: str
) -> None:
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "config.json").write_text(json.dumps({"model_type": "none of them"}))
    with pytest.raises(StageError, match=r"^agreement\.embedder: ") as caught:
        make_text_embedder(name.format(empty=tmp_path), "agreement.embedder")
    assert answer in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_of_pictures_is_refused(tmp_path: Path, tiny: Path) -> None:
    vision = transformers.SiglipVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=8
    )
    transformers.SiglipVisionModel(vision).save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(tiny).save_pretrained(tmp_path)
    with pytest.raises(
        StageError, match=r"verify\.duplicates\.embedder: .* (is no model of texts|cannot be loaded)"
    ) as caught:
        make_text_embedder(str(tmp_path), SETTING)
    assert "\n" not in str(caught.value)


def test_auto_is_what_is_installed_and_other_names_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_text_embedder("auto") == "minilm"
    assert [resolve_text_embedder(name) for name in ("tfidf", "a/b")] == ["tfidf", "a/b"]
    monkeypatch.setattr("stages.texts.embedding.find_spec", lambda _: None)
    assert resolve_text_embedder("auto") == "tfidf"
    for name, extra in (("minilm", "text"), ("a/b", "models")):
        with pytest.raises(
            StageError, match=rf"^{SETTING} is {name}, .* install reelproof\[{extra}\], or leave the setting out$"
        ):
            make_text_embedder(name, SETTING)
