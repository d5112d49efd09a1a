"""Models of `transformers` on this machine: loading them, what to say where they are missing, running them evenly.

Here: what models of pictures and of texts have in common. Not here: either of them (`stages.pictures.models`,
`stages.texts.models`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.errors import StageError

PICTURE_FILES = "config.json, preprocessor_config.json and model.safetensors"
TEXT_FILES = "config.json, tokenizer.json or vocab.txt, and model.safetensors"


def load_pretrained(kind: Any, name: str, setting: str, missing: str, **options: Any) -> Any:
    """A part of a model, from this machine only: many workers load it at once, and none should wait for a network.

    Args:
        kind: a class of `transformers` with `from_pretrained`.
        name: of the model on the Hub, or its folder.
        setting: that `name` comes from, for errors.
        missing: what to say where the model is not here.
        options: of `from_pretrained`.

    Raises StageError, one line that says what to do.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return kind.from_pretrained(name, local_files_only=True, **options)
    except OSError as error:
        raise StageError(f"{setting}: {missing}") from error
    except (ValueError, ImportError, KeyError, TypeError) as error:
        raise StageError(f"{setting}: the model {name!r} cannot be loaded: {first_line(error)}") from error


def missing_model(name: str, kind: str, files: str) -> str:
    """What to say of a model, by name or folder, that is not to be had; `kind` is `vision` or `text`."""
    if Path(name).is_dir():
        return f"the folder {name!r} holds no {kind} model of transformers: {files} are needed"
    if name.startswith(("/", ".", "~")):
        return f"there is no folder {name!r}"
    return f"the model {name!r} is not on this machine: fetch it with `hf download {name}`, or name its folder"


def first_line(error: Exception) -> str:
    """The first paragraph of what an error says, on one line."""
    return " ".join(str(error).split("\n\n")[0].split()) or type(error).__name__


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread on the CPU: workers run side by side, and sums in one order give the same figures every time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
