"""Where the next page of a long answer begins, as a word that only we can write.

A cursor holds the place of the last row that was given, not its number: what is added before that
place moves nothing.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)

SALT = "papers.cursors"
MAX_CURSOR_CHARS = 300


class InvalidCursorError(Exception):
    """Not a cursor of ours, or one of another question."""


def encode_cursor(position: list[Any], *, query_key: str) -> str:
    """The cursor after a place: only for the question that it was given for."""
    # Without the time: the same page is the same answer, with the same ETag.
    return signing.Signer(salt=SALT).sign_object([hash_query_key(query_key), *position])


def decode_cursor(cursor: str, *, query_key: str) -> list[Any]:
    try:
        asked, *place = signing.Signer(salt=SALT).unsign_object(cursor)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidCursorError from None
    if asked != hash_query_key(query_key):
        raise InvalidCursorError
    return place


def hash_query_key(query_key: str) -> str:
    return hashlib.sha256(query_key.encode(errors="backslashreplace")).hexdigest()[:12]


def filter_after(rows: QuerySet[Row], position: list[Any], *fields: str) -> QuerySet[Row]:
    """The rows behind a place, where all fields fall; the last one is unique."""
    if len(position) != len(fields):  # written by an older version of ours
        raise InvalidCursorError
    behind, same = Q(), Q()
    for name, value in zip(fields, position, strict=True):
        behind |= same & Q(**{f"{name}__lt": value})
        same &= Q(**{name: value})
    # The first alone says less, but it is what an index is searched by.
    return rows.filter(Q(**{f"{fields[0]}__lte": position[0]}), behind)


def position_of(row: Any, *fields: str) -> list[Any]:
    values = (getattr(row, name) for name in fields)
    return [each.isoformat() if isinstance(each, date) else each for each in values]
