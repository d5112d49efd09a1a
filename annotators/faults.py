"""What went wrong with a try, and whether another one may help.

Here: from an exception of the `openai` client, or an error that a server wrote, to one of ours. Not here: trying again
(`annotators.client`), or waiting times (`annotators.headers`).

Every message is one short line without the endpoint's key, also where the server's own words repeat it.
"""

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import openai

from annotators.chat import AskingError, EndpointUnusableError, ReplyFailedError
from annotators.completion import WrittenError
from annotators.headers import retry_after_s

_LONGEST_MESSAGE = 300
_SHORTEST_SECRET = 6
"""Shorter keys are placeholders of local servers; hiding them would make words unreadable."""
_LOOKS_LIKE_KEY = re.compile(r"\b(?:sk|gsk|AIza|xai|hf|key)[-_][A-Za-z0-9_*.-]{6,}|(?<=Bearer )[A-Za-z0-9_*.~+/=-]{6,}")
_USER_IN_URL = re.compile(r"(?<=://)[^/@\s]+@")
_PASSING = {408, 409, 425, 429}
_NEVER_PASSING_5XX = {501, 505}
_NO_MONEY = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "account_deactivated"}
_REFUSALS = ("content_filter", "content_policy", "content policy", "moderation", "flagged", "safety")
_BAD_KEY = ("api key not valid", "invalid api key", "incorrect api key", "api_key_invalid")
_NO_PICTURES = re.compile(
    r"image input is not supported|not support(?:ed)? (?:image|vision)|not a multimodal|image_url.{0,40}not supported",
    re.IGNORECASE,
)
_NOT_TAKEN = re.compile(
    r"unsupported|not supported|does ?n[o']t support|unrecognized|unknown|unexpected|not permitted|not allowed|"
    r"extra inputs|not compatible|deprecated",
    re.IGNORECASE,
)


