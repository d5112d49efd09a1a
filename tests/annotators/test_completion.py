import json
from typing import Any

import pytest

from annotators.completion import BrokenReplyError, StreamedCompletion, WrittenError, parsed_body, read_completion
from annotators.tokens import text_tokens

USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


def body(content: Any = '{"a": 1}', *, finish: Any = "stop", usage: Any = USAGE, **message: Any) -> dict[str, Any]:
    choice = {"message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    return {"model": "m", "choices": [choice], "usage": usage}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<think>hm</think>\n\nyes", "yes"),
        ("\n<think>\nhm {\n</think>{}", "{}"),
        ("<thinking>hm</thinking>yes", "yes"),
        ("[THINK]hm[/THINK]yes", "yes"),
        ("hm, so\n</think>\n\nyes", "yes"),
        ("<think>it never ends", ""),
        ("<think></think>yes", "yes"),
        ("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>", "yes"),
        ('{"text": "a sign says </think> and <think>"}', '{"text": "a sign says </think> and <think>"}'),
        ('["<think>"]', '["<think>"]'),
        ("yes", "yes"),
        ("", ""),
    ],
)
def test_thoughts_in_the_text_are_cut_off_and_answers_left_alone(content: str, text: str) -> None:
    assert read_completion(body(content), 0).text == text


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_in_a_field_of_their_own_are_counted(name: str) -> None:
    completion = read_completion(body("yes", **{name: "x" * 36}), 0)
    assert completion.text == "yes"
    assert completion.usage.reasoning_tokens == 10


def test_parts_of_a_content_are_joined_without_thoughts() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "y"},
        {"type": "text", "text": "es"},
        "odd",
        {"type": "text", "text": None},
    ]
    assert read_completion(body(parts), 0).text == "yes"


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (body(), "success"),
        (body(finish=None), "success"),
        (body("half", finish="length"), "truncated"),
        (body("", finish="MAX_TOKENS"), "truncated"),
        (body(None, refusal="no"), "refused"),
        (body("half", finish="content_filter"), "refused"),
        (body("", finish="SAFETY"), "refused"),
        (body(None), "empty"),
        (body("  \n"), "empty"),
        (body(None, tool_calls=[{"id": "x"}], finish="tool_calls"), "empty"),
    ],
)
def test_outcomes_are_told_apart(reply: dict[str, Any], outcome: str) -> None:
    assert read_completion(reply, 0).outcome == outcome


def test_tokens_are_the_servers() -> None:
    usage = USAGE | {
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    completion = read_completion(body(usage=usage), 7)
    counted = completion.usage
    assert (counted.input_tokens, counted.cached_input_tokens) == (100, 64)
    assert (counted.output_tokens, counted.reasoning_tokens) == (20, 5)
    assert not completion.usage_is_estimated


def test_reasoning_that_is_only_in_the_total_is_output() -> None:
    assert read_completion(body(usage=USAGE | {"total_tokens": 500}), 0).usage.output_tokens == 400


@pytest.mark.parametrize(
    "usage",
    [None, {}, [], "many", {"prompt_tokens": 0, "completion_tokens": 0},
     {"prompt_tokens": -3, "completion_tokens": "x"}, {"prompt_tokens": True, "completion_tokens": 1e300}],
)  # fmt: skip
def test_tokens_that_are_not_counted_are_estimated_and_marked(usage: Any) -> None:
    completion = read_completion(body("x" * 72, usage=usage), 77)
    assert completion.usage_is_estimated
    assert completion.usage.input_tokens == 77
    assert completion.usage.output_tokens in (0, text_tokens("x" * 72))


@pytest.mark.parametrize(
    "reply",
    [{}, {"choices": []}, {"choices": None}, {"choices": "x"}, {"choices": [None]}, {"choices": [{}]},
     {"choices": [{"message": None}]}, {"choices": {}}],
)  # fmt: skip
def test_a_body_without_a_choice_is_broken(reply: dict[str, Any]) -> None:
    with pytest.raises(BrokenReplyError):
        read_completion(reply, 0)


@pytest.mark.parametrize("content", [b"", b'{"choices": [', b"<html>", b"\xff", b"[]", b"3", b"[" * 100_000])
def test_a_body_that_is_no_object_is_broken(content: bytes) -> None:
    with pytest.raises(BrokenReplyError):
        parsed_body(content)


@pytest.mark.parametrize(
    ("error", "status"),
    [({"code": 429}, 429), ({"code": "502"}, 502), ({"code": "overloaded"}, 500), ("bad", 500), ({"code": 7}, 500)],
)
def test_an_error_in_a_good_reply_is_an_error(error: Any, status: int) -> None:
    with pytest.raises(WrittenError) as caught:
        read_completion({"error": error}, 0)
    assert caught.value.status == status


def test_a_stream_is_read_as_a_whole_reply() -> None:
    streamed = StreamedCompletion()
    for piece in ({"role": "assistant"}, {"content": '{"a"'}, {"content": ": 1}"}, {"reasoning_content": "hm"}):
        streamed.add({"model": "m", "choices": [{"delta": piece, "finish_reason": None}]})
    streamed.add({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    streamed.add({"choices": [], "usage": USAGE})
    completion = streamed.completion(0)
    assert (completion.text, completion.model, completion.finish_reason) == ('{"a": 1}', "m", "stop")
    assert completion.usage.input_tokens == 100
    assert completion.usage.reasoning_tokens == 1


def test_a_stream_that_ends_early_is_broken() -> None:
    streamed = StreamedCompletion()
    streamed.add({"choices": [{"delta": {"content": "half"}, "finish_reason": None}]})
    with pytest.raises(BrokenReplyError, match="ended before"):
        streamed.completion(0)


def test_odd_chunks_do_no_harm() -> None:
    streamed = StreamedCompletion()
    for chunk in ({}, {"choices": [None]}, {"choices": [{"delta": None}]}, {"choices": [{"delta": {"content": 3}}]}):
        streamed.add(json.loads(json.dumps(chunk)))
    with pytest.raises(BrokenReplyError):
        streamed.add("text")
    with pytest.raises(WrittenError):
        streamed.add({"error": {"code": 503}})
