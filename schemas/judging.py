"""Settings of the judges: one section each, in the order in which they judge.

Here: settings only. Not here: what a judge does (`stages` where nobody is asked, `annotators.judges` where a model is).
"""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from schemas.asking import AskConfig
from schemas.base import Record
from schemas.label import QuestionClass


class EvidenceConfig(Record):
    """How far a claim may lie from the measurement."""

    cut_tolerance_frames: int = Field(default=2, ge=0)
    gradual_min_iou: float = Field(default=0.5, ge=0, le=1)
    """Overlap that a claimed gradual transition must reach with the measured one."""
    text_min_similarity: float = Field(default=0.8, ge=0, le=1)
    luma_tolerance: float = Field(default=0.02, ge=0)
    saturation_tolerance: float = Field(default=0.03, ge=0)
    sharpness_tolerance: float = Field(default=0.1, ge=0)
    """Relative."""
    colour_share_tolerance: float = Field(default=0.1, ge=0)
    duration_tolerance_frames: int = Field(default=2, ge=0)
    shake_tolerance: float = Field(default=0.01, ge=0)
    """Picture widths per second."""
    text_position_tolerance: float = Field(default=0.1, ge=0, le=1)
    """Share of the picture height."""
    speech_min_share: float = Field(default=0.5, gt=0, le=1)
    """Share of a span that must be speech where speech is claimed of it."""
    no_speech_max_share: float = Field(default=0.02, ge=0, lt=1)
    """Share of a span that may be speech where it is claimed to hold none: the edges of speech are not that sharp."""
    aspect_tolerance: float = Field(default=0.01, ge=0)
    """Relative."""
    words: bool = True
    """Whether measurable statements in the label's own words (a time, a count, a direction, a quoted text) are checked
    beside the claims of its evidence."""
    words_time_slack_s: float = Field(default=0.3, ge=0)
    """How far off a time in a sentence may be, besides what its rounding leaves open."""
    words_min_travel: float = Field(default=0.05, ge=0)
    """A pan or tilt is denied only where the camera nowhere travels so many picture sizes in its direction."""
    words_min_zoom: float = Field(default=0.04, ge=0)
    """The same for zooms: natural logarithm of the change of scale."""
    words_min_roll_degrees: float = Field(default=2.0, ge=0)
    """The same for rolls."""
    words_max_subject_ratio: float = Field(default=0.25, ge=0, le=1)
    """Where more of the picture moves otherwise than the camera, sentences about the camera are left open: it may
    follow what fills the picture, and seem still."""
    words_max_subject_ratio_opposite: float = Field(default=0.4, ge=0, le=1)
    """The same where the camera is measured to go the very other way."""
    words_min_moving_share: float = Field(default=0.5, ge=0, le=1)
    """A camera that is said to be static is contradicted where it clearly moves for at least this share of the time."""
    words_min_colour_share: float = Field(default=0.5, ge=0, le=1)
    """Share of a shot that a colour must cover for `mostly` to be confirmed."""
    words_max_colour_share: float = Field(default=0.15, ge=0, le=1)
    """Share of every shot, colours close to it included, below which `mostly` is contradicted."""
    words_min_speech_share: float = Field(default=0.2, ge=0, le=1)
    """Share of the time that speech must be heard for `nobody speaks` to be contradicted."""
    words_max_black_luma: float = Field(default=0.08, ge=0, le=1)
    """A picture that is said to be black is contradicted where it is nowhere as dark as this."""
    words_duration_tolerance: float = Field(default=0.1, ge=0)
    """How far off a length in a sentence may be, relative, besides what its rounding leaves open."""


