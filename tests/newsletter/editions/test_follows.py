"""newsletter/editions/follows.py"""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.editions import follows as editions_follows
from tests import factories

pytestmark = pytest.mark.django_db


def match_keys(follows: list[tuple[str, str]], **fields: Any) -> list[str]:
    paper = factories.paper(**fields)
    follow_index = editions_follows.build_follow_index(follows)
    return editions_follows.match_papers([paper.pk], follow_index)[paper.pk]


@pytest.mark.parametrize(
    ("followed", "author", "matches"),
    [
        ("li yafu", "Yafu Li", True),
        ("li yafu", "Li, Yafu", True),
        ("li yafu", "Y. Li", False),
        ("li y", "Yifan Li", True),
        ("li yafu", "Yifan Li", False),
        ("noether emmy", "Emmy A. Noether", True),
        ("noether e", "E. Noether", True),
        ("noether emmy", "Fritz Noether", False),
        ("李明", "李明", True),
        ("李明", "李红", False),
    ],
)
def test_an_author_matches_the_names_that_may_be_theirs(
    followed: str,
    author: str,
    matches: bool,  # noqa: FBT001
) -> None:
    expected = [f"author:{followed}"] if matches else []

    assert match_keys([("author", followed)], authors=["Ada Lovelace", author]) == expected


def test_a_match_key_names_the_kind_of_the_term() -> None:
    follows = [("category", "cs.RO"), ("keyword", "state space model"), ("author", "li yafu")]

    keys = match_keys(
        follows, title="On state-space models", categories=["cs.LG", "cs.RO"], authors=["Yafu Li"]
    )

    assert keys == ["author:li yafu", "category:cs.RO", "keyword:state space model"]


def test_only_follows_of_active_readers_count() -> None:
    factories.subscriber(follows=[("keyword", "mamba", "Mamba")])
    factories.subscriber(follows=[("keyword", "whale", "Whales")], status="left")

    assert editions_follows.all_follows().keywords == {"mamba"}


@pytest.mark.parametrize("count", [1, 4])
def test_matching_papers_is_one_query_and_none_without_follows(
    count: int, django_assert_num_queries: Any
) -> None:
    ids = [factories.paper().pk for _ in range(count)]
    follows = editions_follows.build_follow_index(("keyword", f"thing {n}") for n in range(count))

    with django_assert_num_queries(1):
        assert len(editions_follows.match_papers(ids, follows)) == count
    with django_assert_num_queries(0):
        assert editions_follows.match_papers(ids, editions_follows.build_follow_index([])) == {}
