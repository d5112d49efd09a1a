"""Asking for one unit's labels: whatever a model answers, labels that stand come out, or one reason why none does."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from annotators import caption
from annotators.answer_schema import UnreadableError, json_schema, parse_answer
from annotators.ask import Asker
from annotators.endpoint.chat import ChatRequest, Outcome, Reply
from annotators.inquiry import (
    EmptyAnswerError,
    InvalidAnswerError,
    RefusedAnswerError,
    TooLargeError,
    TruncatedAnswerError,
)
from annotators.prompts import shipped
from annotators.subject import ClipSubject
from annotators.table import ASKING
from schemas.asking import CaptionConfig, EndpointConfig
from schemas.label import ClipLabels
from tests.annotators.builders import ShotSpec, build_clip

ENDPOINT = EndpointConfig(model="told-what-to-say")


class Scripted:
    """Replies with given texts in turn, as an endpoint would, and keeps what it was asked."""

    def __init__(self, texts: Sequence[str], outcome: Outcome = "success") -> None:
        self._texts, self._outcome = list(texts), outcome
        self.requests: list[ChatRequest] = []

    async def reply(self, request: ChatRequest, *, afresh: bool = False) -> tuple[Reply, bool]:
        del afresh
        text = self._texts[min(len(self.requests), len(self._texts) - 1)]
        self.requests.append(request)
        reply = Reply(
            key=request.key, annotator=request.annotator, endpoint=request.endpoint, model="told-what-to-say-2",
            outcome=self._outcome, text=text, finish_reason="stop", input_tokens=100, output_tokens=31, cost_usd=0.009,
            latency_s=0.1, attempts=1, received_at="2026-01-01T00:00:00+00:00",
        )  # fmt: skip
        return reply, False


def subject_of(*shots: ShotSpec) -> ClipSubject:
    description, _ = build_clip(shots or (ShotSpec(), ShotSpec()))
    return ClipSubject(description)


def asker(**settings: Any) -> Asker:
    return Asker(caption.ANNOTATOR, CaptionConfig(enabled=True, prompt=shipped("caption"), **settings), ENDPOINT, "0")


def ask(chat: Scripted, subject: ClipSubject | None = None, **settings: Any) -> ClipLabels:
    return asyncio.run(asker(**settings).labels(subject or subject_of(), chat))


def evidence(start_s: float = 0.5, end_s: float = 1.5) -> dict[str, Any]:
    return {"start_s": start_s, "end_s": end_s, "modality": "frame", "observation": "a field", "claim": None}


def answer(*event_ends_s: float) -> str:
    events = [
        {"start_s": 0.2, "end_s": end_s, "text": f"Until {end_s}.", "evidence": [evidence()]} for end_s in event_ends_s
    ]
    told = {"summary": "A field.", "summary_evidence": [evidence()], "events": events, "transitions": []}
    return json.dumps(told)


def test_a_sound_answer_becomes_labels_with_ids_evidence_and_provenance() -> None:
    chat = Scripted([answer(2.0)])
    found = ask(chat)
    clip_id = subject_of().clip.clip_id
    assert [label.label_id for label in found.labels] == [f"{clip_id}-caption-000", f"{clip_id}-caption-001"]
    assert found.invalid == ()
    for label in found.labels:
        origin = label.provenance
        assert (origin.annotator, origin.model, origin.repairs) == ("caption", "told-what-to-say-2", 0)
        assert origin.reply_key == chat.requests[0].key
        assert origin.prompt_sha256
        assert label.evidence[0].source == "told-what-to-say-2"


def test_what_an_answer_took_is_divided_among_its_labels() -> None:
    labels = ask(Scripted([answer(2.0, 3.0)])).labels
    assert len(labels) == 3
    assert sum(label.provenance.input_tokens for label in labels) == 100
    assert sum(label.provenance.output_tokens for label in labels) == 31
    assert sum(label.provenance.cost_usd for label in labels) == pytest.approx(0.009)


def test_a_broken_answer_is_repaired_once_and_the_model_is_told_what_is_wrong() -> None:
    chat = Scripted([answer(9999.0), answer(2.0)])
    found = ask(chat)
    assert len(chat.requests) == 2
    told = chat.requests[1].body["messages"]
    assert told[:-2] == chat.requests[0].body["messages"]
    assert told[-2] == {"role": "assistant", "content": answer(9999.0)}
    assert "9999 s is outside the clip" in told[-1]["content"]
    assert found.invalid == ()
    assert {label.provenance.repairs for label in found.labels} == {1}
    assert sum(label.provenance.cost_usd for label in found.labels) == pytest.approx(0.018)


def test_what_stays_wrong_is_left_out_and_recorded_with_its_reason() -> None:
    found = ask(Scripted([answer(2.0, 9999.0)]))
    assert len(found.labels) == 2
    assert len(found.invalid) == 1
    assert "event 2" in found.invalid[0]


def test_a_repair_that_makes_it_worse_does_not_cost_what_was_sound() -> None:
    found = ask(Scripted([answer(2.0, 9999.0), "I cannot do better."]))
    assert len(found.labels) == 2


@pytest.mark.parametrize("repairs", [0, 1, 3])
def test_it_is_asked_to_repair_as_often_as_the_setting_says(repairs: int) -> None:
    chat = Scripted(["no JSON at all"])
    with pytest.raises(InvalidAnswerError, match="no JSON object"):
        ask(chat, max_repairs=repairs)
    assert len(chat.requests) == 1 + repairs


@pytest.mark.parametrize(
    ("outcome", "error", "kind"),
    [
        ("truncated", TruncatedAnswerError, "truncated"),
        ("refused", RefusedAnswerError, "refused"),
        ("empty", EmptyAnswerError, "empty"),
    ],
)
def test_outcomes_without_an_answer_are_told_apart_and_asked_once(
    outcome: Outcome, error: type[Exception], kind: str
) -> None:
    chat = Scripted(["I would rather not."], outcome)
    with pytest.raises(error) as raised:
        ask(chat)
    assert getattr(raised.value, "kind") == kind  # noqa: B009 - the class is chosen at run time
    assert len(chat.requests) == 1


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text,
        lambda text: f"```json\n{text}\n```",
        lambda text: f"Here is what I see:\n{text}\nI hope that helps.",
        lambda text: f"\ufeff\n{text}",
    ],
)
def test_an_answer_is_found_in_what_models_put_around_it(wrap: Callable[[str], str]) -> None:
    assert parse_answer(wrap(answer(2.0)), caption.CaptionAnswer).summary == "A field."


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"summary": 3}', "NaN", '{"summary": "a"'])
def test_what_is_no_answer_is_told_in_words(text: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        parse_answer(text, caption.CaptionAnswer)
    assert all(raised.value.problems)


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(UnreadableError):
        parse_answer(answer(2.0).replace("2.0", "NaN"), caption.CaptionAnswer)


@pytest.mark.parametrize("annotator", ASKING, ids=lambda annotator: annotator.name)
def test_every_schema_is_as_strict_servers_want_it(annotator: Any) -> None:
    def walk(schema: Any) -> None:
        if isinstance(schema, list):
            for item in schema:
                walk(item)
        elif isinstance(schema, dict):
            if "properties" in schema:
                assert schema["additionalProperties"] is False
                assert schema["required"] == list(schema["properties"])
            assert schema.get("type") != "object" or "properties" in schema
            assert "default" not in schema
            for key, value in schema.items():
                for part in value.values() if key in ("properties", "$defs") else [value]:
                    walk(part)

    walk(json_schema(annotator.answer))


def test_a_long_question_leaves_out_facts_from_the_last_until_it_fits() -> None:
    subject = subject_of(*[ShotSpec(n_frames=40) for _ in range(12)])
    whole = asker(token_budget=8000).first_request(subject)
    short = asker(token_budget=1700).first_request(subject)
    assert isinstance(whole, ChatRequest)
    assert isinstance(short, ChatRequest)
    facts_whole, facts_short = (str(r.body["messages"][1]["content"]) for r in (whole, short))
    assert "The clip has 12 shots" in facts_short
    assert len(facts_short) < len(facts_whole)


def test_a_question_that_cannot_fit_is_not_sent() -> None:
    with pytest.raises(TooLargeError, match=r"annotate\.caption\.token_budget"):
        asker(token_budget=256).first_request(subject_of())


def test_equal_questions_have_equal_keys_and_anything_that_matters_changes_them() -> None:
    base = asker().first_request(subject_of())
    assert isinstance(base, ChatRequest)
    assert asker().first_request(subject_of()) == base
    changed = [
        asker(temperature=0.3).first_request(subject_of()),
        asker(max_events=2).first_request(subject_of()),
        asker().first_request(subject_of(ShotSpec())),
        Asker(
            caption.ANNOTATOR, CaptionConfig(enabled=True, prompt=shipped("caption")), EndpointConfig(model="x"), "0"
        ).first_request(subject_of()),
    ]
    keys = {request.key for request in changed if isinstance(request, ChatRequest)}
    assert len(keys | {base.key}) == 5
