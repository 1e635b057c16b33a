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
LONGEST = 300


class NoSuchPage(Exception):
    """Not a cursor of ours, or one of another question."""


def write(place: list[Any], *, question: str) -> str:
    """The cursor after a place: only for the question that it was given for."""
    # Without the time: the same page is the same answer, with the same ETag.
    return signing.Signer(salt=SALT).sign_object([digest(question), *place])


def read(cursor: str, *, question: str) -> list[Any]:
    try:
        asked, *place = signing.Signer(salt=SALT).unsign_object(cursor)
    except (signing.BadSignature, ValueError, TypeError):
        raise NoSuchPage from None
    if asked != digest(question):
        raise NoSuchPage
    return place


def digest(question: str) -> str:
    return hashlib.sha256(question.encode(errors="backslashreplace")).hexdigest()[:12]


def after(rows: QuerySet[Row], place: list[Any], *fields: str) -> QuerySet[Row]:
    """The rows behind a place, where all fields fall; the last one is unique."""
    if len(place) != len(fields):  # written by an older version of ours
        raise NoSuchPage
    behind, same = Q(), Q()
    for name, value in zip(fields, place, strict=True):
        behind |= same & Q(**{f"{name}__lt": value})
        same &= Q(**{name: value})
    # The first alone says less, but it is what an index is searched by.
    return rows.filter(Q(**{f"{fields[0]}__lte": place[0]}), behind)


def place_of(row: Any, *fields: str) -> list[Any]:
    values = (getattr(row, name) for name in fields)
    return [each.isoformat() if isinstance(each, date) else each for each in values]
