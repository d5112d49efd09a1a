"""Tool traces: how somebody who may look at a clip with tools comes to the answer of a question.

Here: the request, the answer's form, and reading it. Not here: the words of the prompt (`prompts/tool_traces.j2`), or
which frames are kept (`stages.pictures.samples`).

After VideoThinker: the model writes the trace from timed captions, then each look gets the frames that show what the
captions told, and only traces whose answer is right are kept. After FrameThinker: no range is looked at twice, and a
fetched frame lies in its range. The further rules and every tolerance are ours.
"""

import re
from collections.abc import Iterator, Sequence

from pydantic import Field

from annotators.annotator import Abstention, Annotator, Reading, Request
from annotators.answers import Answer
from annotators.facts import measured_facts
from annotators.pictures import evenly, pictures
from annotators.subject import TIME_TOLERANCE_S, ClipSubject, UnsoundError, latest, sound_text
from schemas.asking import ToolTracesConfig
from schemas.evidence import Evidence
from schemas.label import Label, QAItem, ToolName, ToolTrace, ToolTurn
from schemas.media import FrameSample
from schemas.provenance import Provenance
from schemas.time import Span

MAX_CAPTIONS = 48
"""Captions that are told: those of the clip and its events before those of transitions. Ours."""
MAX_CAPTION_CHARS = 400
"""Characters of a caption that are told, so that many leave room for the question. Ours."""
MAX_TIMES = 32
"""Times of frames that are listed; where there are more, how often one comes is told. Ours."""
MAX_OPEN_WORDS = 6
"""Open answers of more words could be worded in too many ways for a program to say whether one is right. Ours."""
FETCH_REACH_S = 0.5
"""How far about a single moment a frame is fetched from. Ours."""
_LEVELS = ("clip", "event", "transition")
_LOOKING = ("overview", "zoom_in", "fetch_frame")
_LETTER = re.compile(r"(?:answer|option)?\s*:?\s*\(?([A-Za-z])(?:[).:]+\s*(?P<rest>.*))?", re.IGNORECASE | re.DOTALL)
_CAPTIONS = re.compile(r"\bcaptions?\b", re.IGNORECASE)


class TurnAnswer(Answer):
    """One turn."""

    thought: str = Field(description="what is known so far, and what has to be looked at next and why")
    tool: ToolName
    start_s: float = Field(description="where the tool looks, seconds from the clip's start")
    end_s: float = Field(description="seconds from the clip's start, after start_s")
    finding: str = Field(description="what is seen there that matters to the question, one sentence")


class TraceAnswer(Answer):
    """What a model says of a question."""

    turns: list[TurnAnswer] = Field(min_length=2)
    answer: str = Field(description="letter of the right option; where there are no options, the answer in few words")


def request(subject: ClipSubject, config: ToolTracesConfig) -> Request | Abstention:
    """The question with its answer hidden, timed captions, facts, and when frames can be had."""
    if subject.about is None or subject.about.qa is None:
        return Abstention("the label asks nothing")
    item, frames = subject.about.qa, _frames(subject)
    if len(item.options) == 1 and len(_words(item.answer)) > MAX_OPEN_WORDS:
        return Abstention("the question is open and its answer too long to compare: it needs options")
    captions = _captions(subject)
    if not captions:
        return Abstention("the clip has no captions to write a trace from")
    if not frames:
        return Abstention("the clip has no frames to put in the captions' place")
    values = {
        "duration_s": subject.duration_s,
        "question": item.question,
        "options": [{"letter": _letter(n), "text": text} for n, text in enumerate(_offered(item))],
        "captions": captions,
        "max_caption_chars": MAX_CAPTION_CHARS,
        "frame_times_s": [subject.seconds(frame.pts) for frame in frames] if len(frames) <= MAX_TIMES else [],
        "frame_interval_s": subject.duration_s / len(frames),
        "max_turns": config.max_turns,
        "frames_per_zoom": config.frames_per_zoom,
    }
    facts = measured_facts(subject) if config.facts else ()
    return Request(values=values, pictures=pictures(subject, config), facts=facts)


