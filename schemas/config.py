"""The configuration of a run: one frozen section a step, every default stated with its unit.

Here: settings only. Nothing here opens a file, and no live object is ever put in it.
"""

from typing import Literal

from pydantic import Field, model_validator

from schemas.asking import (
    AskConfig,
    CaptionConfig,
    ChecklistConfig,
    CounterfactualConfig,
    DenseTextConfig,
    DistractorsConfig,
    EditingConfig,
    EndpointConfig,
    FragmentsConfig,
    KeyMomentsConfig,
    NamesConfig,
    QAConfig,
    ReasoningConfig,
    SV6DConfig,
    ToolTracesConfig,
)
from schemas.base import Record
from schemas.judging import ConsistencyConfig, JudgeConfig, VerifyConfig
from schemas.taxonomy import TasksSetting, TaxonomySetting, qa_tasks, sv6d_taxonomy


class GridConfig(Record):
    """How sources become parts, and how cells are computed. Changing it makes no computed cell stale."""

    page_size: int = Field(default=256, ge=1)
    """Sources in one page of the listing: the unit of probing."""
    part_duration_s: float = Field(default=1200.0, gt=0)
    """Seconds of video a part aims for."""
    max_slices_per_part: int = Field(default=128, ge=1)
    min_parts: int = Field(default=4, ge=1)
    """Parts a batch of new slices is spread over even where it is small, so that several workers have work."""
    isolate: bool = True
    """Decode in a child process that may die alone. Switch it off to step through with a debugger."""
    threads_per_slice: int = Field(default=2, ge=1)
    """Stretches of a slice that are decoded at the same time, each by a thread of its own."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where pictures are scored; `auto` is a GPU where PyTorch finds one. Results differ by rounding only."""
    decode_on: Literal["cpu", "cuda"] = "cpu"
    """Where a scan decodes. `cuda`: an NVIDIA GPU's decoder (NVDEC); what it does not know is decoded on the CPU."""


class ProbeConfig(Record):
    """Facts about each input, and what is refused."""

    max_size_bytes: int = Field(default=64 * 2**30, ge=1)
    max_duration_s: float = Field(default=24 * 3600.0, gt=0)
    max_pixels: int = Field(default=8192 * 8192, ge=1)
    """Width times height of a frame."""
    max_frames: int = Field(default=20_000_000, ge=1)
    max_slice_s: float = Field(default=120.0, gt=0)
    """Longest slice; sources are cut at keyframes. Bounds the memory of a scan; no clip reaches across two slices."""
    timeout_s: float = Field(default=600.0, gt=0)
    """Wall clock for one source."""


class ScanConfig(Record):
    """The one full decode."""

    proxy_width: int = Field(default=160, ge=32, le=640)
    """Width in pixels of the picture that is measured; the height follows the aspect ratio."""
    shot_detector: Literal["signals", "transnetv2", "pyscenedetect"] = "signals"
    """What finds transitions. `signals`: rules on the stored signals; `transnetv2`: the same fused with the network
    TransNetV2 (extra `models`), slower; `pyscenedetect`: its AdaptiveDetector on small pictures, cuts only."""
    transnet_threshold: float = Field(default=0.5, gt=0, lt=1)
    """TransNetV2: probability from which a frame belongs to a transition."""
    cut_adaptive_threshold: float = Field(default=3.0, gt=0)
    """PySceneDetect AdaptiveDetector: ratio of a frame's HSV difference to its neighbours' mean."""
    cut_min_content: float = Field(default=15.0, ge=0, le=255)
    """PySceneDetect AdaptiveDetector: smallest HSV difference of a cut, 0 to 255."""
    cut_window_frames: int = Field(default=2, ge=1)
    """PySceneDetect AdaptiveDetector: frames on each side that make the mean."""
    min_dissolve_s: float = Field(default=0.2, gt=0)
    max_dissolve_s: float = Field(default=2.0, gt=0)
    black_luma: float = Field(default=0.08, ge=0, le=1)
    """A frame whose mean luma is below this, and that shows nothing, is black: `docs/signals.md`."""
    frozen_difference: float = Field(default=0.3, ge=0)
    """A frame whose mean absolute difference from the one before is below this (0 to 255) repeats it."""
    motion_rate_hz: float = Field(default=8.0, gt=0)
    """Pairs of frames per second whose motion is measured."""
    moving_similarity: float = Field(default=0.7, ge=-1, le=1)
    """SSIM below which a window of 8x8 proxy pixels counts as moving."""
    patch_similarity: float = Field(default=0.7, ge=-1, le=1)
    """Keye-VL-1.5: cosine above which a patch counts as similar."""
    slow_frame_similarity: float = Field(default=0.9, ge=0, le=1)
    """Keye-VL-1.5: share of similar patches below which a frame is slow."""
    sample_fps: float = Field(default=2.0, gt=0)
    """Frame samples per second of video."""
    sample_width: int = Field(default=512, ge=64)
    """Width in pixels of frame samples; smaller pictures are not enlarged."""
    sample_jpeg_quality: int = Field(default=85, ge=1, le=100)
    speech: Literal["auto", "silero", "none"] = "auto"
    """Where somebody speaks; `auto` uses Silero VAD where the `speech` extra is installed. Resolved before the run
    starts."""
    speech_threshold: float = Field(default=0.5, gt=0, lt=1)
    """Silero VAD: probability from which a window of 32 ms begins speech; it ends 0.15 below."""
    min_speech_s: float = Field(default=0.25, ge=0)
    """Shorter speech is not told."""
    min_silence_s: float = Field(default=0.3, ge=0)
    """Silence that ends a span of speech; shorter pauses belong to it."""
    timeout_s: float = Field(default=3600.0, gt=0)
    """Wall clock for one slice."""


