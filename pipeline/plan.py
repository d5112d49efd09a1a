"""The plan: the grid's columns in one table. Adding a step is a stage or annotator, a row here, and a test.

Here: which steps there are, what each needs, and which of them a run has. Not here: how a cell is computed
(`pipeline.grid`). Annotators that ask a model are alike: they share one row, and `annotators.table` lists them.
"""

from dataclasses import replace
from itertools import pairwise

from annotators.table import ASKING
from pipeline import annotated_units, card_cell, judged_units, reviews, shard_cells, survey, units, work
from pipeline.grid import Step
from pipeline.parts import update_parts
from schemas.config import RunConfig
from schemas.dataset import DatasetCard, PackagedSample, ShardAssignment, UniqueClip
from schemas.label import ClipLabels, VerifiedLabel
from schemas.media import SliceSplit, Source
from schemas.signals import ClipDescription, SliceScan
from schemas.survey import QuestionSurvey

ANNOTATORS = ("measured", "fragments", *(annotator.name for annotator in ASKING))
JUDGES = ("evidence", "wording", "questions", "consistency", "veracity", "leakage", "question_class", "critic")
"""In the order in which they judge: each takes what the one before kept, the cheap ones first."""
ALL_JUDGED = "verify.critic"
"""The labels that every judge kept; where the last judges are off, `steps_of` names the last that is on."""
LAST_STEP_BEFORE_ASKING = "dedup"

