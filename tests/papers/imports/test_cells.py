"""How people write names and dates."""

from __future__ import annotations

from datetime import date

import pytest

from papers.imports import cells


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ada Lovelace", ["Ada Lovelace"]),
        ("Lovelace, Ada", ["Ada Lovelace"]),
        ("Ada Lovelace and Grace Hopper", ["Ada Lovelace", "Grace Hopper"]),
        ("Lovelace, Ada and Hopper, Grace", ["Ada Lovelace", "Grace Hopper"]),
        ("Lovelace, Ada; Hopper, Grace", ["Ada Lovelace", "Grace Hopper"]),
        ("Ada Lovelace, Grace Hopper", ["Ada Lovelace", "Grace Hopper"]),
        (
            "Ada Lovelace, Grace Hopper, and A. Turing",
            ["Ada Lovelace", "Grace Hopper", "A. Turing"],
        ),
        ("Ada Lovelace & Grace Hopper", ["Ada Lovelace", "Grace Hopper"]),
        ("Lovelace, Ada, Hopper, Grace", ["Ada Lovelace", "Grace Hopper"]),
        ("Lovelace A., Hopper G.", ["Lovelace A.", "Hopper G."]),
        ("Plato", ["Plato"]),
        ("; ;", []),
        ("", []),
    ],
)
def test_names_are_separated_in_the_usual_forms(text, names):
    assert list(cells.parse_authors(text)) == names


def test_authors_may_be_objects():
    authors = [
        {"name": "Ada Lovelace"},
        {"given": "Grace", "family": "Hopper"},
        {"firstName": "Emmy", "lastName": "Noether"},
        "Sophie Germain",
        {"name": None},
        None,
        7,
    ]

    assert cells.parse_authors(authors) == (
        "Ada Lovelace",
        "Grace Hopper",
        "Emmy Noether",
        "Sophie Germain",
    )


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-05-12", date(2026, 5, 12)),
        ("2026-05-12T23:30:00-05:00", date(2026, 5, 13)),
        ("2026/5/12", date(2026, 5, 12)),
        ("2026.05.12", date(2026, 5, 12)),
        ("12 May 2026", date(2026, 5, 12)),
        ("May 12, 2026", date(2026, 5, 12)),
        ("Tue, 12 May 2026 10:00:00 GMT", date(2026, 5, 12)),
        ("2026", None),
        ("2026-05", None),
        ("5/12/2026", None),
        ("2026-13-40", None),
        ("soon, perhaps", None),
        (1747000000, None),
    ],
)
def test_an_ambiguous_date_is_not_parsed(value, day):
    assert cells.parse_unambiguous_date(value) == day