class WordingConfig(Record):
    """The words of a label: their language, what must not stand in them, options that give the answer away."""

    enabled: bool = True
    languages: tuple[str, ...] = ()
    """Languages that labels may be written in, ISO 639-1 (`en`); empty allows any. Text quoted from the screen may be
    in any."""
    min_language_probability: float = Field(default=0.9, ge=0, le=1)
    """How sure it must be that a text is in none of `languages` for a label to be rejected for it."""
    min_language_chars: int = Field(default=40, ge=1)
    """Letters below which a text is not judged by its language; a Chinese, Japanese or Korean sign counts for three."""
    blocked: tuple[str, ...] = ()
    """Words and phrases that no label may hold, besides those that are shipped; whole words, whatever the case."""
    allowed: tuple[str, ...] = ()
    """Words of the shipped list (`schemas/taxonomies/wording.yaml`) that labels may hold all the same."""
    personal: bool = True
    """Whether labels that hold e-mail addresses, telephone, card or account numbers or keys are rejected, those on the
    screen included."""
    profanity: bool = True
    """Whether labels that hold swear words and slurs of the shipped list are rejected, those on the screen included."""
    options: bool = True
    """Whether questions are rejected whose options give the right one away or are unfit, as far as words tell."""
    max_length_ratio: float = Field(default=3.0, gt=1)
    """How many times longer or shorter than the median of the others the right option may be, in characters."""
    short_chars: int = Field(default=16, ge=0)
    """Differences of fewer characters are never too long: terms of one vocabulary (`a wipe`, `a fade through black`)
    differ by nearly as many."""


class DuplicatesConfig(Record):
    """Near-duplicate questions: of several that ask the same, the first stays."""

    enabled: bool = True
    embedder: str = Field(default="tfidf", min_length=1)
    """What embeds texts: `tfidf` or `letters`, which need no model, `minilm` where the extra `text` is installed,
    `auto` for `minilm` where that is there and else `tfidf`, or the name or folder of a `transformers` text model."""
    max_similarity: float | None = Field(default=None, gt=0, le=1)
    """Cosine of two questions with their answers above which the later one goes, where no number, name, direction or
    the like tells them apart; None is what suits the embedder: 0.75 for `tfidf` and `letters`, 0.9 for `minilm`, 0.95
    for others."""
    scope: Literal["clip", "source", "corpus"] = "clip"
    """Which questions are compared: those of one clip, of one video, or all. What is asked of every clip, such as how
    many shots it has, is repeated in the scope of a video or of all."""


class PriorsConfig(Record):
    """The text-only probe: what can be guessed from questions and options alone, over the whole data set."""

    enabled: bool = True
    action: Literal["reject", "flag", "rebalance"] = "reject"
    """What becomes of questions that the probe predicts beyond chance: they go; they stay with a verdict that says so;
    or only so many go as take what is left back to chance, those first that are predicted most surely."""
    min_items: int = Field(default=15, ge=5)
    """Questions of one task, or of all together, below which nothing can be said. The tests are exact at any number;
    of fewer, even a rule that is always right is hardly told from luck."""
    min_predictable_share: float = Field(default=0.5, gt=0, le=1)
    """Of the questions that a rule gets right, the share that luck must not explain for each of them to count as
    predicted. A weaker rule is reported, and only `rebalance` acts on it."""
    folds: int = Field(default=10, ge=2, le=20)
    """Parts that the classifier is held out by; no video is in two of them."""
    significance: float = Field(default=0.05, gt=0, lt=1)
    """Chance of finding an artefact where there is none, over all that is tested (Holm)."""
    max_items_fitted: int = Field(default=20_000, ge=100)
    """Questions that the classifier learns from, drawn by lot; more are predicted only."""
    seed: int = 0
    """Decides what is drawn by lot, and nothing else."""


class JudgeConfig(AskConfig):
    """What every judge that asks a model can be set to."""

    endpoints: tuple[str, ...] = Field(default=("judge",), min_length=1)
    """Which of `endpoints` are asked. A model never judges what it wrote."""
    unjudged: Literal["fail", "keep"] = "fail"
    """What becomes of a label that every one of these models had a hand in: it fails, or it is kept with a verdict that
    says so."""
    pictures: Literal["keyframes", "contact_sheet", "samples", "none"] = "keyframes"
    claims: bool = False
    temperature: float = Field(default=0.0, ge=0, le=2)
    max_tokens: int = Field(default=1024, ge=16)


