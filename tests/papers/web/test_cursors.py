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


def test_a_cursor_holds_a_place() -> None:
    written = cursors.encode_cursor(["2026-05-12", 7, 0.1 + 0.2], query_key="all é \ud800")

    assert cursors.decode_cursor(written, query_key="all é \ud800") == ["2026-05-12", 7, 0.1 + 0.2]
    assert len(written) <= cursors.MAX_CURSOR_CHARS


@pytest.mark.parametrize(
    "made_up",
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
def test_what_we_did_not_write_names_no_page(made_up: str) -> None:
    with pytest.raises(cursors.InvalidCursorError):
        cursors.decode_cursor(made_up, query_key="all")


def test_a_cursor_is_good_for_its_own_question_only() -> None:
    with pytest.raises(cursors.InvalidCursorError):
        cursors.decode_cursor(cursors.encode_cursor([1], query_key="robots"), query_key="all")


def test_a_replaced_key_still_reads_what_it_wrote(settings: Any) -> None:
    settings.SECRET_KEY = "old" * 20
    written = cursors.encode_cursor([1], query_key="all")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, ["old" * 20]

    assert cursors.decode_cursor(written, query_key="all") == [1]


def test_a_place_of_another_order_names_no_page() -> None:
    with pytest.raises(cursors.InvalidCursorError):
        cursors.filter_after(Paper.objects.all(), ["2026-05-12"], *ORDER)


@pytest.mark.django_db
def test_what_comes_after_a_place_is_every_row_once() -> None:
    for number in range(7):
        factories.paper(listed_on=factories.TODAY - timedelta(days=number // 3))
    in_order = list(Paper.objects.order_by("-listed_on", "-pk"))

    for position, paper in enumerate(in_order):
        place = cursors.position_of(paper, *ORDER)
        behind = cursors.filter_after(Paper.objects.order_by("-listed_on", "-pk"), place, *ORDER)
        assert list(behind) == in_order[position + 1 :]
