"""The evidence check: every claim of a label against the signals, and what the label is worth after it.

Here: `verify_label`. Not here: how a single quantity is checked (`stages.evidence.claims`), what is measured of the
label's own words (`stages.spoken.check`), or judges that ask a model.
"""

from schemas.config import DescribeConfig
from schemas.evidence import Evidence, EvidenceCheck
from schemas.judging import EvidenceConfig
from schemas.label import Label, VerifiedLabel
from schemas.signals import ClipDescription, SliceScan
from schemas.time import Span
from schemas.verdict import Verdict
from stages.errors import StageError
from stages.evidence.claims import CHECKS
from stages.evidence.measurements import Finding, Measurements
from stages.spoken.answers import options_true_too
from stages.spoken.check import check_words

RULE = "verify.evidence"
WORDS_RULE = "verify.evidence.words"
OPTIONS_RULE = "verify.evidence.options"
SPAN_RULE = "verify.span"
_LOOKED_AT = "the signals of the clip"


def verify_label(
    label: Label, description: ClipDescription, scan: SliceScan, describe: DescribeConfig, config: EvidenceConfig
) -> VerifiedLabel | Verdict:
    """The label with a check per piece of evidence and per measured statement, or a rejection where one contradicts.

    Claims about time, light, motion and stillness are measured again on the signals of `scan`, whose `frame_samples`
    may be empty; text and colours are held against `description`. A rejection's score is the number of contradicted
    pieces of evidence (rule `verify.evidence`), of contradicted statements (rule `verify.evidence.words`), of options
    marked wrong that the signals confirm (rule `verify.evidence.options`), or of spans of the label or its reasoning
    that leave the clip (rule `verify.span`).
    Raises StageError where label, description and scan are not of the same clip.
    """
    _require_same_clip(label, description, scan)
    outside = _spans_outside(label, description.clip.span)
    if outside:
        where = f"{outside[0]} leaves the clip {_seconds(description.clip.span)}"
        return _reject(label, SPAN_RULE, len(outside), f"{where}; {len(outside)} spans do")
    measurements = Measurements(description, scan, describe, config)
    checks = tuple(_check(index, evidence, measurements) for index, evidence in enumerate(label.evidence))
    contradicted = [check for check in checks if check.outcome == "contradicted"]
    if contradicted:
        return _reject(label, RULE, len(contradicted), _contradiction(label, contradicted[0]))
    said = check_words(label, measurements) if config.words else ()
    denied = [check for check in said if check.outcome == "contradicted"]
    if denied:
        return _reject(label, WORDS_RULE, len(denied), f"{denied[0].statement!r}: {denied[0].reason}")
    asked = label.qa or label.trace
    true_too = list(options_true_too(asked, label.span, measurements)) if asked and config.words else []
    if true_too:
        option, finding = true_too[0]
        return _reject(label, OPTIONS_RULE, len(true_too), f"the option {option!r} is true too: {finding.reason}")
    n_confirmed = sum(check.outcome == "confirmed" for check in checks)
    reason = f"{n_confirmed} of {len(checks)} pieces of evidence confirmed, none contradicted"
    reason += f"; {len(said)} measurable statements confirmed" if said else ""
    verdict = Verdict(
        subject_id=label.label_id, decision="keep", rule=RULE, score=0.0, threshold=0.0, reason=reason,
        looked_at=_LOOKED_AT,
    )  # fmt: skip
    return VerifiedLabel(label=label, checks=(*checks, *said), verdicts=(verdict,))


def check_evidence(evidence: Evidence, measurements: Measurements) -> Finding:
    """One piece of evidence held against the measurements."""
    clip = measurements.clip_span
    if evidence.span.time_base != clip.time_base:
        return Finding("contradicted", "the span is on another time base than the clip")
    if not clip.covers(evidence.span):
        return Finding("contradicted", f"outside the clip {_seconds(clip)}", evidence.span.start_s)
    if evidence.claim is None:
        return Finding("unchecked", "the observation has no checkable claim")
    return CHECKS[evidence.claim.quantity](evidence.claim, evidence.span, measurements)


def _check(index: int, evidence: Evidence, measurements: Measurements) -> EvidenceCheck:
    finding = check_evidence(evidence, measurements)
    return EvidenceCheck(
        evidence_index=index,
        outcome=finding.outcome,
        measured=finding.measured,
        measured_text=finding.measured_text,
        threshold=finding.threshold,
        reason=finding.reason,
    )


def _require_same_clip(label: Label, description: ClipDescription, scan: SliceScan) -> None:
    clip = description.clip
    if label.clip_id != clip.clip_id:
        raise StageError(f"{clip.name}: label {label.label_id} of clip {label.clip_id} was given clip {clip.clip_id}")
    if scan.slice_id != clip.slice_id:
        raise StageError(f"{clip.name}: clip {clip.clip_id} was given the scan of slice {scan.slice_id}")


def _spans_outside(label: Label, clip: Span) -> list[str]:
    """Which spans and frames of the label itself do not lie in the clip, in words."""
    spans = [
        f"{name} {_seconds(span)}"
        for name, span in label.spans
        if span.time_base != clip.time_base or not clip.covers(span)
    ]
    frames = [pts for pts in label.frames_pts if not clip.holds(pts)]
    return spans + [f"a frame at {clip.time_base.seconds(pts):.3f} s" for pts in frames]


def _contradiction(label: Label, check: EvidenceCheck) -> str:
    index = check.evidence_index or 0
    evidence = label.evidence[index]
    quantity = evidence.claim.quantity if evidence.claim else "no claim"
    return f"evidence {index} ({quantity}, {_seconds(evidence.span)}): {check.reason}"


def _reject(label: Label, rule: str, count: int, reason: str) -> Verdict:
    return Verdict(
        subject_id=label.label_id, decision="reject", rule=rule, score=float(count), threshold=0.0, reason=reason,
        looked_at=_LOOKED_AT,
    )  # fmt: skip


def _seconds(span: Span) -> str:
    return f"[{span.start_s:.3f} s, {span.end_s:.3f} s)"