class SplitConfig(Record):
    """From transitions to clips."""

    min_clip_s: float = Field(default=2.0, gt=0)
    max_clip_s: float = Field(default=30.0, gt=0)
    edge_trim_s: float = Field(default=0.0, ge=0)
    """Cut off each end of a clip that lies at a gradual transition, beyond the transition itself."""
    unit: Literal["shot", "scene"] = "shot"
    """What a clip is: `shot`, one shot or a few that look alike, stitched from the left; `scene`, all neighbouring
    shots that belong together, cut where they are least alike."""
    stitch_min_similarity: float = Field(default=0.5, ge=0, le=2)
    """Adjacent shots whose facing frames are at least this similar (0 to 1) are stitched: 0 is always, 2 is never."""
    scene_min_similarity: float = Field(default=0.6, ge=0, le=2)
    """Neighbouring shots at least this similar make one scene: the cosine of embeddings, or, where `embedder` is
    `none`, what stitching looks at. 0 is always, 2 is never."""
    scene_window_shots: int = Field(default=2, ge=1)
    """Shots on each side of a boundary whose embeddings are compared; with 2, views that alternate are one scene."""
    embedder: str = Field(default="none", min_length=1)
    """What compares shots for scenes: `none`, or as in `describe.embedder`."""

    @model_validator(mode="after")
    def _some_length_is_allowed(self) -> "SplitConfig":
        if self.max_clip_s < self.min_clip_s:
            longest, shortest = f"{self.max_clip_s:g}", f"{self.min_clip_s:g}"
            raise ValueError(f"max_clip_s ({longest}) is below min_clip_s ({shortest}): no clip fits")
        return self


