from datetime import date
from typing import Any

import pytest

from annotators.chat import ChatRequest
from annotators.prices import Usage, _price_list, address, is_local, prices_as_of, tariff
from annotators.tokens import estimate, picture_tokens, request_tokens, text_tokens
from schemas.asking import EndpointConfig
from tests.annotators.chat_builders import question


def endpoint(model: str, **changes: Any) -> EndpointConfig:
    return EndpointConfig(model=model, **changes)


@pytest.fixture(autouse=True)
def _no_address_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def test_cached_input_is_cheaper_than_other_input() -> None:
    prices = tariff(endpoint("gpt-4o-mini-2024-07-18"))
    usage = Usage(input_tokens=1_000_000, cached_input_tokens=400_000, output_tokens=100_000)
    assert prices.cost_usd(usage) == pytest.approx(0.6 * 0.15 + 0.4 * 0.075 + 0.1 * 0.6)


@pytest.mark.parametrize(
    ("model", "input_price"),
    [
        ("gpt-4o", 2.5), ("gpt-4o-2024-08-06", 2.5), ("gpt-4o-mini", 0.15), ("openai/gpt-4o-mini", 0.15),
        ("GPT-5", 1.25),
        ("gpt-5-mini-2025-08-07", 0.25), ("gpt-5-pro", 15), ("gpt-5.1", 1.25), ("gpt-4.1-nano", 0.1),
        ("gpt-5.99", None), ("gpt-4omni", None), ("o3-pro", None), ("my-own-model", None), ("", None),
        ("Qwen/Qwen2.5-VL-7B-Instruct", None), ("gemini-9-ultra", None),
    ],
)  # fmt: skip
def test_the_longest_entry_that_begins_the_name_counts(model: str, input_price: float | None) -> None:
    assert tariff(endpoint(model)).input == input_price


def test_a_price_that_nobody_knows_is_none() -> None:
    prices = tariff(endpoint("my-own-model"))
    assert not prices.is_known
    assert prices.cost_usd(Usage(input_tokens=5)) is None
    assert prices_as_of("my-own-model") is None


@pytest.mark.parametrize(
    "url", ["http://localhost:8080/v1", "http://127.0.0.1/v1", "http://127.9.9.9:1/v1", "http://[::1]:8000/v1",
            "http://LOCALHOST./v1"],
)  # fmt: skip
def test_this_machine_costs_nothing(url: str) -> None:
    assert is_local(url)
    assert tariff(endpoint("gpt-4o", base_url=url)).cost_usd(Usage(input_tokens=10**6)) == 0


@pytest.mark.parametrize(
    "url", ["https://api.openai.com/v1", "http://127.0.0.1.example.com/v1", "http://localhost.example.com", "http://10.0.0.1",
            "http://127.1.evil.com", "http://[::1", ""],
)  # fmt: skip
def test_other_machines_are_not_this_one(url: str) -> None:
    assert not is_local(url)


def test_settings_of_the_endpoint_win() -> None:
    settings = endpoint("gpt-4o", base_url="http://localhost/v1", input_usd_per_million=3.0, output_usd_per_million=0.0)
    usage = Usage(input_tokens=10**6, cached_input_tokens=10**6, output_tokens=10**6)
    assert tariff(settings).cost_usd(usage) == pytest.approx(3.0)


def test_one_price_alone_is_completed_by_the_list() -> None:
    prices = tariff(endpoint("gpt-4o", input_usd_per_million=1.0))
    assert (prices.input, prices.output) == (1.0, 10.0)
    assert not tariff(endpoint("my-own-model", input_usd_per_million=1.0)).is_known


def test_batches_cost_half() -> None:
    usage = Usage(input_tokens=10**6, output_tokens=10**6)
    whole, half = (tariff(endpoint("gpt-4o", way=way)).cost_usd(usage) for way in ("chat", "batch"))
    assert whole == pytest.approx(12.5)
    assert half == pytest.approx(6.25)


def test_the_address_comes_from_the_setting_then_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert address(endpoint("m")) == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1234/v1/")
    assert address(endpoint("m")) == "http://localhost:1234/v1"
    assert address(endpoint("m", base_url="http://other/v1")) == "http://other/v1"


