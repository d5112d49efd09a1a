"""People's decisions in the grid: one table a part, which `verify.evidence` depends on where it is there.

Here: reading and writing that table, and what a decision makes of a label. Not here: the files that people write
(`jobs.review_file`), or what became of labels (`pipeline.fates`).
"""

from collections.abc import Iterable, Mapping

from pipeline.fingerprint import fingerprint
from pipeline.grid import CODE_VERSION
from pipeline.store import Store
from schemas.arrow import cell_row, cell_schema
from schemas.cell import CellInfo
from schemas.label import REVIEW_RULE, Label, VerifiedLabel
from schemas.review import ReviewDecision, label_version
from schemas.verdict import Result, Verdict

TABLE = "reviews"

MADE_BY_EVIDENCE = ("verify.evidence", "verify.evidence.words", "verify.evidence.options", "verify.span")
"""Rules of the step that decisions enter at: it comes to these verdicts anew."""


def decisions(store: Store, row: int) -> Mapping[str, ReviewDecision]:
    """What was decided about the labels of a part, by label."""
    if store.info(TABLE, row) is None:
        return {}
    found = (ReviewDecision.model_validate(read["result"]) for read in store.read(TABLE, row))
    return {decision.label_id: decision for decision in found}


def write_decisions(store: Store, row: int, decided: Iterable[ReviewDecision]) -> None:
    """Replace the decisions about a part's labels; none left removes the table."""
    ordered = sorted(decided, key=lambda decision: decision.label_id)
    if not ordered:
        store.remove_cell(TABLE, row)
        return
    rows = [cell_row(Result(unit_id=one.label_id, subject=one.label_id, value=one)) for one in ordered]
    with store.write_cell(TABLE, row, cell_schema(ReviewDecision)) as writer:
        writer.add_all(rows)
        identity = fingerprint([one.model_dump() for one in ordered])
        writer.close(
            CellInfo(
                fingerprint=identity, identity=identity, units=len(rows), results=len(rows), rejections=0, failures=0,
                hands_on=0, files=(), code_version=CODE_VERSION,
            )
        )  # fmt: skip


def standing(decision: ReviewDecision | None, label: Label) -> ReviewDecision | None:
    """The decision about a label, where there is one and the label still says what was decided about."""
    if decision is None or decision.made in ("", label_version(label)):
        return decision
    return None


def decided(label: Label, judged: VerifiedLabel | Verdict, decision: ReviewDecision) -> VerifiedLabel | Verdict:
    """What a person's decision makes of a label.

    An accepted label is the one that the person saw, with the verdicts of all judges so far: no judge sees it again,
    so what they found would be lost otherwise. What measurements said is told anew, and stays in sight where it is
    overruled.
    """
    verdict = review_verdict(decision)
    if decision.decision == "reject":
        return verdict
    seen = decision.seen
    told = (judged,) if isinstance(judged, Verdict) else judged.verdicts
    if seen is None:
        checks = () if isinstance(judged, Verdict) else judged.checks
        return VerifiedLabel(label=label, checks=checks, verdicts=(*told, verdict))
    later = tuple(one for one in seen.verdicts if one.rule not in MADE_BY_EVIDENCE)
    # Checks belong to the label that was checked now, which judges may have changed before it was seen.
    checks = judged.checks if isinstance(judged, VerifiedLabel) and seen.label == label else seen.checks
    return seen.replace(checks=checks, verdicts=(*told, *later, verdict))


def review_verdict(decision: ReviewDecision) -> Verdict:
    """A person's decision as a verdict."""
    by = decision.reviewer or "a person"
    return Verdict(
        subject_id=decision.label_id, decision="keep" if decision.decision == "accept" else "reject", rule=REVIEW_RULE,
        score=None, threshold=None, reason=f"{by} decided so" + (f": {decision.note}" if decision.note else ""),
        looked_at="the label and its clip", judges=(by,),
    )  # fmt: skip
