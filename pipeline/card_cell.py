"""The last column: card, statistics, Croissant and report, written from the whole grid.

Here: gathering what `data_cards` renders, and writing the files. Not here: how they look.
"""

import hashlib
import json
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from data_cards.card import ShardFile, render_card
from data_cards.croissant import croissant_metadata
from data_cards.report import ReportClip, Series, render_report
from data_cards.statistics import DatasetStatistics, statistics_of
from pipeline.attempt import Unit, Worker
from pipeline.fates import part_fates
from pipeline.grid import CellTask, Inputs, Run
from pipeline.series import clip_series
from pipeline.summary import find_problems, last_judge, summarize
from schemas.arrow import StepRecord
from schemas.cell import FileStamp
from schemas.config import RunConfig
from schemas.dataset import DatasetCard, PackagedSample
from schemas.label import VerifiedLabel
from schemas.review import LabelFate
from schemas.signals import ClipDescription, SliceScan
from schemas.summary import Problem, RunSummary
from schemas.verdict import Result

CARD = "README.md"
STATISTICS = "stats.json"
CROISSANT = "croissant.json"
REPORT = "report/index.html"


def dataset(inputs: Inputs) -> Iterator[Unit]:
    """The one unit: the data set."""
    yield Unit("dataset", inputs.run.config.card.title, inputs)


def card_writer(config: RunConfig) -> Worker:
    """Writes everything that a reader of the data set sees."""
    del config
    return write_card


def card_record(task: CellTask) -> Iterator[StepRecord]:
    """The record of the card, with its files among the cell's."""
    for unit in dataset(task.inputs):
        record = task.worker.attempt(unit)
        if isinstance(record, Result) and isinstance(record.value, DatasetCard):
            task.files.extend(_stamp(task.inputs.run, path) for path in record.value.files)
        yield record


def write_card(inputs: Inputs) -> DatasetCard:
    """Write card, statistics, Croissant and report."""
    run = inputs.run
    summary, problems = _funnel(run)
    statistics = _statistics(run)
    shards = _shards(run)
    card = render_card(summary, statistics, run.config, shards, problems)
    croissant = croissant_metadata(summary, statistics, run.config, shards)
    run.store.write_bytes(CARD, card.encode())
    run.store.write_bytes(
        STATISTICS, _json({"statistics": statistics.model_dump(mode="json"), "run": summary.model_dump(mode="json")})
    )
    run.store.write_bytes(CROISSANT, _json(croissant))
    _write_report(run, summary, statistics, problems)
    return DatasetCard(
        files=(CARD, STATISTICS, CROISSANT, REPORT), n_samples=statistics.samples, n_labels=statistics.labels
    )


def write_report(run: Run) -> str:
    """Write the report from what the run has so far, and return its path below the run's folder."""
    summary, problems = _funnel(run)
    _write_report(run, summary, _statistics(run), problems)
    return REPORT


def _write_report(run: Run, summary: RunSummary, statistics: DatasetStatistics, problems: tuple[Problem, ...]) -> None:
    clips = list(_report_clips(run))
    run.store.write_bytes(REPORT, render_report(summary, statistics, run.config, clips, problems).encode())


def _funnel(run: Run) -> tuple[RunSummary, tuple[Problem, ...]]:
    """The run in figures up to the card, which cannot count itself."""
    run = run.snapshot()
    summary = summarize(run)
    steps = tuple(step for step in summary.steps if step.step != "card")
    return summary.replace(steps=steps), tuple(problem for problem in find_problems(run) if problem.step != "card")


def _statistics(run: Run) -> DatasetStatistics:
    packaged: dict[str, PackagedSample] = {}
    for row in run.rows(run.step("package")):
        if run.store.info("package", row) is not None:
            for found in run.store.read("package", row):
                if found["outcome"] == "result":
                    packaged[found["unit_id"]] = PackagedSample.model_validate(found["result"])
    total = DatasetStatistics()
    for described in _described(run, with_pictures=False):
        sample = packaged.get(described.description.clip.clip_id)
        if sample is not None:
            taxonomy = run.config.annotate.measured.taxonomy
            total += statistics_of(sample, described.description, described.verified, taxonomy)
    return total


def _report_clips(run: Run) -> Iterator[ReportClip]:
    left = run.config.card.report_clips
    for row, described in groupby(_described(run, with_pictures=True), key=lambda found: found.row):
        turned_down: dict[str, list[LabelFate]] = {}
        for fate in part_fates(run, row):
            if fate.outcome != "kept":
                turned_down.setdefault(fate.label.clip_id, []).append(fate)
        for found in described:
            if left == 0:
                return
            left -= 1
            clip = found.description.clip
            series = tuple(
                Series(name=name, unit=unit, times_s=times_s, values=values)
                for name, unit, times_s, values in (clip_series(found.scan, clip) if found.scan else ())
            )
            yield ReportClip(
                description=found.description,
                labels=found.verified,
                turned_down=tuple(turned_down.get(clip.clip_id, ())),
                series=series,
            )


class _Described(NamedTuple):
    """A clip as it lies in the tables."""

    row: int
    """Its part."""
    description: ClipDescription
    verified: tuple[VerifiedLabel, ...]
    scan: SliceScan | None


def _described(run: Run, *, with_pictures: bool) -> Iterator[_Described]:
    """Every described clip with its kept labels; with its slice's signals too, where pictures are wanted."""
    reader = Inputs(run, run.step("card"), 0)
    for row in run.rows(run.step("describe")):
        if run.store.info("describe", row) is None:
            continue
        verified: dict[str, list[VerifiedLabel]] = {}
        judge = last_judge(run)
        if run.store.info(judge, row) is not None:
            for kept in reader.results(judge, only_row=row):
                verified.setdefault(kept.label.clip_id, []).append(kept)
        scans: dict[str, SliceScan] = {}
        if with_pictures:
            scans = {scan.slice_id: scan for scan in reader.results("scan", without=("frame_samples",), only_row=row)}
        for description in reader.results("describe", without=() if with_pictures else ("keyframes",), only_row=row):
            clip = description.clip
            yield _Described(row, description, tuple(verified.get(clip.clip_id, ())), scans.get(clip.slice_id))


def _shards(run: Run) -> list[ShardFile]:
    shards = []
    for row in run.rows(run.step("package")):
        info = run.store.info("package", row)
        for stamp in info.files if info else ():
            if stamp.path.endswith(".tar") and info:
                name = stamp.path.removeprefix("shards/")
                shards.append(
                    ShardFile(
                        name=name,
                        split=name.rsplit("-", 1)[0],
                        size_bytes=stamp.size_bytes,
                        sha256=stamp.sha256,
                        n_samples=info.results,
                    )
                )
    return shards


def _json(values: object) -> bytes:
    return json.dumps(values, indent=2, ensure_ascii=False).encode()


def _stamp(run: Run, path: str) -> FileStamp:
    data = run.store.read_bytes(path)
    return FileStamp(path=path, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
