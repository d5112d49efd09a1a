"""What the headers of a reply say about waiting.

Here: `Retry-After` and rate-limit headers as seconds. Not here: waiting (`annotators.limiter`, `annotators.client`).
"""

import email.utils
import math
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime

_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_EPOCH_S = 1e9
"""Numbers above are moments in seconds since 1970, above a thousand times as much in milliseconds."""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date.

    None where it asks for nothing that can be understood; never negative.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    return _seconds(headers.get("retry-after", ""))


def window_wait_s(headers: Mapping[str, str], n_tokens: int) -> float:
    """Seconds until the server's own limits leave room for one more request of so many tokens; 0 where they do now.

    From `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`. `reset` is when all is free again; where `limit` is
    given too, the wait is the share of it that the missing part takes.
    """
    return max(_one_window_s(headers, "requests", 1), _one_window_s(headers, "tokens", n_tokens))


def _one_window_s(headers: Mapping[str, str], unit: str, needed: int) -> float:
    remaining = _number(headers.get(f"x-ratelimit-remaining-{unit}", ""))
    reset = _seconds(headers.get(f"x-ratelimit-reset-{unit}", ""))
    if remaining is None or reset is None or remaining >= needed:
        return 0.0
    limit = _number(headers.get(f"x-ratelimit-limit-{unit}", ""))
    if limit is None or limit <= remaining:
        return reset
    return reset * min(1.0, (needed - remaining) / (limit - remaining))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds(text: str) -> float | None:
    """Seconds from now: `1.5`, `6m0s`, `20ms`, a moment since 1970, an HTTP date or an ISO one."""
    text = text.strip()
    number = _number(text)
    if number is not None:
        if number > _EPOCH_S:
            number = (number / 1000 if number > 1000 * _EPOCH_S else number) - time.time()
        return max(0.0, number)
    parts = _DURATION_PART.findall(text)
    if parts and "".join(size + unit for size, unit in parts) == text:
        return sum(float(size) * _SECONDS[unit] for size, unit in parts)
    moment = _moment(text)
    return None if moment is None else max(0.0, moment.timestamp() - time.time())


def _moment(text: str) -> datetime | None:
    for parse in (email.utils.parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(text)
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
