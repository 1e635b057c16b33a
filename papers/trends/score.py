"""How hot a paper is (pure: no Django, no clock)."""

from __future__ import annotations

from datetime import timedelta

DAY = timedelta(days=1)
# The age of a paper on the day it is listed: between nothing and a day.
AGE_OFFSET = timedelta(hours=12)


def trending_score(upvotes: int, *, age: timedelta) -> float:
    """Upvotes for each day since it was listed; a negative age counts as none.

    Upvotes alone because on 1,089 papers nothing else known in the first hours (comments, stars,
    code, organisation) helped to foresee which of a day's papers had most of them a week later.
    By the day because that foresees which papers of a week gain most after it (NDCG@5 0.866);
    log(1 + upvotes) halved every so many hours does not as well, whatever the hours (0.853 at
    best), nor do upvotes alone (0.723): `make bench ARGS=trending`.

    Give the age in whole days: then papers of one day are in the order of their upvotes.
    """
    return upvotes * (DAY / (max(age, timedelta()) + AGE_OFFSET))