class PassingError(Exception):
    """A try failed in a way that may pass; the message is one line and holds no key."""

    def __init__(
        self, message: str, *, wait_s: float | None = None, is_overload: bool = False,
        is_lost: bool = False, is_unreached: bool = False, is_unresolved: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.wait_s = wait_s
        """What the server asked for."""
        self.is_overload = is_overload
        """Whether fewer requests at once would help."""
        self.is_lost = is_lost
        """Whether the server may have answered, and charged, although no reply came whole."""
        self.is_unreached = is_unreached
        """Whether nobody was there at all."""
        self.is_unresolved = is_unresolved
        """Whether nobody even knows the address."""


class RefusedSettingError(Exception):
    """The server does not take one of the request's fields."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


@dataclass(frozen=True)
class EndpointNames:
    """An endpoint as messages speak of it."""

    name: str
    model: str
    address: str
    key_variable: str
    key: str = field(repr=False)

    def clean(self, text: object) -> str:
        """Text as one short line without keys."""
        line = self.without_key(" ".join(str(text).split()))
        line = _USER_IN_URL.sub("", _LOOKS_LIKE_KEY.sub("[key]", line))
        return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"

    def without_key(self, text: str) -> str:
        """Text as it is, but for the endpoint's key."""
        return text.replace(self.key, "[key]") if len(self.key) >= _SHORTEST_SECRET else text

    def setting(self, name: str) -> str:
        """A setting of the endpoint, as the command line spells it."""
        return f"endpoints.{self.name}.{name}"

    def failed(self, what: object) -> ReplyFailedError:
        """The request is given up."""
        return ReplyFailedError(self.clean(f"endpoint {self.name}: {what}"))

    def unusable(self, what: object, look_at: str) -> EndpointUnusableError:
        """No request can succeed."""
        return EndpointUnusableError(f"{self.clean(f'endpoint {self.name}: {what}')}; look at {look_at}")


Trouble = AskingError | PassingError | RefusedSettingError


def trouble_of(error: openai.APIError, names: EndpointNames) -> Trouble:
    """What an exception of the `openai` client means."""
    if isinstance(error, openai.APIStatusError):
        return status_trouble(error, names)
    if isinstance(error, openai.APIConnectionError):
        return connection_trouble(error, names)
    written = WrittenError.of(error.body)  # in the middle of a stream
    return written_trouble(written.status, error.body, {}, names, error.message)


def connection_trouble(error: openai.APIConnectionError, names: EndpointNames) -> Trouble:
    """What a connection that failed, broke off or took too long means."""
    causes = list(_causes(error))
    kinds = {type(cause).__name__ for cause in causes}
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return names.unusable("its certificate cannot be trusted", names.setting("base_url"))
    if kinds & {"UnsupportedProtocol", "LocalProtocolError", "InvalidURL"}:
        reason = next((str(cause) for cause in causes if str(cause)), "it cannot be used")
        return names.unusable(reason, f"{names.setting('base_url')} and {names.key_variable}")
    if any(isinstance(cause, socket.gaierror) for cause in causes) or _is_unresolved(causes):
        return PassingError("the address cannot be resolved", is_unreached=True, is_unresolved=True)
    if kinds & {"ConnectError", "ConnectTimeout"}:
        return PassingError(names.clean(f"no connection ({_innermost(causes)})"), is_unreached=True)
    if isinstance(error, openai.APITimeoutError):
        return PassingError("no reply in time", is_overload=True, is_lost=True)
    return PassingError(names.clean(f"the connection broke off ({_innermost(causes)})"), is_lost=True)


def status_trouble(error: openai.APIStatusError, names: EndpointNames) -> Trouble:
    """What a reply with an error status means."""
    return written_trouble(error.status_code, error.body, error.response.headers, names, error.response.text)


def written_trouble(
    status: int, body: object, headers: Mapping[str, str], names: EndpointNames, raw: str = ""
) -> Trouble:
    """What an error that a server wrote means, by its status and its `error` object."""
    said = _Said.of(body, raw)
    what = f"status {status}: {said.message}" if said.message else f"status {status}"
    if said.codes & _NO_MONEY or status == 402:
        return names.unusable(what, f"the account that {names.key_variable} belongs to")
    if said.mentions(_REFUSALS) and status in (400, 403, 422):
        return names.failed(f"refused, {what}")
    if status in (401, 403) or (status == 400 and said.mentions(_BAD_KEY)):
        return names.unusable(what, _where_for_key(names))
    if _NO_PICTURES.search(said.message):
        return names.unusable(what, f"{names.setting('sees')}, which false makes text alone")
    if status == 404:
        return names.unusable(what, f"{names.setting('model')} ({names.model}) and {names.setting('base_url')}")
    if status in _PASSING or (status >= 500 and status not in _NEVER_PASSING_5XX):
        wait_s = retry_after_s(headers)
        return PassingError(names.clean(what), wait_s=wait_s, is_overload=status in (429, 503))
    setting = said.refused_setting() if status in (400, 422) else None
    return RefusedSettingError(setting, names.clean(what)) if setting else names.failed(what)


SETTINGS_THAT_MAY_GO = (
    "max_tokens", "temperature", "top_p", "seed", "stream_options",
)  # fmt: skip
"""Fields of a request that some models refuse, and that it can do without, or say otherwise."""


@dataclass(frozen=True)
class _Said:
    """What an error body says."""

    message: str
    codes: frozenset[str]
    param: str

    @classmethod
    def of(cls, body: object, raw: str) -> "_Said":
        if isinstance(body, list) and body:  # Gemini's
            body = body[0]
        error = body.get("error", body) if isinstance(body, Mapping) else body
        if not isinstance(error, Mapping):
            return cls(str(error or raw), frozenset(), "")
        codes = frozenset(str(error[name]) for name in ("code", "type", "status") if error.get(name) is not None)
        message = error.get("message") or error.get("detail") or raw or ""
        return cls(str(message), codes, str(error.get("param") or ""))

    def mentions(self, words: tuple[str, ...]) -> bool:
        everything = " ".join([self.message, *sorted(self.codes)]).lower()
        return any(word in everything for word in words)

    def refused_setting(self) -> str | None:
        is_coded = bool(self.codes & {"unsupported_parameter", "unsupported_value", "unknown_parameter"})
        if not is_coded and not _NOT_TAKEN.search(self.message):
            return None
        if self.param:
            return self.param if self.param in SETTINGS_THAT_MAY_GO else None
        found = [name for name in SETTINGS_THAT_MAY_GO if re.search(rf"\b{name}\b", self.message)]
        return found[0] if found else None


def _where_for_key(names: EndpointNames) -> str:
    return f"the environment variable {names.key_variable}" + ("" if names.key else ", which is not set")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it came from, outermost first, exceptions of groups included."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner: tuple[Any, ...] = cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
        waiting += [one for one in (cause.__cause__, cause.__context__, *inner) if one is not None]


def _is_unresolved(causes: list[BaseException]) -> bool:
    return any("name or service not known" in str(cause).lower() for cause in causes)


def _innermost(causes: list[BaseException]) -> str:
    """The last words of a chain that say anything."""
    return next(
        (f"{str(cause) or type(cause).__name__}" for cause in reversed(causes) if str(cause)), "no reason given"
    )
