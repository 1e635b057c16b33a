"""newsletter/editions/follows.py"""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.editions import follows as editions_follows
from tests import factories

pytestmark = pytest.mark.django_db


def found(follows: list[tuple[str, str]], **paper: Any) -> list[str]:
    made = factories.paper(**paper)
    return editions_follows.match_papers(
        [made.pk], editions_follows.build_follow_index(follows)
    ).get(made.pk, [])


@pytest.mark.parametrize(
    ("followed", "author", "meant"),
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
def test_a_name_means_whom_it_may_mean(followed: str, author: str, meant: bool) -> None:  # noqa: FBT001
    expected = [f"author:{followed}"] if meant else []

    assert found([("author", followed)], authors=["Ada Lovelace", author]) == expected


def test_each_kind_is_found_under_its_name() -> None:
    follows = [("category", "cs.RO"), ("keyword", "state space model"), ("author", "li yafu")]

    names = found(
        follows, title="On state-space models", categories=["cs.LG", "cs.RO"], authors=["Yafu Li"]
    )

    assert names == ["author:li yafu", "category:cs.RO", "keyword:state space model"]


def test_only_active_readers_count() -> None:
    factories.subscriber(follows=[("keyword", "mamba", "Mamba")])
    factories.subscriber(follows=[("keyword", "whale", "Whales")], status="left")

    assert editions_follows.all_follows().keywords == {"mamba"}


@pytest.mark.parametrize("many", [1, 4])
def test_a_day_s_papers_are_one_query_and_nothing_followed_is_none(
    many: int, django_assert_num_queries: Any
) -> None:
    ids = [factories.paper().pk for _ in range(many)]
    follows = editions_follows.build_follow_index(("keyword", f"thing {n}") for n in range(many))

    with django_assert_num_queries(1):
        assert len(editions_follows.match_papers(ids, follows)) == many
    with django_assert_num_queries(0):
        assert editions_follows.match_papers(ids, editions_follows.build_follow_index([])) == {}
