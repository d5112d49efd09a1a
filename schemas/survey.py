"""What looking at all questions of a data set together found.

Here: the record that the column `survey` holds. Not here: how it is found (`stages.texts.duplicates`,
`stages.priors.probe`).
"""

from schemas.base import Record
from schemas.priors import PriorsReport
from schemas.verdict import Verdict


class QuestionFinding(Record):
    """One verdict, and all questions that it is on: most questions of a task share theirs."""

    verdict: Verdict
    """Its `subject_id` is empty."""
    label_ids: tuple[str, ...]


class QuestionSurvey(Record):
    """Near-duplicates, and questions that their words give away."""

    n_questions: int
    """Labels that ask something."""
    priors: PriorsReport | None
    """None where the text-only probe is off."""
    findings: tuple[QuestionFinding, ...]
    """In the order of the judges: near-duplicates first, and nothing more on questions that go as such."""
