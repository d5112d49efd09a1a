"""Errors that a stage raises, with the whole tree in sight, and how others are told in one line.

StageError
  MediaError         the file or a stretch of it cannot be read
    UnsafeMediaError   the file is not one that we open (a playlist, a format outside the list)
  CutError           a clip could not be cut so that it holds exactly its frames
  UnattainableError  no test of so few trials holds the error rates that are asked for (a ValueError, too)
"""


class StageError(Exception):
    """Something about one unit is wrong; the message names the file and the cause in one line."""


class MediaError(StageError):
    """The file or a stretch of it cannot be read."""


class UnsafeMediaError(MediaError):
    """The file is of a kind that is never opened."""


class CutError(StageError):
    """A clip could not be cut so that it holds exactly its frames."""


class UnattainableError(StageError, ValueError):
    """No test of so few trials holds the error rates that are asked for; settings are refused with it."""


def one_line(error: Exception) -> str:
    """What an error of somebody else's library says, in one line; its class where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
