"""Settings of whoever asks a language model: endpoints, and one section per annotator.

Here: settings only. Not here: the client (`annotators.client`), prices (`annotators/prices.yaml`), or keys, which come
from the environment and are never part of a configuration.
"""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from schemas.base import Record
from schemas.prompt import PromptSetting
from schemas.taxonomy import (
    OntologySetting,
    TasksSetting,
    TaxonomySetting,
    editing_ontology,
    qa_tasks,
    sv6d_taxonomy,
)


class EndpointConfig(Record):
    """A model behind an address that speaks OpenAI's `/v1/chat/completions`."""

    model: str = ""
    """Name of the model, as the endpoint knows it."""
    revision: str = ""
    """Which state of the model it is, where the name does not say; for the provenance of labels."""
    base_url: str = ""
    """Address up to `/v1`; without it `OPENAI_BASE_URL` from the environment, or OpenAI's own."""
    api_key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; servers on this machine mostly need none."""
    sees: bool = True
    """Whether the model takes pictures. Where it does not, it is given measured facts alone."""
    structured: Literal["json_schema", "json_object", "none"] = "json_schema"
    """What the server is asked to hold the answer to; the answer is checked here in any case."""
    way: Literal["chat", "batch"] = "chat"
    """`chat`: one request at a time, many in flight; `batch`: OpenAI's Batch API, half the price, within a day."""
    max_in_flight: int = Field(default=64, ge=1)
    """Most requests under way at once, from each process that asks; fewer where the server slows down or says 429."""
    timeout_s: float = Field(default=180.0, gt=0)
    """For one reply, from sending the request to its last byte."""
    max_attempts: int = Field(default=8, ge=1)
    """Tries of one request where the failure may pass."""
    max_wait_s: float = Field(default=60.0, gt=0)
    """Longest pause between two tries, whatever the server asks for."""
    stream: bool = False
    """Whether replies are streamed: for gateways that cut silent connections."""
    input_usd_per_million: float | None = Field(default=None, ge=0)
    """Price of a million input tokens; without it `annotators/prices.yaml` is asked."""
    output_usd_per_million: float | None = Field(default=None, ge=0)
    extra_body: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Further fields of each request, such as `reasoning_effort: low`."""

    @field_validator("base_url")
    @classmethod
    def _holds_no_password(cls, url: str) -> str:
        if "@" in urlsplit(url).netloc:
            raise ValueError("an address must hold no name and password: put the key into the environment")
        return url

    def identity(self) -> dict[str, object]:
        """The part that decides what is answered, for fingerprints."""
        return self.model_dump(mode="json", include={"model", "revision", "sees", "structured", "extra_body"})


class AskConfig(Record):
    """What every annotator that asks a model can be set to."""

    enabled: bool = False
    endpoint: str = "default"
    """Which of `endpoints` is asked."""
    prompt: PromptSetting = None
    """Path of a prompt file of your own; it is carried in full by the run."""
    pictures: Literal["keyframes", "contact_sheet", "samples", "none"] = "keyframes"
    """What the model is shown: the clip's keyframes, all of them in one picture, frame samples at `fps`, or nothing."""
    fps: float = Field(default=1.0, gt=0)
    """`samples`: pictures per second; at most `scan.sample_fps`, the rate at which samples were kept."""
    max_pictures: int = Field(default=8, ge=1, le=256)
    picture_width: int = Field(default=512, ge=64, le=2048)
    """Widest picture that is sent, in pixels; larger ones are made smaller."""
    token_budget: int = Field(default=8000, ge=256)
    """Input tokens a unit may take. Pictures, evenly chosen, and then the latest facts are left out until it fits: a
    long clip costs no more than a short one (after F2C)."""
    facts: bool = True
    """Whether measured facts (shots, camera, text, light) are offered as context, so that the model need not guess."""
    temperature: float = Field(default=0.2, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = 0
    max_tokens: int = Field(default=2048, ge=16)
    """Most tokens of an answer."""
    max_text_chars: int = Field(default=1200, ge=16)
    """Longest text in an answer, told to servers that hold answers to a schema: small models write without end."""
    max_repairs: int = Field(default=1, ge=0, le=5)
    """How often a model is shown what is wrong with its answer and asked again."""


class CaptionConfig(AskConfig):
    """Dense captions: the clip, its events with times, and what changes at transitions."""

    max_events: int = Field(default=6, ge=0)


class NamesConfig(AskConfig):
    """One name per person or object across a slice's captions (after MR.Video)."""

    pictures: Literal["keyframes", "contact_sheet", "samples", "none"] = "none"
    max_tokens: int = Field(default=4096, ge=16)


class QAConfig(AskConfig):
    """Questions with open answers; `distractors` makes them multiple-choice, `reasoning` explains them."""

    tasks: TasksSetting = Field(default_factory=qa_tasks)
    """Kinds of questions: written out, or the path of a YAML file."""
    families: tuple[str, ...] = ("videoespresso",)
    """Families of the task list that are asked about."""
    items_per_clip: int = Field(default=3, ge=1, le=20)
    min_evidence: int = Field(default=1, ge=1)
    """Pieces of evidence that a question must rest on; 2 or more asks for questions that need several frames."""


class DistractorsConfig(AskConfig):
    """Wrong options: plausible, of the right one's length, none of them true."""

    n_options: int = Field(default=4, ge=2, le=8)
    """Options altogether."""
    max_length_ratio: float = Field(default=1.6, gt=1)
    """How many times longer or shorter than the right option a wrong one may be, in characters."""
    short_chars: int = Field(default=12, ge=0)
    """Differences of fewer characters than this are never too long."""


class ReasoningConfig(AskConfig):
    """Chains of observe, locate, relate, infer and conclude (after Keye-VL-1.5 and VideoEspresso)."""


class SV6DConfig(AskConfig):
    """Structural labels in six dimensions (after Leum-VL)."""

    taxonomy: TaxonomySetting = Field(default_factory=sv6d_taxonomy)
    max_segments: int = Field(default=6, ge=1)


class CounterfactualConfig(AskConfig):
    """Captions of which one is true and the others have another action (after Feint6K)."""

    n_captions: int = Field(default=6, ge=2, le=8)
    """Captions altogether, the true one among them."""


class ChecklistConfig(AskConfig):
    """Tasks with the points that an answer is marked by (after RULER-Bench)."""

    tasks: TasksSetting = Field(default_factory=qa_tasks)
    family: str = "ruler"
    max_items: int = Field(default=6, ge=1)


class EditingConfig(AskConfig):
    """Editing questions: measured facts put into the words of the video (after VEU-Bench)."""

    ontology: OntologySetting = Field(default_factory=editing_ontology)
    """What there is to ask about editing: written out, or the path of a YAML file."""
    tasks: TasksSetting = Field(default_factory=qa_tasks)
    family: str = "veu"
    items_per_clip: int = Field(default=4, ge=1, le=20)
    n_options: int = Field(default=4, ge=2, le=8)


class DenseTextConfig(AskConfig):
    """Questions on what is written on the screen and when (after DIVE)."""

    items_per_clip: int = Field(default=4, ge=1, le=20)


class KeyMomentsConfig(AskConfig):
    """Queries with every stretch that answers them (after PeakClips)."""

    queries_per_clip: int = Field(default=3, ge=1, le=10)


class ToolTracesConfig(AskConfig):
    """How somebody with tools for looking finds an answer (after VideoThinker, FrameThinker)."""

    pictures: Literal["keyframes", "contact_sheet", "samples", "none"] = "none"
    max_turns: int = Field(default=6, ge=2, le=12)
    frames_per_zoom: int = Field(default=4, ge=1, le=32)
    """Frames that `overview` and `zoom_in` return."""


class FragmentsConfig(Record):
    """Questions on fragments of the clip with gold answers, no model (after SF²T and FineVidBench)."""

    enabled: bool = False
    tasks: TasksSetting = Field(default_factory=qa_tasks)
    seed: int = 0
    n_options: int = Field(default=4, ge=2, le=8)
    max_items_per_task: int = Field(default=1, ge=1)