def read(subject: ClipSubject, answer: TraceAnswer, config: ToolTracesConfig, provenance: Provenance) -> Reading:
    """One label where every rule is kept and the answer is right; otherwise none, with every reason."""
    item = subject.about.qa if subject.about else None
    if item is None:
        return Reading((), ("there is no question to answer",))
    problems = [*_in_shape(answer, config), *_answered(answer, item)]
    turns: list[ToolTurn] = []
    for number, turn in enumerate(answer.turns, 1):
        try:
            turns.append(_turn(subject, turn, f"turn {number}", len(turns), config))
        except UnsoundError as error:
            problems.append(str(error))
    problems += _repeated(turns, subject)
    if problems:
        return Reading((), tuple(problems))
    return Reading((_label(subject, answer, item, turns, provenance),))


def _frames(subject: ClipSubject) -> list[FrameSample]:
    """Frames that a tool can return, in order: the clip's samples, or its keyframes where samples were not passed."""
    given = subject.samples or tuple(keyframe.sample for keyframe in subject.description.keyframes)
    inside = {sample.pts: sample for sample in given if subject.clip.span.holds(sample.pts)}
    return [inside[pts] for pts in sorted(inside)]


def _captions(subject: ClipSubject) -> list[dict[str, object]]:
    """What was said of the clip, with the names that it was given since, in order of time."""
    said = latest((*subject.labels.get("caption", ()), *subject.labels.get("names", ())))
    captions = [(label.span, label.caption) for label in said if label.caption]
    captions.sort(key=lambda told: _LEVELS.index(told[1].level))
    kept = sorted(captions[:MAX_CAPTIONS], key=lambda told: (told[0].start_pts, -told[0].end_pts))
    return [
        {"start_s": subject.seconds(span.start_pts), "end_s": subject.seconds(span.end_pts), "text": caption.text}
        for span, caption in kept
    ]


def _offered(item: QAItem) -> tuple[str, ...]:
    """The options that are shown; the single one of an open question is its answer."""
    return item.options if len(item.options) > 1 else ()


def _letter(index: int) -> str:
    return chr(ord("A") + index)


def _in_shape(answer: TraceAnswer, config: ToolTracesConfig) -> Iterator[str]:
    tools = [turn.tool for turn in answer.turns]
    if len(tools) > config.max_turns:
        yield f"{len(tools)} turns; {config.max_turns} are the most"
    if tools[0] == "answer":
        yield "the first turn already answers: look at the clip first"
    if tools[-1] != "answer":
        yield "the last turn must use the tool answer"
    if "answer" in tools[:-1]:
        yield "only the last turn may use the tool answer"


def _answered(answer: TraceAnswer, item: QAItem) -> Iterator[str]:
    """What is wrong with the answer, in words that do not give the right one away."""
    chosen = _choice(answer.answer, item)
    if chosen is None:
        yield f"the answer must be one letter from A to {_letter(len(item.options) - 1)}"
    elif chosen != item.answer_index:
        yield "the answer is not right: look again"


def _choice(text: str, item: QAItem) -> int | None:
    """Position of the option that is meant, -1 for an open answer that is not the right one, None where unclear.

    An open answer is right where it has the right one's words, apart from case, punctuation and articles.
    """
    words = _words(text)
    if not _offered(item):
        return 0 if words and words == _words(item.answer) else -1
    options = [_words(option) for option in item.options]
    letter = _LETTER.fullmatch(text.strip())
    if letter is None:
        return options.index(words) if options.count(words) == 1 else None
    index, rest = ord(letter[1].upper()) - ord("A"), _words(letter["rest"] or "")
    is_of_another = rest in options and index < len(options) and rest != options[index]
    return None if index >= len(options) or is_of_another else index


def _words(text: str) -> list[str]:
    words = re.findall(r"[^\W_]+(?:[.,:][^\W_]+)*", text.casefold())
    return [word for word in words if word not in ("a", "an", "the")] or words


