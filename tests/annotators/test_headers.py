import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from annotators.headers import retry_after_s, window_wait_s


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "150", "retry-after": "9"}, 0.15),
        ({"retry-after": "6m0s"}, 360.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_understood_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


def test_retry_after_may_be_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=30)
    assert retry_after_s({"retry-after": format_datetime(moment, usegmt=True)}) == pytest.approx(30, abs=2)


@pytest.mark.parametrize("scale", [1, 1000])
def test_a_moment_since_1970_is_a_moment(scale: int) -> None:
    headers = {
        "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": f"{(time.time() + 20) * scale:.0f}",
    }  # fmt: skip
    assert window_wait_s(headers, 10) == pytest.approx(20, abs=2)


@pytest.mark.parametrize(
    ("requests", "tokens", "seconds"),
    [
        (("100", "5", "10s"), None, 0.0),
        (("100", "0", "10s"), None, 0.1),  # 100 of them come back in 10 s: one in 0.1 s
        ((None, "0", "10s"), None, 10.0),
        (None, ("1000", "400", "6s"), 1.0),  # 600 come back in 6 s, 100 are missing
        (None, ("1000", "900", "6s"), 0.0),
        (None, ("200", "100", "2s"), 2.0),  # more than there ever is: all of it is waited for
        (("100", "0", "1s"), ("1000", "0", "10s"), 5.0),
        (("100", "0", "1m30s"), None, 0.9),
        (("100", "0", "20ms"), None, 0.0002),
        (("100", "0", "eventually"), None, 0.0),
        (("100", "none", "1s"), None, 0.0),
    ],
)
def test_the_servers_windows_are_waited_for_as_long_as_is_needed(
    requests: tuple[str | None, str, str] | None, tokens: tuple[str | None, str, str] | None, seconds: float
) -> None:
    headers: dict[str, str] = {}
    for unit, values in (("requests", requests), ("tokens", tokens)):
        for name, value in zip(("limit", "remaining", "reset"), values or (), strict=False):
            if value is not None:
                headers[f"x-ratelimit-{name}-{unit}"] = value
    assert window_wait_s(headers, 500) == pytest.approx(seconds)


def test_no_headers_are_no_wait() -> None:
    assert window_wait_s({}, 10**9) == 0.0
