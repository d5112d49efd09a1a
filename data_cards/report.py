"""The report: one HTML page that shows clips, labels, evidence and checks on their timelines, with no network.

Here: `Series`, `ReportClip`, `render_report`. Not here: the layout of a timeline (`data_cards.timeline`), labels in
words (`data_cards.label_view`), or the look of the page (`templates/`).
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Self

import jinja2
from markupsafe import Markup
from pydantic import Field, model_validator

from data_cards import label_view, timeline, wording
from data_cards.priors_view import priors_view
from data_cards.scale import Scale
from data_cards.statistics import DatasetStatistics
from data_cards.tallies import CameraTally, NamedTally
from schemas.base import Record
from schemas.config import RunConfig
from schemas.label import VerifiedLabel
from schemas.review import LabelFate
from schemas.signals import ClipDescription, ShotFigures
from schemas.summary import Problem, RunSummary

MAX_POINTS = 240
"""Points of a series: about as many as the line has pixels to show."""

MAX_PROBLEMS = 1000
"""Rejections, failures and damage that the page lists; the counts beside them are those of the whole run."""


class Series(Record):
    """One signal of a clip, downsampled for drawing."""

    name: str
    unit: str
    times_s: tuple[float, ...] = Field(max_length=MAX_POINTS)
    """Seconds on the source's timeline, ascending."""
    values: tuple[float, ...] = Field(max_length=MAX_POINTS)
    """One value per time, in `unit`."""

    @model_validator(mode="after")
    def _has_a_value_per_time(self) -> Self:
        if len(self.times_s) != len(self.values):
            raise ValueError(f"series {self.name!r} has {len(self.times_s)} times and {len(self.values)} values")
        return self


class ReportClip(Record):
    """A clip as the report shows it."""

    description: ClipDescription
    labels: tuple[VerifiedLabel, ...]
    """The labels that were kept."""
    turned_down: tuple[LabelFate, ...] = ()
    """Labels of this clip that were not kept: rejected, failed, or not seen by every judge yet."""
    series: tuple[Series, ...] = ()


@dataclass(frozen=True)
class ClipView:
    """A clip with everything its card needs."""

    number: int
    clip_id: str
    name: str
    facts: tuple[str, ...]
    timeline: timeline.Timeline
    shots: tuple[ShotFigures, ...]
    groups: tuple[tuple[str, tuple[label_view.LabelView, ...]], ...]
    turned_down: tuple[label_view.LabelView, ...]

    @property
    def labels(self) -> tuple[label_view.LabelView, ...]:
        """All labels that are shown."""
        return (*(label for _, members in self.groups for label in members), *self.turned_down)


@dataclass(frozen=True)
class Chart:
    """A list of bars."""

    title: str
    rows: tuple[tuple[str, int, float], ...]
    """Name, count, per cent of the greatest count."""


def render_report(
    summary: RunSummary,
    statistics: DatasetStatistics,
    config: RunConfig,
    clips: Sequence[ReportClip],
    problems: Sequence[Problem],
) -> str:
    """The report as one HTML document that opens from disk and asks for nothing else.

    Whatever comes from files, videos or models is escaped; beyond that, the page's content security policy lets no
    script run but the page's own.

    Args:
        summary: the run in figures.
        statistics: what the packaged samples hold.
        config: what the run was told to do.
        clips: the clips to show, in order; at most a few hundred, for all are in the page.
        problems: rejections, failures and damage of the run; the first `MAX_PROBLEMS` are listed.
    """
    views = [_clip_view(number, clip) for number, clip in enumerate(clips, start=1)]
    script = "\n".join(_template_text(name).strip() for name in ("report.js", "review.js"))
    labels = [label for view in views for label in view.labels]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=wording.plain_line(config.card.title),
            summary=summary,
            statistics=statistics,
            command=wording.reproduce_command(config),
            clips=views,
            problems=problems[:MAX_PROBLEMS],
            n_problems=len(problems),
            problem_kinds=sorted({problem.kind for problem in problems}),
            thresholds={count.name: wording.threshold_of(config, count.name) for count in summary.rejections},
            priors=priors_view(summary.priors) if summary.priors else None,
            charts=_charts(statistics),
            kinds=sorted({label.kind for label in labels}),
            tasks=sorted({label.task for label in labels if label.task}),
            tokens=sorted({token for label in labels for token in label.tokens}),
            outcomes=sorted({outcome for label in labels for outcome in label.outcomes}),
            style=Markup(_template_text("report.css")),  # noqa: S704 our own file
            script=Markup(script),  # noqa: S704 our own file
            script_sha256=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def _clip_view(number: int, clip: ReportClip) -> ClipView:
    description, media = clip.description, clip.description.clip
    scale = Scale.of(media.span)
    lanes = [timeline.series_lane(s.name, s.unit, s.times_s, s.values, scale) for s in clip.series]
    groups = label_view.grouped_by_kind([label_view.label_view(label, scale) for label in clip.labels])
    return ClipView(
        number=number,
        clip_id=media.clip_id,
        name=media.name,
        facts=(
            f"{wording.clock(media.span.start_s)} to {wording.clock(media.span.end_s)} of the source",
            f"{media.span.duration_s:.2f} s",
            f"{wording.grouped(media.n_frames)} frames",
            f"{description.display_width} × {description.display_height}",  # noqa: RUF001 the sign for it
        ),
        timeline=timeline.timeline_of(description, lanes),
        shots=description.shots,
        groups=tuple((heading, tuple(members)) for heading, members in groups.items()),
        turned_down=tuple(label_view.label_view(fate, scale) for fate in clip.turned_down),
    )


def _charts(statistics: DatasetStatistics) -> list[Chart]:
    bins = [
        (f"{row.start_s} to {row.end_s} s" if row.end_s is not None else f"from {row.start_s} s", row.count)
        for row in statistics.durations
    ]
    shots = [(f"{row.n_shots} shot{'' if row.n_shots == 1 else 's'}", row.count) for row in statistics.shots_per_clip]
    letters = [(f"{chr(ord('A') + row.position)} of {row.n_options} options", row.count) for row in statistics.answers]
    checks = [(f"{row.modality}: {row.outcome}", row.count) for row in statistics.checks]
    charts = [
        _chart("Clip length", bins),
        _chart("Shots in a clip", shots),
        _chart("Transitions", _most_frequent(statistics.transitions)),
        _chart("Camera segments", _most_frequent(statistics.camera)),
        _chart("Question tasks", _most_frequent(statistics.qa_tasks)),
        _chart("Position of the right option", letters),
        _chart("Checks by modality and outcome", checks),
    ]
    return [chart for chart in charts if chart.rows]


def _most_frequent(tallies: Iterable[NamedTally | CameraTally]) -> list[tuple[str, int]]:
    rows = [(wording.term(tally.name), tally.count) for tally in tallies]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def _chart(title: str, rows: Sequence[tuple[str, int]]) -> Chart:
    most = max((count for _, count in rows), default=0) or 1
    return Chart(title, tuple((name, count, round(100 * count / most, 2)) for name, count in rows))


def _template_text(name: str) -> str:
    return resources.files("data_cards").joinpath("templates", name).read_text(encoding="utf-8")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("data_cards"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    plain = ("grouped", "figure", "share", "byte_size", "duration", "money", "term", "plain_line")
    environment.filters |= {name: getattr(wording, name) for name in plain}
    return environment
