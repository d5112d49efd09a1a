"""`reelproof review`: people's decisions about labels, from a file into the grid, and the labels out to a file.

Here: applying choices, and what is told of it. Not here: the files (`jobs.review_file`), the table of labels
(`jobs.review_table`), or what a decision makes of a label (`pipeline.reviews`).
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rich.console import Console

from annotators.endpoint.budget import Limits
from jobs.review_file import Choice, ReviewError, read_choices, write_table
from jobs.review_table import table_rows
from jobs.run import Request, fill_grid, run_request
from jobs.status import open_run
from pipeline.fates import LabelPlace, label_places, outdated_decisions, part_fates
from pipeline.grid import Run
from pipeline.reviews import TABLE, decisions, write_decisions
from schemas.review import LabelFate, ReviewDecision, label_version

ALL = "all"
_IDS_SHOWN = 5


@dataclass(frozen=True)
class ReviewRequest:
    """What was asked for on the command line."""

    directory: str
    decisions: str | None = None
    """File with decisions."""
    export: str | None = None
    """File to write the labels to."""
    reviewer: str = ""
    """Who decided, where the file does not say."""
    clear: tuple[str, ...] = ()
    """Labels whose decisions are taken back, or `all`."""
    fills: bool = True
    """Whether the grid is filled afterwards."""
    runner: str = "ray"
    quiet: bool = False
    as_json: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Recorded:
    """What came of a file with decisions."""

    accepted: int = 0
    rejected: int = 0
    """Labels that the file accepts and rejects."""
    new: int = 0
    changed: int = 0
    """Those of them that were not decided before, and that were decided otherwise."""
    cleared: int = 0
    undecided_rows: int = 0
    outgrown: tuple[str, ...] = ()
    """Labels that say something else than when the file was written; nothing was decided about them."""


def review(request: ReviewRequest) -> bool:
    """Record decisions and fill the grid with what they make of the labels; True where units failed.

    Raises ReviewError where a file cannot be followed, and then nothing is recorded; otherwise as `run_request`.
    """
    run = open_run(request.directory)
    recorded = Recorded()
    decides = request.decisions is not None or bool(request.clear)
    if decides:
        with run.store.locked():
            recorded = _record(run, request)
    if not request.as_json:
        _print_recorded(request, recorded)
    has_failed = _fill(request) if decides and request.fills else False
    exported = write_table(request.export, table_rows(run)) if request.export else None
    _print_standing(run, request, recorded, exported)
    return has_failed


def _fill(request: ReviewRequest) -> bool:
    resumed = Request(
        inputs=(), output=request.directory, runner=request.runner, quiet=request.quiet, limits=request.limits
    )
    return fill_grid(resumed).has_failed if request.as_json else run_request(resumed)


def _record(run: Run, request: ReviewRequest) -> Recorded:
    """Merge the choices with earlier decisions, part by part. The folder must be locked."""
    earlier = {row: dict(decisions(run.store, row)) for row in run.store.rows(TABLE)}
    after = {row: dict(found) for row, found in earlier.items()}
    cleared = _clear(after, request.clear)
    recorded = Recorded(cleared=cleared)
    if request.decisions is not None:
        recorded = replace(_merge(run, request, request.decisions, after), cleared=cleared)
    for row, decided in after.items():
        if decided != earlier.get(row, {}):
            write_decisions(run.store, row, decided.values())
    return recorded


def _clear(decided: Mapping[int, dict[str, ReviewDecision]], names: Sequence[str]) -> int:
    count = 0
    for name in names:
        found = [(row, key) for row, by_label in decided.items() for key, one in by_label.items()
                 if name in (ALL, key, one.clip_id)]  # fmt: skip
        if not found and name != ALL:
            raise ReviewError(f"there is no decision about {name!r} to take back")
        for row, key in found:
            del decided[row][key]
        count += len(found)
    return count


def _merge(run: Run, request: ReviewRequest, path: str, decided: dict[int, dict[str, ReviewDecision]]) -> Recorded:
    choices = read_choices(path)
    chosen = _resolved(path, choices.made, list(label_places(run)) if choices.made else [])
    counts: Counter[str] = Counter()
    outgrown: list[str] = []
    for row in sorted({place.part for place, _ in chosen}):
        fates = {fate.label.label_id: fate for fate in part_fates(run, row)}
        for place, choice in chosen:
            if place.part != row:
                continue
            by_label = decided.setdefault(row, {})
            before, fate = by_label.get(place.label_id), fates[place.label_id]
            if not _is_the_one_seen(choice, fate):
                outgrown.append(place.label_id)
                continue
            now = _decision(choice, fate, request.reviewer, before)
            counts[now.decision] += 1
            counts["new"] += before is None
            counts["changed"] += before is not None and before.decision != now.decision
            by_label[place.label_id] = now
    return Recorded(
        accepted=counts["accept"], rejected=counts["reject"], new=counts["new"], changed=counts["changed"],
        undecided_rows=choices.undecided, outgrown=tuple(outgrown),
    )  # fmt: skip


def _decision(choice: Choice, fate: LabelFate, reviewer: str, before: ReviewDecision | None) -> ReviewDecision:
    """What is decided now. Said again, it is the decision of before, with what is said more precisely now."""
    by, note = choice.reviewer or reviewer, choice.note
    if before is not None and (before.decision, before.made) == (choice.decision, fate.made):
        # What was seen is left as it is, for it changes as judges are asked again.
        return before.replace(reviewer=by or before.reviewer, note=note or before.note)
    return ReviewDecision(
        label_id=fate.label.label_id, clip_id=fate.label.clip_id, decision=choice.decision, reviewer=by, note=note,
        made=fate.made, seen=fate.verified,
    )  # fmt: skip


def _is_the_one_seen(choice: Choice, fate: LabelFate) -> bool:
    return choice.version in ("", label_version(fate.label))


def _resolved(path: str, choices: Sequence[Choice], places: Sequence[LabelPlace]) -> list[tuple[LabelPlace, Choice]]:
    """The labels that choices are about. What is said of a label by itself goes before what is said of its clip."""
    by_label = {place.label_id: place for place in places}
    by_clip: dict[str, list[LabelPlace]] = {}
    for place in places:
        by_clip.setdefault(place.clip_id, []).append(place)
    of_labels: dict[str, Choice] = {}
    of_clips: dict[str, Choice] = {}
    for choice in choices:
        known, chosen, name = (
            (by_label, of_labels, choice.label_id) if choice.label_id else (by_clip, of_clips, choice.clip_id)
        )
        what = "label" if choice.label_id else "clip with labels"
        if name not in known:
            raise ReviewError(f"{path}, {choice.where}: no {what} {name[:120]!r} in this run")
        if choice.label_id and choice.clip_id not in ("", by_label[name].clip_id):
            raise ReviewError(f"{path}, {choice.where}: label {name!r} is not of clip {choice.clip_id[:120]!r}")
        other = chosen.get(name)
        if other is not None and other.decision != choice.decision:
            there = f"{other.decision}ed in {other.where}"
            raise ReviewError(f"{path}, {choice.where}: {name!r} is {choice.decision}ed here and {there}")
        chosen[name] = choice
    found = {place.label_id: choice for clip_id, choice in of_clips.items() for place in by_clip[clip_id]}
    found |= of_labels
    return [(by_label[label_id], choice) for label_id, choice in found.items()]


def _print_recorded(request: ReviewRequest, recorded: Recorded) -> None:
    lines = list(_recorded_lines(request, recorded))
    console = Console()
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _recorded_lines(request: ReviewRequest, recorded: Recorded) -> Iterator[str]:
    if request.clear:
        yield f"{recorded.cleared} decisions taken back"
    if request.decisions is None:
        return
    same = recorded.accepted + recorded.rejected - recorded.new - recorded.changed
    yield (
        f"{request.decisions}: {recorded.accepted} accepted, {recorded.rejected} rejected; {recorded.new} of them new, "
        f"{recorded.changed} decided otherwise before, {same} as before; {recorded.undecided_rows} rows left open"
    )
    if recorded.outgrown:
        yield (
            f"{len(recorded.outgrown)} labels say something else than when the file was written; nothing was decided "
            f"about them: {_some(recorded.outgrown)}"
        )


def _print_standing(run: Run, request: ReviewRequest, recorded: Recorded, exported: int | None) -> None:
    """What the run's decisions are now."""
    standing = [one for row in run.store.rows(TABLE) for one in decisions(run.store, row).values()]
    outdated = [one.label_id for one in outdated_decisions(run)]
    by_decision = Counter(one.decision for one in standing)
    console = Console()
    if request.as_json:
        told = {
            "accepted": recorded.accepted, "rejected": recorded.rejected, "new": recorded.new,
            "changed": recorded.changed, "cleared": recorded.cleared, "undecided_rows": recorded.undecided_rows,
            "outgrown": list(recorded.outgrown), "exported": exported,
            "decisions": {"accept": by_decision["accept"], "reject": by_decision["reject"], "outdated": outdated},
        }  # fmt: skip
        console.print_json(json.dumps(told), indent=2)
        return
    lines = [f"decisions in this run: {by_decision['accept']} accept, {by_decision['reject']} reject"]
    if outdated:
        lines.append(
            f"{len(outdated)} of them have no effect: their labels are gone or say something else by now: "
            f"{_some(outdated)}; `--clear LABEL_ID` takes a decision back"
        )
    if exported is not None:
        lines.append(f"{exported} labels written to {request.export}: fill in `decision` (accept or reject)")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _some(label_ids: Sequence[str]) -> str:
    more = len(label_ids) - _IDS_SHOWN
    return ", ".join(label_ids[:_IDS_SHOWN]) + (f" and {more} more" if more > 0 else "")
