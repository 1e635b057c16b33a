"""Signed cursors for keyset pagination.

A cursor holds the sort values of the last row of a page, not an offset. Rows that are inserted
before that position do not shift the next pages.
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
    """The cursor was not signed by this site, or belongs to another query."""


def encode_cursor(position: list[Any], *, query_key: str) -> str:
    """Sign the position of a page's last row; only the same query can decode it."""
    # Do not add a timestamp: the same page must have the same body, hence the same ETag.
    return signing.Signer(salt=SALT).sign_object([hash_query_key(query_key), *position])


def decode_cursor(cursor: str, *, query_key: str) -> list[Any]:
    """Return the signed position; raise InvalidCursorError if it is not of this query."""
    position: list[Any]
    try:
        signed_hash, *position = signing.Signer(salt=SALT).unsign_object(cursor)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidCursorError from None
    if signed_hash != hash_query_key(query_key):
        raise InvalidCursorError
    return position


def hash_query_key(query_key: str) -> str:
    return hashlib.sha256(query_key.encode(errors="backslashreplace")).hexdigest()[:12]


def filter_after(rows: QuerySet[Row], position: list[Any], *fields: str) -> QuerySet[Row]:
    """Return the rows after a position, all fields in descending order.

    The last field must be unique: otherwise rows with equal values are skipped.
    """
    if len(position) != len(fields):  # signed by an older version with other sort fields
        raise InvalidCursorError
    after, equal_so_far = Q(), Q()
    for name, value in zip(fields, position, strict=True):
        after |= equal_so_far & Q(**{f"{name}__lt": value})
        equal_so_far &= Q(**{name: value})
    # The condition on the first field is implied by the rest, but only it can use an index.
    return rows.filter(Q(**{f"{fields[0]}__lte": position[0]}), after)


def position_of(row: Any, *fields: str) -> list[Any]:
    """Return the row's sort values in a form that JSON can hold."""
    values = (getattr(row, name) for name in fields)
    return [value.isoformat() if isinstance(value, date) else value for value in values]
