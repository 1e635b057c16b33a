"""The value of the highest priority wins, in whatever order the reports come."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.catalogue import precedence

EMPTY: dict[str, Any] = {
    "title": "",
    "code_url": "",
    "withdrawn": False,
    "listed_on": None,
    "published_on": None,
}
# Source, time and values.
Report = tuple[str, int, dict[str, Any]]


def merge(*reports: Report) -> dict[str, Any]:
    """Return the paper's values after the reports, in this order."""
    values, provenance = dict(EMPTY), precedence.Provenance()
    for source, reported_at, incoming in reports:
        changed, provenance = precedence.merge_by_priority(
            values, provenance, incoming, source=source, reported_at=reported_at
        )
        values |= changed
    return values


def test_the_latest_title_of_arxiv_wins_in_any_order():
    reports: list[Report] = [
        ("arxiv", 1, {"title": "First"}),
        ("arxiv", 2, {"title": "Revised"}),
        ("huggingface", 3, {"title": "As it was typed"}),
    ]

    assert {merge(*order)["title"] for order in permutations(reports)} == {"Revised"}


def test_the_community_has_the_highest_priority_for_the_code():
    by_authors: Report = ("arxiv", 9, {"code_url": "https://github.com/a/old"})
    by_community: Report = ("huggingface", 1, {"code_url": "https://github.com/a/new"})

    assert merge(by_authors, by_community)["code_url"] == "https://github.com/a/new"
    assert merge(by_community, by_authors)["code_url"] == "https://github.com/a/new"


def test_an_old_report_that_arrives_late_changes_nothing():
    newer: Report = ("huggingface", 9, {"title": "New"})
    older: Report = ("huggingface", 1, {"title": "Old"})

    assert merge(newer, older)["title"] == "New"


def test_a_repeated_value_counts_from_its_latest_report():
    first: Report = ("huggingface", 1, {"title": "A"})
    in_between: Report = ("huggingface", 2, {"title": "B"})
    repeated: Report = ("huggingface", 3, {"title": "A"})

    assert merge(first, repeated, in_between)["title"] == "A"


def test_a_paper_is_withdrawn_while_the_latest_report_of_any_source_says_so():
    retracted: Report = ("openalex", 1, {"withdrawn": True})
    unaware: Report = ("arxiv", 9, {"withdrawn": False})
    mistaken: Report = ("openalex", 10, {"withdrawn": False})

    assert merge(retracted, unaware)["withdrawn"] is True
    assert merge(unaware, retracted)["withdrawn"] is True
    assert merge(retracted, unaware, mistaken)["withdrawn"] is False


def test_the_earliest_date_wins():
    late: Report = ("arxiv", 1, {"listed_on": date(2026, 5, 12)})
    early: Report = ("sample", 1, {"listed_on": date(2026, 5, 10)})

    assert merge(late, early)["listed_on"] == merge(early, late)["listed_on"] == date(2026, 5, 10)


def test_an_unknown_source_has_the_lowest_priority():
    assert precedence.priority("title", "somebody") == 0
    assert min(precedence.priority("title", name) for name in precedence.SOURCE_PRIORITY) == 1


@pytest.mark.parametrize("field", precedence.FIELD_SOURCE_PRIORITY)
def test_the_order_for_one_field_has_all_sources(field):
    assert sorted(precedence.FIELD_SOURCE_PRIORITY[field]) == sorted(precedence.SOURCE_PRIORITY)


incoming_values = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["A", "B", "BB"]),
        "withdrawn": st.booleans(),
        "published_on": st.dates(date(2026, 1, 1), date(2026, 1, 9)),
    },
)
report_lists = st.lists(
    st.tuples(st.sampled_from(precedence.SOURCE_PRIORITY[:3]), st.integers(0, 3), incoming_values),
    max_size=6,
)


@given(report_lists, st.randoms())
def test_the_order_of_reports_never_matters(reports, random):
    shuffled = reports.copy()
    random.shuffle(shuffled)

    assert merge(*shuffled) == merge(*reports) == merge(*reports, *shuffled)
