"""Which papers hold what readers follow besides topics: looked up once a paper, not once a reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from papers.models import Paper
from papers.topics import follows
from papers.topics.follows import FollowIndex
from subscribers.models import Follow, Subscriber


def all_follows() -> FollowIndex:
    """All that active readers follow, in one query."""
    mine = Follow.objects.filter(subscriber__status=Subscriber.Status.ACTIVE)
    return build_follow_index(mine.values_list("kind", "key").distinct())


def build_follow_index(terms: Iterable[tuple[str, str]]) -> FollowIndex:
    keys: defaultdict[str, set[str]] = defaultdict(set)
    for kind, key in terms:
        keys[kind].add(key)
    return FollowIndex(
        authors=frozenset(keys[Follow.FollowKind.AUTHOR]),
        categories=frozenset(keys[Follow.FollowKind.CATEGORY]),
        keywords=frozenset(keys[Follow.FollowKind.KEYWORD]),
    )


def match_papers(paper_ids: Iterable[int], follow_index: FollowIndex) -> dict[int, list[str]]:
    """Paper id to the names of what is in it, in one query or, if nothing is followed, none."""
    if not any((follow_index.authors, follow_index.categories, follow_index.keywords)):
        return {}
    papers = Paper.objects.filter(pk__in=paper_ids).values_list(
        "pk", "title", "abstract", "keywords", "authors", "categories"
    )
    return {
        pk: sorted(
            match_key(*term) for term in follows.find_matches(*words, follow_index=follow_index)
        )
        for pk, *words in papers.iterator()
    }


def match_key(kind: str, key: str) -> str:
    """How an entry names it: "author:noether emmy"; no topic has a colon in its slug."""
    return f"{kind}:{key}"