STEPS = (
    Step(
        name="probe",
        unit="source",
        axis="page",
        takes="listing",
        reads=(),
        value=Source,
        units=units.listed_sources,
        worker=work.probe,
        hands_on=units.count_slices,
        after=update_parts,
        is_isolated=True,
        timeout_s=lambda config: config.probe.timeout_s,
    ),
    Step(
        name="scan",
        unit="slice",
        axis="part",
        takes="probe",
        reads=(),
        value=SliceScan,
        units=units.part_slices,
        worker=work.scan,
        version="4",
        is_isolated=True,
        timeout_s=lambda config: config.scan.timeout_s,
    ),
    Step(
        name="split",
        unit="slice",
        axis="part",
        takes="scan",
        reads=("scan",),
        value=SliceSplit,
        units=units.scanned_slices,
        worker=work.split,
        hands_on=units.count_clips,
        cpus=0.1,
    ),
    Step(
        name="describe",
        unit="clip",
        axis="part",
        takes="split",
        reads=("scan", "split"),
        value=ClipDescription,
        units=units.split_clips,
        worker=work.describe,
        version="2",
    ),
    Step(
        name="dedup",
        unit="clip",
        axis="part",
        takes="describe",
        reads=("describe",),
        value=UniqueClip,
        units=units.described_clips,
        worker=work.pass_through,
        needs_whole_corpus=True,
        cuts_off=True,
        cpus=0.1,
    ),
    Step(
        name="annotate.measured",
        unit="clip",
        axis="part",
        takes="dedup",
        reads=("describe", "dedup"),
        value=ClipLabels,
        units=units.unique_clips,
        worker=work.annotate_measured,
        hands_on=units.count_labels,
        cpus=0.5,
    ),
    Step(
        name="annotate.fragments",
        unit="clip",
        axis="part",
        takes="dedup",
        reads=("describe", "dedup"),
        value=ClipLabels,
        units=units.unique_clips,
        worker=work.annotate_fragments,
        hands_on=units.count_labels,
        cpus=0.5,
    ),
    *(
        Step(
            name=f"annotate.{annotator.name}",
            unit=annotator.unit,
            axis="part",
            takes=annotated_units.takes(annotator),
            reads=("scan", "split", "describe", "dedup", *(f"annotate.{name}" for name in annotator.after)),
            value=ClipLabels,
            units=annotated_units.subjects(annotator),
            asker=work.asker(annotator.name),
            version=work.asker_version(annotator),
            hands_on=units.count_nothing if annotator.revises else units.count_labels,
            cpus=0.25,
        )
        for annotator in ASKING
    ),
    Step(
        name="verify.evidence",
        unit="label",
        axis="part",
        takes=tuple(f"annotate.{name}" for name in ANNOTATORS),
        reads=("scan", "describe", *(f"annotate.{name}" for name in ANNOTATORS)),
        value=VerifiedLabel,
        units=units.labels,
        worker=work.verify_evidence,
        decisions=reviews.TABLE,
        version="3",
        cpus=0.5,
    ),
    Step(
        name="verify.wording",
        unit="label",
        axis="part",
        takes="verify.evidence",
        reads=("dedup", "verify.evidence"),
        value=VerifiedLabel,
        units=judged_units.kept_labels,
        worker=work.verify_wording,
        version=work.wording_version(),
        cpus=0.5,
    ),
    Step(
        name=survey.SURVEY,
        unit="dataset",
        axis="corpus",
        takes="dataset",
        reads=("dedup", "verify.wording"),
        value=QuestionSurvey,
        units=survey.dataset,
        worker=survey.surveyor,
        version=survey.version(),
        settings=survey.SECTIONS,
        cuts_off=True,
    ),
    Step(
        name="verify.questions",
        unit="label",
        axis="part",
        takes="verify.wording",
        reads=("dedup", survey.SURVEY, "verify.wording"),
        value=VerifiedLabel,
        units=survey.surveyed_labels,
        worker=survey.act_on_survey,
        cuts_off=True,
        cpus=0.25,
    ),
    *(
        Step(
            name=f"verify.{judge}",
            unit="label",
            axis="part",
            takes=f"verify.{before}",
            reads=("scan", "describe", "dedup", f"verify.{before}"),
            value=VerifiedLabel,
            units=judged_units.judge_subjects,
            asker=work.judge(judge),
            version=work.judge_version(judge),
            settings=(f"verify.{judge}", *work.JUDGED_BY_AUTHORS.get(judge, ())),
            cpus=0.25,
        )
        for before, judge in pairwise(JUDGES[2:])
    ),
    Step(
        name="plan",
        unit="clip",
        axis="corpus",
        takes="dedup",
        reads=("probe", "dedup", ALL_JUDGED),
        value=ShardAssignment,
        units=shard_cells.assigned_clips,
        worker=work.hand_over,
        cuts_off=True,
        after=shard_cells.update_shards,
        cpus=0.5,
    ),
    Step(
        name="package",
        unit="clip",
        axis="shard",
        takes="plan",
        reads=("describe", ALL_JUDGED),
        value=PackagedSample,
        units=units.shard_clips,
        worker=work.cut,
        records=shard_cells.pack_shard,
        after=shard_cells.remove_surplus_shards,
        is_isolated=True,
        timeout_s=lambda config: config.package.timeout_s,
    ),
    Step(
        name="card",
        unit="dataset",
        axis="corpus",
        takes="dataset",
        reads=(
            "probe",
            "scan",
            "split",
            "describe",
            "dedup",
            *(f"annotate.{name}" for name in ANNOTATORS),
            *(f"verify.{name}" for name in JUDGES),
            survey.SURVEY,
            "plan",
            "package",
        ),
        value=DatasetCard,
        units=card_cell.dataset,
        worker=card_cell.card_writer,
        records=card_cell.card_record,
    ),
)


def steps_of(config: RunConfig) -> tuple[Step, ...]:
    """The steps that a run has: all but annotators and judges that are off.

    Nobody reads annotators that are off. In place of a judge that is off, the last one before it that is on is read.
    """
    off = {f"annotate.{name}" for name in ANNOTATORS if name not in config.annotate.enabled()}
    off |= set() if "verify.questions" in config.verify.judges() else {survey.SURVEY}
    instead: dict[str, str] = {}
    last_on = ""
    for judge in (f"verify.{name}" for name in JUDGES):
        last_on = judge if judge in config.verify.judges() else last_on
        instead[judge] = last_on

    def on(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(instead.get(name, name) for name in names if name not in off))

    def taken(takes: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return instead.get(takes, takes) if isinstance(takes, str) else on(takes)

    return tuple(
        replace(step, takes=taken(step.takes), reads=on(step.reads))
        for step in STEPS
        if step.name not in off and instead.get(step.name, step.name) == step.name
    )