def _turn(subject: ClipSubject, turn: TurnAnswer, what: str, index: int, config: ToolTracesConfig) -> ToolTurn:
    """A turn with the frames that its tool returns. Raises UnsoundError where it cannot stand."""
    thought = sound_text(turn.thought, f"the thought of {what}")
    sound_text(turn.finding, f"the finding of {what}")
    if _CAPTIONS.search(thought) or _CAPTIONS.search(turn.finding):
        raise UnsoundError(f"{what} speaks of captions: write as if the frames themselves were seen")
    span = _looked_at(subject, turn, what)
    frames = _returned(subject, turn.tool, span, config)
    if turn.tool != "answer" and not frames:
        raise UnsoundError(f"{what}: no frame can be had from {turn.start_s:g} s to {turn.end_s:g} s: look wider")
    return ToolTurn(thought=thought, tool=turn.tool, span=span, frames_pts=frames, evidence=(index,))


def _looked_at(subject: ClipSubject, turn: TurnAnswer, what: str) -> Span:
    whole = f"0 to {subject.duration_s:.2f} s"
    is_moment = turn.tool == "fetch_frame" and turn.start_s == turn.end_s
    span = subject.span(turn.start_s, turn.end_s, what, may_be_empty=is_moment)
    is_whole = _is_same(span, subject.clip.span)
    if turn.tool == "overview":
        if not is_whole:
            raise UnsoundError(f"{what}: overview looks at the whole clip, {whole}; zoom_in looks at a part")
        return subject.clip.span
    if turn.tool == "zoom_in" and is_whole:
        raise UnsoundError(f"{what}: zoom_in must be narrower than the whole clip, {whole}; overview looks at that")
    return _about(span, subject.clip.span) if is_moment else span


def _about(moment: Span, clip: Span) -> Span:
    """The stretch about a moment that a frame is fetched from."""
    reach = clip.time_base.ticks(FETCH_REACH_S)
    wide = moment.replace(start_pts=moment.start_pts - reach, end_pts=moment.end_pts + reach)
    return wide.clamp(clip) or clip


def _returned(subject: ClipSubject, tool: ToolName, span: Span, config: ToolTracesConfig) -> tuple[int, ...]:
    """The pts of the frames that a look returns; empty where there are none, and for `answer`."""
    if tool == "answer":
        return ()
    inside = [frame for frame in _frames(subject) if span.holds(frame.pts)]
    if tool == "fetch_frame":
        nearest = min(inside, key=lambda frame: abs(2 * frame.pts - span.start_pts - span.end_pts), default=None)
        return (nearest.pts,) if nearest else ()
    return tuple(frame.pts for frame in evenly(inside, config.frames_per_zoom))


def _repeated(turns: Sequence[ToolTurn], subject: ClipSubject) -> Iterator[str]:
    looks = [turn.span for turn in turns if turn.tool in _LOOKING]
    for number, span in enumerate(looks):
        if any(_is_same(span, earlier) for earlier in looks[:number]):
            start_s, end_s = subject.seconds(span.start_pts), subject.seconds(span.end_pts)
            yield f"the range from {start_s:.2f} s to {end_s:.2f} s is looked at twice"


def _is_same(first: Span, second: Span) -> bool:
    """Whether two ranges differ by no more than rounding."""
    apart = max(abs(first.start_pts - second.start_pts), abs(first.end_pts - second.end_pts))
    return first.time_base.seconds(apart) <= TIME_TOLERANCE_S


def _label(
    subject: ClipSubject, answer: TraceAnswer, item: QAItem, turns: Sequence[ToolTurn], provenance: Provenance
) -> Label:
    """The trace with a piece of evidence a turn: what is seen in its frames, or in the end concluded."""
    evidence = tuple(
        Evidence(
            span=turn.span,
            modality="caption" if turn.tool == "answer" else "frame",
            observation=" ".join(said.finding.split()),
            claim=None,
            source=provenance.model,
        )
        for turn, said in zip(turns, answer.turns, strict=True)
    )
    trace = ToolTrace(question=item.question, options=item.options, answer_index=item.answer_index, turns=tuple(turns))
    return Label(
        label_id="", clip_id=subject.clip.clip_id, kind="trace", span=subject.clip.span, trace=trace,
        evidence=evidence, provenance=provenance,
    )  # fmt: skip


ANNOTATOR = Annotator(
    name="tool_traces",
    version="1",
    unit="label",
    kind="trace",
    answer=TraceAnswer,
    request=request,
    read=read,
    most=lambda config: {"turns": config.max_turns},
    after=("caption", "names", "qa", "distractors"),
)