class DescribeConfig(Record):
    """Figures, keyframes and text of each clip."""

    keyframe_strategy: Literal[
        "middle_sharpest", "kmeans", "variation_peaks", "slow_frames", "redundancy_removal", "any_k", "key_clips",
        "contact_sheet",
    ] = "middle_sharpest"  # fmt: skip
    """How keyframes are chosen. `kmeans`, `redundancy_removal`, `any_k` and `key_clips` embed every frame sample of a
    clip; the others look at stored signals only."""
    keyframes_per_clip: int = Field(default=4, ge=1, le=100)
    """Pictures that stand for a clip. Every clip with as many usable frame samples has as many keyframes."""
    redundancy_max_similarity: float = Field(default=0.85, ge=-1, le=1)
    """`redundancy_removal`: cosine of embeddings above which a sample repeats the last one kept."""
    any_k_min_similarity: float = Field(default=0.7, ge=-1, le=1)
    """`any_k`: cosine of embeddings of neighbouring samples below which a new scene of the clip begins."""
    key_clip_token_budget: int = Field(default=4096, ge=1)
    """`key_clips`: visual tokens that a clip's key clips may take together."""
    key_clip_tokens_per_frame: int = Field(default=256, ge=1)
    """`key_clips`: visual tokens that the reader of the data spends on one frame sample."""
    contact_sheet_columns: int = Field(default=0, ge=0, le=10)
    """`contact_sheet`: pictures side by side; 0 chooses the grid nearest to a square."""
    contact_sheet_width: int = Field(default=768, ge=64, le=4096)
    """`contact_sheet`: width of the whole sheet in pixels."""
    embedder: str = Field(default="auto", min_length=1)
    """What embeds pictures: `none`, `efficientnet-lite0`, or the name or folder of a `transformers` vision model.
    `auto` is `efficientnet-lite0` where the keyframe strategy compares embeddings, else `none`: a network's worker
    takes seconds to start. With a name, each keyframe's embedding is stored. Resolved before the run starts."""
    text: Literal["auto", "rapidocr", "none"] = "auto"
    """On-screen text; `auto` uses RapidOCR where the `ocr` extra is installed. Resolved before the run starts."""
    text_min_score: float = Field(default=0.8, ge=0, le=1)
    text_samples_per_shot: int = Field(default=2, ge=1)
    """Frame samples of each shot that are read."""
    min_freeze_s: float = Field(default=0.5, gt=0)
    min_black_s: float = Field(default=0.2, gt=0)
    min_camera_segment_s: float = Field(default=0.75, gt=0)
    static_widths_per_s: float = Field(default=0.02, ge=0)
    """Slower translation than this is no camera motion."""
    moving_widths_per_s: float = Field(default=0.04, ge=0)
    """Faster translation than this is camera motion; between the two nothing is claimed."""
    static_zoom_per_s: float = Field(default=0.02, ge=0)
    moving_zoom_per_s: float = Field(default=0.05, ge=0)
    static_roll_degrees_per_s: float = Field(default=1.0, ge=0)
    moving_roll_degrees_per_s: float = Field(default=3.0, ge=0)
    static_shake: float = Field(default=0.03, ge=0)
    """Standard deviation of the translation, picture widths per second: a camera that shakes more is not static."""
    handheld_shake: float = Field(default=0.05, ge=0)
    """The same: a camera that shakes at least so much, and more than it travels, is handheld."""
    min_inlier_ratio: float = Field(default=0.4, ge=0, le=1)
    """Where less of the textured picture follows the camera model, nothing is claimed of the camera."""


class DedupConfig(Record):
    """Near-duplicate clips. A clip passes through until a method is chosen."""

    method: Literal["none"] = "none"


class MeasuredConfig(Record):
    """The annotator that needs no model."""

    enabled: bool = True
    taxonomy: TaxonomySetting = Field(default_factory=sv6d_taxonomy)
    """Values that SV6D segments may have: written out, or the path of a YAML file."""
    tasks: TasksSetting = Field(default_factory=qa_tasks)
    """Kinds of questions; those of the family `measured` are asked. Written out, or the path of a YAML file."""
    seed: int = 0
    """Shuffles options; the same seed gives the same data set."""
    n_options: int = Field(default=4, ge=2, le=8)
    max_items_per_task: int = Field(default=1, ge=1)
    """QA items of one task per clip."""
    min_brightness_change: float = Field(default=0.08, gt=0, le=1)
    """Smallest difference of mean luma that is called a change."""
    min_shot_length_ratio: float = Field(default=1.25, gt=1)
    """The longest shot must be this much longer than the next to be asked about."""


class AnnotateConfig(Record):
    """One section per annotator."""

    measured: MeasuredConfig = MeasuredConfig()
    fragments: FragmentsConfig = FragmentsConfig()
    caption: CaptionConfig = CaptionConfig()
    names: NamesConfig = NamesConfig()
    qa: QAConfig = QAConfig()
    distractors: DistractorsConfig = DistractorsConfig()
    reasoning: ReasoningConfig = ReasoningConfig()
    sv6d: SV6DConfig = SV6DConfig()
    counterfactual: CounterfactualConfig = CounterfactualConfig()
    checklist: ChecklistConfig = ChecklistConfig()
    editing: EditingConfig = EditingConfig()
    dense_text: DenseTextConfig = DenseTextConfig()
    key_moments: KeyMomentsConfig = KeyMomentsConfig()
    tool_traces: ToolTracesConfig = ToolTracesConfig()

    def enabled(self) -> dict[str, Record]:
        """The sections of the annotators that are switched on, in the grid's order."""
        sections = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: section for name, section in sections.items() if section.enabled}

    def asking(self) -> dict[str, AskConfig]:
        """Those of them that ask a model."""
        return {name: section for name, section in self.enabled().items() if isinstance(section, AskConfig)}