class DimensionWeights(Record):
    """What each dimension of SV6D counts beside the others; only the proportions matter."""

    subject: float = Field(default=1.0, ge=0)
    aesthetics: float = Field(default=1.0, ge=0)
    camera: float = Field(default=1.0, ge=0)
    editing: float = Field(default=1.0, ge=0)
    narrative: float = Field(default=1.0, ge=0)
    dissemination: float = Field(default=1.0, ge=0)
    other: float = Field(default=1.0, ge=0)
    """Each dimension that only a taxonomy of your own has."""

    def of(self, dimension: str) -> float:
        """The weight of a dimension by its name."""
        known = dimension in type(self).model_fields
        return float(getattr(self, dimension if known else "other"))


class AgreementConfig(Record):
    """How two sets of SV6D segments are compared; `docs/agreement.md` has the formula. The defaults are ours.

    What the page says of falling agreement holds while `quality_weight <= unmatched_penalty` and
    `alpha + 2 * unmatched_penalty <= 1`, as here.
    """

    alpha: float = Field(default=0.4, ge=0, le=1)
    """Share of time in the cost of a pair; the values have the rest."""
    weights: DimensionWeights = DimensionWeights()
    unmatched_penalty: float = Field(default=0.3, gt=0, le=1)
    """Cost of a segment without a partner. A pair that costs more than two of them is no pair."""
    quality_weight: float = Field(default=0.2, ge=0, le=1)
    """Cost of a pair of which one has a fault (no evidence, outside the clip, overlap) and the other has not."""
    sibling_distance: float = Field(default=0.5, ge=0, le=1)
    """Between two values of one group of the taxonomy."""
    missing_distance: float = Field(default=1.0, ge=0, le=1)
    """Between a value and nothing said."""
    same_below: float = Field(default=0.5, gt=0, le=1)
    """Distance below which two values count as the same where samples vote on a value."""
    embedder: str = Field(default="letters", min_length=1)
    """What compares free text: `letters`, which needs no model, `minilm` where the extra `text` is installed, or the
    name or folder of a `transformers` text model."""

    @field_validator("embedder")
    @classmethod
    def _compares_two_texts_alone(cls, name: str) -> str:
        if name in ("auto", "tfidf"):
            raise ValueError(
                "what compares values must not depend on others: set it to letters, minilm or a text model"
            )
        return name


class ConsistencyConfig(JudgeConfig):
    """SV6D labels held against further samples by their own author, by the agreement measure."""

    samples: int = Field(default=3, ge=2, le=9)
    """Times that the author is asked altogether; the labels are the first."""
    min_agreement: float = Field(default=0.5, ge=0, le=1)
    """Agreement of a segment with its partners in the other samples, below which it is rejected."""
    trim: bool = True
    """Whether values that fewer than half of the samples share are left out of the segments that stay."""
    measure: AgreementConfig = AgreementConfig()
    """How samples are compared."""


class VeracityConfig(JudgeConfig):
    """Claims that no signal measures, marked by independent judges against timed evidence."""

    min_supported: float = Field(default=1.0, ge=0, le=1)
    """Share of a label's claims that must be supported; none may be contradicted."""
    max_claims: int = Field(default=12, ge=1, le=40)
    """Claims of one label that are judged; of more, so many spread evenly."""
    judge_confirmed: bool = True
    """Whether claims that a model wrote are judged although measurement confirms all evidence that they cite, or
    something in their words: they may say more than that. Measured claims of annotators that ask no model are never
    judged."""