def test_every_entry_states_its_rule_in_words_and_of_which_day_it_is() -> None:
    listed = _price_list()
    assert prices_as_of("gpt-4o") == date(2026, 3, 31)
    for name, entry in listed.models.items():
        assert entry.pictures in listed.pictures, name
        assert (entry.input is None) == (entry.output is None), name
        assert name == name.lower()
    assert all(len(rule.words) > 20 for rule in listed.pictures.values())


@pytest.mark.parametrize(
    ("model", "width", "height", "tokens"),
    [
        ("gpt-4o", 512, 288, 85 + 170),
        ("gpt-4o", 1024, 1024, 85 + 170 * 4),
        ("gpt-4o", 2048, 4096, 85 + 170 * 6),
        ("gpt-4o", 1, 1, 85 + 170),
        ("gpt-4o-mini", 512, 512, 2833 + 5667),
        ("gpt-5", 512, 512, 70 + 140),
        ("gpt-4.1-mini", 1024, 1024, 1659),  # 1024 patches
        ("gpt-4.1-mini", 1800, 2400, 2353),  # 3,600 patches become 1452
        ("gpt-4.1-nano", 512, 288, 355),  # 144 patches
        ("gpt-4.1-mini", 100_000, 8, 2489),
        ("o4-mini", 512, 288, 248),
        ("Qwen/Qwen2.5-VL-7B-Instruct", 560, 308, 20 * 11 + 2),
        ("qwen2-vl", 10, 10, 4 + 2),
        ("qwen3-vl-8b", 640, 320, 20 * 10 + 2),
        ("gemini-2.5-flash", 384, 200, 258),
        ("gemini-2.5-flash", 512, 288, 258),
        ("gemini-2.5-flash", 1024, 576, 2 * 258),
        ("claude-sonnet-4-5", 750, 100, 100),
        ("claude-sonnet-4-5", 3136, 1568, 1640),
        ("my-own-model", 64, 48, 256),
        ("my-own-model", 1120, 560, 800),
    ],
)
def test_pictures_are_counted_by_the_rule_of_the_family(model: str, width: int, height: int, tokens: int) -> None:
    assert picture_tokens(tariff(endpoint(model)).pictures, width, height) == tokens


def test_low_detail_costs_the_base_alone() -> None:
    rule = tariff(endpoint("gpt-4o")).pictures
    assert picture_tokens(rule, 1024, 1024, is_low=True) == 85


def test_text_is_counted_by_its_bytes() -> None:
    assert text_tokens("") == 0
    assert text_tokens("a") == 1
    assert text_tokens("x" * 360) == 100
    assert text_tokens("日本語") == 3
    assert text_tokens("\ud800") == 1


def test_a_request_takes_its_texts_its_pictures_and_its_schema() -> None:
    rule = tariff(endpoint("gpt-4o")).pictures
    bare, seen = request_tokens(question(), rule), request_tokens(question(n_pictures=3), rule)
    assert seen - bare == 3 * (85 + 170)
    without_schema = ChatRequest("a", "e", {**question().body, "response_format": None}, 0, ())
    assert 30 < bare - request_tokens(without_schema, rule) < 100


def test_pictures_of_low_detail_are_found_in_the_request() -> None:
    rule = tariff(endpoint("gpt-4o")).pictures
    parts = [{"type": "image_url", "image_url": {"url": "data:", "detail": detail}} for detail in ("low", "high")]
    request = ChatRequest("a", "e", {"messages": [{"role": "user", "content": parts}]}, 2, ((512, 512), (512, 512)))
    assert request_tokens(request, rule) == 4 + 85 + 85 + 170


def test_an_estimate_allows_for_the_longest_answer() -> None:
    expected = estimate(question(max_tokens=1000), tariff(endpoint("gpt-4o")))
    assert expected.output_tokens == 1000
    assert expected.cost_usd == pytest.approx((expected.input_tokens * 2.5 + 1000 * 10) / 1e6)
    assert estimate(question(), tariff(endpoint("my-own-model"))).cost_usd is None


def test_a_request_without_messages_takes_nothing() -> None:
    assert request_tokens(ChatRequest("a", "e", {}, 0, ()), tariff(endpoint("m")).pictures) == 0
