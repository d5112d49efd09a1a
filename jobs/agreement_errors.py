"""Errors of `reelproof agreement`, in a module that loads nothing.

AgreementError
  LabelFileError   a person's file cannot be understood
"""


class AgreementError(Exception):
    """What was asked for cannot be compared; one line that says why."""


class LabelFileError(AgreementError):
    """The file cannot be understood; one line that names it, the line and the cause."""
