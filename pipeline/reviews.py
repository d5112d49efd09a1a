"""People's decisions in the grid: one table a part, which `verify.evidence` depends on where it is there.

Here: reading and writing that table, and what a decision makes of a label. Not here: the files that people write
(`jobs.review`).
"""

from collections.abc import Iterable, Mapping

from pipeline.fingerprint import fingerprint
from pipeline.grid import CODE_VERSION
from pipeline.store import Store
from schemas.arrow import cell_row, cell_schema
from schemas.cell import CellInfo
from schemas.label import REVIEW_RULE, Label, VerifiedLabel
from schemas.review import ReviewDecision
from schemas.verdict import Result, Verdict

TABLE = "reviews"


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


def decided(label: Label, judged: VerifiedLabel | Verdict, decision: ReviewDecision) -> VerifiedLabel | Verdict:
    """What a person's decision makes of a label; what the measurements said stays in sight where it is accepted."""
    by = decision.reviewer or "a person"
    verdict = Verdict(
        subject_id=label.label_id, decision="keep" if decision.decision == "accept" else "reject", rule=REVIEW_RULE,
        score=None, threshold=None, reason=f"{by} decided so" + (f": {decision.note}" if decision.note else ""),
        looked_at="the label and its clip", judges=(by,),
    )  # fmt: skip
    if verdict.decision == "reject":
        return verdict
    if isinstance(judged, Verdict):
        return VerifiedLabel(label=label, checks=(), verdicts=(judged, verdict))
    return judged.judged(verdict)