class LeakageConfig(JudgeConfig):
    """Blind answering: whether a question can be answered without the video."""

    pictures: Literal["keyframes", "contact_sheet", "samples", "none"] = "none"
    temperature: float = Field(default=0.7, ge=0, le=2)
    max_tokens: int = Field(default=256, ge=16)
    false_reject: float = Field(default=0.05, gt=0, lt=0.5)
    """Largest chance of rejecting a question that is answered at the guessing rate."""
    false_keep: float = Field(default=0.05, gt=0, lt=0.5)
    """Largest chance of keeping a question that is answered at `leaky_rate` of the way from guessing to always."""
    leaky_rate: float = Field(default=0.6, gt=0, le=1)
    """Ability of an answerer to whom a question leaks: 0 guesses, 1 always knows."""
    guessing_prior: float = Field(default=0.0, ge=0, lt=1)
    """Ability that is granted to guessing from common sense, on the same scale: questions at it are kept."""
    max_trials: int = Field(default=40, ge=2, le=400)
    """Most trials of one question, where the test ends at the latest. Settings are refused whose error rates so many
    cannot hold."""
    trials_at_once: int = Field(default=4, ge=1)
    """Trials that are asked together before the test looks again."""
    rungs: tuple[Literal["caption", "frame"], ...] = ()
    """Further ways to answer, each judged by the same test: from captions of the clip, from its middle keyframe. They
    are recorded, and reject nothing unless `reject_rungs` says so."""
    reject_rungs: bool = False
    min_match: float = Field(default=0.8, ge=0, le=1)
    """Open-ended answers: token F1 with the right one that counts as right."""


class QuestionClassConfig(JudgeConfig):
    """What a question needs: no video, frames in any order, frames in order (after VBenchComp)."""

    permutations: int = Field(default=3, ge=1, le=10)
    """Seeded orders in which frames are shown shuffled."""
    permutation_seed: int = 0
    min_match: float = Field(default=0.8, ge=0, le=1)
    """Open-ended answers: token F1 with the right one that counts as right."""
    reject: tuple[QuestionClass, ...] = ()


class CriticConfig(JudgeConfig):
    """A critic on five axes, and the training set that each label suits (after ReAgent-V)."""

    min_score: float = Field(default=2.0, ge=0, le=5)
    """Mean of the axes, 0 to 5, below which a label is rejected."""
    sft_score: float = Field(default=4.0, ge=0, le=5)
    """Mean of the axes from which a label goes to `sft`."""
    grpo_importance: float = Field(default=5.0, ge=0, le=10)
    """Importance, 0 to 10, below which a label goes to `grpo`."""
    reflect: bool = False
    """Whether a label between the two is worded better once, by one of `endpoints`; where the others prefer that, both
    are a pair for `dpo`."""

    @model_validator(mode="after")
    def _can_reflect(self) -> Self:
        if self.reflect and len(set(self.endpoints)) < 2:
            raise ValueError(
                "reflect needs two endpoints or more, for no model judges the words that it bettered itself"
            )
        return self

    @model_validator(mode="after")
    def _rejects_less_than_it_routes(self) -> Self:
        if self.min_score > self.sft_score:
            raise ValueError(f"min_score {self.min_score:g} must not be above sft_score {self.sft_score:g}")
        return self


class VerifyConfig(Record):
    """One section per judge."""

    evidence: EvidenceConfig = EvidenceConfig()
    wording: WordingConfig = WordingConfig()
    duplicates: DuplicatesConfig = DuplicatesConfig()
    priors: PriorsConfig = PriorsConfig()
    consistency: ConsistencyConfig = ConsistencyConfig()
    veracity: VeracityConfig = VeracityConfig()
    leakage: LeakageConfig = LeakageConfig()
    question_class: QuestionClassConfig = QuestionClassConfig()
    critic: CriticConfig = CriticConfig()

    def enabled(self) -> dict[str, Record]:
        """The sections of the judges that judge, in the grid's order; evidence is always checked."""
        sections = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: section for name, section in sections.items() if getattr(section, "enabled", True)}

    def judges(self) -> frozenset[str]:
        """Names of the steps that judge. What looks at all questions together has one step, `verify.questions`."""
        together = {"duplicates", "priors"}
        return frozenset(f"verify.{'questions' if name in together else name}" for name in self.enabled())

    def asking(self) -> dict[str, JudgeConfig]:
        """Those of them that ask a model."""
        return {name: section for name, section in self.enabled().items() if isinstance(section, JudgeConfig)}
