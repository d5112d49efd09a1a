"""A grid of three tiny steps over the real store and the real attempts: what resume and accounting are tested on."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.attempt import Unit, Worker
from pipeline.grid import Inputs, Run, Step
from pipeline.store import Store
from pipeline.tables import write_row
from schemas.base import Record
from schemas.config import RunConfig
from schemas.media import ListedSource
from schemas.verdict import Result, Verdict


class Length(Record):
    """How long a source's name is."""

    name: str
    length: int


def listed(inputs: Inputs) -> Iterator[Unit]:
    for source in inputs.listed(ListedSource):
        yield Unit(source.source_id, source.name, source)


def measured(inputs: Inputs) -> Iterator[Unit]:
    for found in inputs.results("scan"):
        yield Unit(found.name, found.name, found)


def measure(config: RunConfig) -> Worker:
    """Counts its calls in the file `calls`; misbehaves for names that ask for it."""
    del config

    def work(source: ListedSource) -> Length | Verdict:
        with Path(source.uri).open("a") as calls:
            calls.write(f"{source.name}\n")
        if source.name.startswith("long"):
            return Verdict(
                subject_id=source.source_id,
                decision="reject",
                rule="scan.length",
                score=1,
                threshold=0,
                reason="too long",
            )
        if source.name.startswith("broken") and not Path(source.uri).with_name("mended").exists():
            raise ValueError(f"{source.name}: nothing in it")
        if source.name.startswith("crash"):
            os._exit(11)
        if source.name.startswith("hang"):
            time.sleep(60)
        if source.name.startswith("slow"):
            time.sleep(2)
        return Length(name=source.name, length=len(source.name))

    return work


def unable(config: RunConfig) -> Worker:
    """A worker whose model is not installed."""
    raise ImportError(f"no model for {config.scan.proxy_width} pixels")


def double(config: RunConfig) -> Worker:
    def work(found: Length) -> Length:
        return found.replace(length=found.length * 2 + int(config.split.min_clip_s))

    return work


def steps(*, is_isolated: bool = False, timeout_s: float = 20.0, cuts_off: bool = False) -> tuple[Step, ...]:
    scan = Step(
        name="scan", unit="source", axis="page", takes="listing", reads=(), value=Length, units=listed, worker=measure,
        is_isolated=is_isolated, timeout_s=lambda _: timeout_s, cuts_off=cuts_off,
    )  # fmt: skip
    split = Step(
        name="split", unit="source", axis="page", takes="scan", reads=("scan",), value=Length, units=measured,
        worker=double,
    )  # fmt: skip
    return scan, split


def make_run(folder: Path, pages: list[list[str]], columns: tuple[Step, ...], config: RunConfig | None = None) -> Run:
    store = Store(str(folder / "run"))
    for row, names in enumerate(pages):
        sources = [
            ListedSource(source_id=name, uri=str(folder / "calls"), name=name, size_bytes=1, version="1")
            for name in names
        ]
        results = [Result(unit_id=source.source_id, subject=source.name, value=source) for source in sources]
        write_row(store, "listing", row, results, ListedSource)
    return Run(store=store, config=config or RunConfig(), steps=columns)


def calls(folder: Path) -> list[str]:
    path = folder / "calls"
    return path.read_text().split() if path.exists() else []
