"""Match papers against all followed authors, categories and keywords: once for all readers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from papers.models import Paper
from papers.topics import follows
from papers.topics.follows import FollowIndex
from subscribers.models import Follow, Subscriber


def all_follows() -> FollowIndex:
    """Return an index of what active readers follow, in one query."""
    active = Follow.objects.filter(subscriber__status=Subscriber.Status.ACTIVE)
    return build_follow_index(active.values_list("kind", "key").distinct())


def build_follow_index(kinds_and_keys: Iterable[tuple[str, str]]) -> FollowIndex:
    """Return an index of follows, given as pairs of a kind and a key."""
    keys: defaultdict[str, set[str]] = defaultdict(set)
    for kind, key in kinds_and_keys:
        keys[kind].add(key)
    return FollowIndex(
        authors=frozenset(keys[Follow.FollowKind.AUTHOR]),
        categories=frozenset(keys[Follow.FollowKind.CATEGORY]),
        keywords=frozenset(keys[Follow.FollowKind.KEYWORD]),
    )


def match_papers(paper_ids: Iterable[int], follow_index: FollowIndex) -> dict[int, list[str]]:
    """Return the sorted match keys of each paper, by id, in one query; without follows, in none."""
    if not any((follow_index.authors, follow_index.categories, follow_index.keywords)):
        return {}
    papers = Paper.objects.filter(pk__in=paper_ids).values_list(
        "pk", "title", "abstract", "keywords", "authors", "categories"
    )
    return {
        pk: sorted(
            match_key(*term) for term in follows.find_matches(*fields, follow_index=follow_index)
        )
        for pk, *fields in papers.iterator()
    }


def match_key(kind: str, key: str) -> str:
    """Return a term as `Entry.matched` stores it, such as "author:noether emmy".

    The colon keeps it distinct from topic slugs, which have none.
    """
    return f"{kind}:{key}"
