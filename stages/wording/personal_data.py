"""Personal data and secrets in a text: addresses, telephone, card and account numbers, keys.

Here: `personal_data`, which says of what kind the first is and where it stands, and never repeats it. Not here: what is
done about it (`stages.wording.judge`).

Telephone numbers are found by phonenumbers (Apache-2.0), after Google's library. What has a checksum is held to it, so
that counts, resolutions and times are none: Luhn's for cards, ISO 7064's for accounts. Keys are known by the prefixes
that their issuers publish.
"""

import re
from collections.abc import Iterator, Sequence

from phonenumbers import Leniency, PhoneNumberMatcher

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}\s?(?:@|\(at\)|\[at\])\s?"
    r"(?P<domain>(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24})(?![\w-])"
)
_NOBODYS_DOMAIN = re.compile(r"(?:^|\.)(?:example\.(?:com|net|org)|example|invalid|test|localhost)$")
"""Domains that are reserved for examples (RFC 2606)."""
_CARD = re.compile(r"(?<![\d.,:/])\d(?:[ -]?\d){12,18}(?![\d.,:/]*\d)")
_CARD_SCHEMES = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|4[4-9]\d|5\d{2})\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)
"""Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay: the numbers that they give out."""
_ACCOUNT = re.compile(r"(?<!\w)([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)(?!\w)")
_ACCOUNT_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SD": 18,
    "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22,
    "VG": 24, "XK": 20,
}  # fmt: skip
"""Length of an IBAN by country (ISO 13616 registry)."""
_KEYS = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")),
    (
        "an access key",
        re.compile(
            r"(?<![A-Za-z0-9])(?:(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])|AIza[\w-]{35}(?![\w-])"
            r"|sk-(?:ant-|proj-|or-)?(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[A-Za-z])[\w-]{20,}|sk_live_[A-Za-z0-9]{16,})"
        ),
    ),
    (
        "an access token",
        re.compile(
            r"(?<![A-Za-z0-9])(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_\w{22}|glpat-[\w-]{20}|hf_[A-Za-z]{30}"
            r"|npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50}|xox[abeoprs]-[\w-]{10}|SG\.[\w-]{16,64}\.[\w-]{16}"
            r"|eyJ[\w-]{8,2000}\.eyJ[\w-]{8,2000}\.[\w-]{8})"
        ),
    ),
    (
        "a password",
        re.compile(
            r"(?i)\b(?:password|passwd|pwd|api[ _-]?key|secret[ _-]?key|access[ _-]?token)\s?(?:is\s?)?[:=]\s?['\"]?"
            r"(?=\S{0,200}\d)(?=\S{0,200}[a-z])[^\s'\"]{8}"
        ),
    ),
)
_NATIONAL = re.compile(r"(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[.-]\d{4}(?![\w.-]*\d)")
"""`(212) 736-5000`, `212-736-5000`: numbers of North America as they are usually written."""
_TOLD = re.compile(
    r"(?i)\b(?:call|phone|telephone|tel|mobile|cell|fax|whatsapp|hotline|dial)\b"
    r"(?: (?:number|no|us|me|at|on|is|now)){0,3}[.:]{0,2} ?(?P<number>\(?\+?\d[\d ()/.-]{5,20}\d)"
)
"""A number after a word that announces one."""
_FEWEST_DIGITS, _MOST_DIGITS = 7, 15
"""Digits of a telephone number (ITU-T E.164)."""


def personal_data(text: str) -> str | None:
    """Of what kind the first personal data in the text is, with an article: `an e-mail address`; None for none."""
    return next(_found(text), None)


def _found(text: str) -> Iterator[str]:
    yield from (kind for kind, pattern in _KEYS if pattern.search(text))
    if any(not _NOBODYS_DOMAIN.search(found["domain"].casefold()) for found in _EMAIL.finditer(text)):
        yield "an e-mail address"
    if any(_is_account(re.sub(r"\s", "", found[1])) for found in _ACCOUNT.finditer(text)):
        yield "an account number (IBAN)"
    if any(_is_card(re.sub(r"\D", "", found[0])) for found in _CARD.finditer(text)):
        yield "a payment card number"
    if _has_telephone(text):
        yield "a telephone number"


def _is_card(digits: str) -> bool:
    return bool(_CARD_SCHEMES.fullmatch(digits)) and len(set(digits)) > 1 and passes_luhn([int(d) for d in digits])


def passes_luhn(digits: Sequence[int]) -> bool:
    """Whether the last digit is Luhn's checksum of the others."""
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_account(account: str) -> bool:
    if _ACCOUNT_LENGTHS.get(account[:2]) != len(account):
        return False
    return int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % 97 == 1


def _has_telephone(text: str) -> bool:
    # Without a country in mind, the library finds only numbers that begin with a plus sign.
    has_plus = "+" in text or "\uff0b" in text
    if has_plus and any(PhoneNumberMatcher(text, None, leniency=Leniency.VALID)):
        return True
    if _NATIONAL.search(text):
        return True
    told = (re.sub(r"\D", "", found["number"]) for found in _TOLD.finditer(text))
    return any(_FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS for digits in told)
