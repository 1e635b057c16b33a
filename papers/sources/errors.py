"""How a source fails. Apart from `papers.sources`, so that the HTTP client can import it too."""

from __future__ import annotations


class SourceUnavailableError(Exception):
    """A source that cannot be reached or reports an error; the message is one sentence."""


class InvalidResponseError(ValueError):
    """Bytes that are not a response of the source; the message is one sentence."""
