"""papers/web/cursors.py"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import signing

from papers.models import Paper
from papers.web import cursors
from tests import factories

ORDER = ("listed_on", "pk")


def test_a_cursor_round_trips_its_position() -> None:
    cursor = cursors.encode_cursor(["2026-05-12", 7, 0.1 + 0.2], query_key="all é \ud800")

    assert cursors.decode_cursor(cursor, query_key="all é \ud800") == ["2026-05-12", 7, 0.1 + 0.2]
    assert len(cursor) <= cursors.MAX_CURSOR_CHARS


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "x",
        "WyJ4Il0:1u:abc",
        "a:b:c:d",
        "\x00",
        "\ud800",
        "é" * 300,
        signing.Signer().sign_object(["other", 1]),
    ],
)
def test_a_cursor_that_was_not_signed_here_is_invalid(forged: str) -> None:
    with pytest.raises(cursors.InvalidCursorError):
        cursors.decode_cursor(forged, query_key="all")


def test_a_cursor_is_valid_only_for_its_own_query() -> None:
    with pytest.raises(cursors.InvalidCursorError):
        cursors.decode_cursor(cursors.encode_cursor([1], query_key="robots"), query_key="all")


def test_a_rotated_secret_key_still_decodes_old_cursors(settings: Any) -> None:
    settings.SECRET_KEY = "old" * 20
    cursor = cursors.encode_cursor([1], query_key="all")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, ["old" * 20]

    assert cursors.decode_cursor(cursor, query_key="all") == [1]


def test_a_position_with_another_number_of_fields_is_invalid() -> None:
    with pytest.raises(cursors.InvalidCursorError):
        cursors.filter_after(Paper.objects.all(), ["2026-05-12"], *ORDER)


@pytest.mark.django_db
def test_the_rows_after_each_position_are_exactly_the_rest() -> None:
    for number in range(7):
        factories.paper(listed_on=factories.TODAY - timedelta(days=number // 3))
    in_order = list(Paper.objects.order_by("-listed_on", "-pk"))

    for index, paper in enumerate(in_order):
        newest_first = Paper.objects.order_by("-listed_on", "-pk")
        rest = cursors.filter_after(newest_first, cursors.position_of(paper, *ORDER), *ORDER)
        assert list(rest) == in_order[index + 1 :]
