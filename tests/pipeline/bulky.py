"""A grid whose units are large: what a run's memory is measured on, in a process of its own.

`python -m tests.pipeline.bulky FOLDER UNITS MIBIBYTES` prints the peaks, in MiB, of this process and of its child.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.attempt import Unit, Worker
from pipeline.grid import Inputs, Run, Step, Watcher
from pipeline.local import run_local
from schemas.base import Record
from schemas.config import RunConfig
from schemas.media import ListedSource
from tests.pipeline.toy import listed, make_run


class Bulk(Record):
    """A unit's pictures, and the peak of the process that made them."""

    name: str
    pictures: tuple[bytes, ...]
    peak_mib: float


def peak_mib() -> float:
    """The most memory that this process has had at once."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def produce(config: RunConfig) -> Worker:
    size = config.probe.max_pixels

    def work(source: ListedSource) -> Bulk:
        pictures = tuple(os.urandom(2**14) for _ in range(size // 2**14))
        return Bulk(name=source.name, pictures=pictures, peak_mib=peak_mib())

    return work


def consume(config: RunConfig) -> Worker:
    del config

    def work(bulk: Bulk) -> Bulk:
        return bulk.replace(pictures=bulk.pictures[:1])

    return work


def bulks(inputs: Inputs) -> Iterator[Unit]:
    for bulk in inputs.results("scan"):
        yield Unit(bulk.name, bulk.name, bulk)


def bulky_run(folder: Path, n_units: int, size: int) -> Run:
    scan = Step(
        name="scan", unit="source", axis="page", takes="listing", reads=(), value=Bulk, units=listed, worker=produce,
        is_isolated=True, timeout_s=lambda _: 60.0,
    )  # fmt: skip
    split = Step(
        name="split", unit="source", axis="page", takes="scan", reads=("scan",), value=Bulk, units=bulks,
        worker=consume,
    )  # fmt: skip
    config = RunConfig().replace(probe=RunConfig().probe.replace(max_pixels=size))
    return make_run(folder, [[f"unit {number}" for number in range(n_units)]], (scan, split), config)


def main(folder: str, n_units: str, mebibytes: str) -> None:
    run = bulky_run(Path(folder), int(n_units), int(mebibytes) * 2**20)
    run_local(run, None, Watcher())
    own_mib = peak_mib()
    made = [found["result"] for found in run.store.read("split", 0, ["result.name", "result.peak_mib"])]
    assert [one["name"] for one in made] == [f"unit {number}" for number in range(int(n_units))]
    print(own_mib, max(one["peak_mib"] for one in made))


if __name__ == "__main__":
    main(*sys.argv[1:])
