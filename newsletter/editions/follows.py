"""Which papers hold what readers follow besides topics: looked up once a paper, not once a reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from papers.models import Paper
from papers.topics import follows
from papers.topics.follows import Followed
from subscribers.models import Follow, Subscriber


def by_anybody() -> Followed:
    """All that active readers follow, in one query."""
    mine = Follow.objects.filter(subscriber__status=Subscriber.Status.ACTIVE)
    return followed(mine.values_list("kind", "key").distinct())


def followed(terms: Iterable[tuple[str, str]]) -> Followed:
    keys: defaultdict[str, set[str]] = defaultdict(set)
    for kind, key in terms:
        keys[kind].add(key)
    return Followed(
        authors=frozenset(keys[Follow.Kind.AUTHOR]),
        categories=frozenset(keys[Follow.Kind.CATEGORY]),
        keywords=frozenset(keys[Follow.Kind.KEYWORD]),
    )


def found_in(paper_ids: Iterable[int], followed: Followed) -> dict[int, list[str]]:
    """Paper id to the names of what is in it, in one query or, if nothing is followed, none."""
    if not any((followed.authors, followed.categories, followed.keywords)):
        return {}
    papers = Paper.objects.filter(pk__in=paper_ids).values_list(
        "pk", "title", "abstract", "keywords", "authors", "categories"
    )
    return {
        pk: sorted(name(*term) for term in follows.matches(*words, followed=followed))
        for pk, *words in papers.iterator()
    }


def name(kind: str, key: str) -> str:
    """How an entry names it: "author:noether emmy"; no topic has a colon in its slug."""
    return f"{kind}:{key}"