class PlanConfig(Record):
    """Splits and shards."""

    validation_fraction: float = Field(default=0.05, ge=0, lt=1)
    test_fraction: float = Field(default=0.05, ge=0, lt=1)
    seed: int = 0
    shard_size_bytes: int = Field(default=500 * 2**20, ge=1)
    """Size a shard aims for."""
    max_samples_per_shard: int = Field(default=1000, ge=1)


class PackageConfig(Record):
    """Cutting clips."""

    crf: int = Field(default=18, ge=0, le=51)
    """Constant rate factor of x264 where a clip is encoded again; lower is better and larger."""
    preset: str = "veryfast"
    audio: bool = True
    timeout_s: float = Field(default=600.0, gt=0)
    """Wall clock for one clip."""


class CardConfig(Record):
    """The data set's page."""

    title: str = "Reelproof dataset"
    license: str = "unknown"
    """Licence of the source videos, as the Hub spells it; we cannot know it."""
    language: str = "en"
    report_clips: int = Field(default=200, ge=1)
    """Clips that the report shows."""


class RunConfig(Record):
    """Everything that decides what a run computes."""

    grid: GridConfig = GridConfig()
    probe: ProbeConfig = ProbeConfig()
    scan: ScanConfig = ScanConfig()
    split: SplitConfig = SplitConfig()
    describe: DescribeConfig = DescribeConfig()
    dedup: DedupConfig = DedupConfig()
    endpoints: dict[str, EndpointConfig] = Field(default_factory=dict)
    """Models that annotators may ask, by a name of your choice."""
    annotate: AnnotateConfig = AnnotateConfig()
    verify: VerifyConfig = VerifyConfig()
    plan: PlanConfig = PlanConfig()
    package: PackageConfig = PackageConfig()
    card: CardConfig = CardConfig()

    def section(self, name: str) -> Record | None:
        """The section of a step; `annotate.measured` is the part `measured` of the section `annotate`.

        None for a step that has nothing to set.
        """
        section: object = self
        for part in name.split("."):
            section = getattr(section, part, None)
        return section if isinstance(section, Record) else None

    def asking(self) -> dict[str, AskConfig]:
        """The sections of whoever asks a model, by the name of their step, in the grid's order."""
        annotators = {f"annotate.{name}": section for name, section in self.annotate.asking().items()}
        return annotators | {f"verify.{name}": section for name, section in self.verify.asking().items()}

    def asked_by(self, name: str) -> tuple[str, ...]:
        """The endpoints that a step asks: of a judge that asks authors again, theirs."""
        section = self.asking()[name]
        if isinstance(section, ConsistencyConfig):
            return (self.annotate.sv6d.endpoint,)
        return section.endpoints if isinstance(section, JudgeConfig) else (section.endpoint,)

    def deciding(self, name: str) -> dict[str, object]:
        """The settings that decide what a step makes: its own section, and the model that it asks.

        Which of the endpoints it is called, where it is and how hard it may be asked decide nothing.
        """
        section = self.section(name)
        if section is None:
            return {}
        values = section.model_dump(mode="json")
        if isinstance(section, AskConfig):
            asked = section.endpoints if isinstance(section, JudgeConfig) else (section.endpoint,)
            # Whoever asks authors again takes their section into account, which names their model.
            asked = () if isinstance(section, ConsistencyConfig) else asked
            models = [self.endpoints.get(endpoint, EndpointConfig()).identity() for endpoint in asked]
            values = {key: value for key, value in values.items() if key not in ("enabled", "endpoint", "endpoints")}
            values |= {"models": models} if isinstance(section, JudgeConfig) else {"model": models[0]}
        return values
