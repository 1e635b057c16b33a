"""newsletter/digest/selection.py"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.digest import selection
from newsletter.digest.selection import Candidate, Interests, Selection, weight

TOPICS = ["agents", "robotics", "speech", "vision"]


def candidate(
    entry_id: int, *topics: str, score: float | None = None, matched: Iterable[str] = ()
) -> Candidate:
    """A candidate; without a score, the lower its id the higher its score."""
    score = 100.0 - entry_id if score is None else score
    return Candidate(entry_id, frozenset(topics), score, frozenset(matched))


def choose(
    candidates: Iterable[Candidate],
    *,
    topics: Iterable[str] = (),
    length: int = 5,
    **interests: Any,
) -> list[Candidate]:
    return list(select(candidates, topics=topics, length=length, **interests).papers)


def select(
    candidates: Iterable[Candidate],
    *,
    topics: Iterable[str] = (),
    length: int = 5,
    **interests: Any,
) -> Selection:
    return selection.choose(
        candidates, Interests(topics=frozenset(topics), length=length, **interests)
    )


def ids(candidates: Iterable[Candidate]) -> list[int]:
    return [candidate.entry_id for candidate in candidates]


def test_only_followed_topics_are_chosen_by_descending_score() -> None:
    candidates = [
        candidate(1, "vision"),
        candidate(2, "robotics", score=5),
        candidate(3, "robotics", "vision", score=9),
        candidate(4, "speech"),
    ]

    assert ids(choose(candidates, topics=["robotics"], length=5)) == [3, 2]


def test_a_reader_who_follows_nothing_gets_everything() -> None:
    candidates = [candidate(1, "vision"), candidate(2), candidate(3, "speech")]

    assert ids(choose(candidates, topics=[], length=2)) == [1, 2]


def test_without_a_match_the_digest_is_empty() -> None:
    assert choose([candidate(1, "vision")], topics=["speech"], length=5) == []


def test_a_quiet_topic_is_not_crowded_out_by_a_busy_one() -> None:
    busy = [candidate(number, "vision") for number in range(1, 11)]
    quiet = candidate(50, "speech")

    chosen = choose([*busy, quiet], topics=["speech", "vision"], length=6)

    assert ids(chosen) == [1, 2, 3, 4, 5, 50]


def test_two_thirds_go_to_the_highest_scores_however_many_topics_are_followed() -> None:
    busy = [candidate(number, "vision") for number in range(1, 11)]
    quiet = [candidate(50, "speech"), candidate(51, "agents"), candidate(52, "robotics")]

    chosen = choose([*busy, *quiet], topics=TOPICS, length=6)

    assert ids(chosen) == [1, 2, 3, 4, 5, 50]


def test_equal_scores_keep_the_edition_s_order() -> None:
    candidates = [candidate(3, "vision", score=1), candidate(2, "vision", score=1)]

    assert ids(choose(candidates, topics=["vision"], length=5)) == [2, 3]


def test_a_muted_topic_excludes_a_paper_even_if_another_topic_matches() -> None:
    candidates = [
        candidate(1, "vision", "speech", matched=["author:noether e"]),
        candidate(2, "vision"),
        candidate(3),
    ]
    muted: dict[str, Any] = {"muted": frozenset({"speech"})}
    author = {"author:noether e": "E. Noether"}

    assert ids(choose(candidates, topics=["vision"], named_follows=author, **muted)) == [2]
    assert ids(choose(candidates, **muted)) == [2, 3]


@pytest.mark.parametrize("kind", ["categories", "named_follows"])
def test_a_paper_that_matches_a_follow_needs_no_followed_topic(kind: str) -> None:
    candidates = [candidate(1, "vision"), candidate(2, matched=["x:1"]), candidate(3, "speech")]
    followed: dict[str, Any] = {kind: {"x:1": "X"}}

    assert ids(choose(candidates, topics=["speech"], **followed)) == [2, 3]
    assert ids(choose(candidates, **followed)) == [2]


def test_a_preferred_topic_and_a_followed_name_count_for_more() -> None:
    interests = Interests(
        length=5,
        topics=frozenset({"vision", "speech"}),
        preferred=frozenset({"speech"}),
        named_follows={"author:noether e": "E. Noether"},
    )

    weights = [
        weight(candidate(1, "vision", score=10), interests),
        weight(candidate(2, "vision", "speech", score=10), interests),
        weight(candidate(3, score=10, matched=["author:noether e"]), interests),
        weight(candidate(4, "speech", score=10, matched=["author:noether e"]), interests),
        weight(candidate(5, score=10, matched=["author:lovelace a"]), interests),
    ]

    assert weights == [10, 15, 20, 30, 10]


def test_votes_change_a_score_by_the_mean_of_its_topics() -> None:
    interests = Interests(length=5, topic_adjustments={"vision": 0.2, "speech": -0.1})

    weights = [
        weight(candidate(1, "vision", "speech", score=10), interests),
        weight(candidate(2, "vision", "agents", score=10), interests),
        weight(candidate(3, score=10), interests),
    ]

    assert weights == pytest.approx([10.5, 11, 10])


def test_a_third_is_reserved_for_names_that_are_followed_whatever_the_score() -> None:
    busy = [candidate(number, "vision") for number in range(1, 11)]
    named = [candidate(50 + n, score=0, matched=["keyword:mamba"]) for n in range(5)]

    chosen = choose(
        [*busy, *named], topics=["vision"], length=6, named_follows={"keyword:mamba": "Mamba"}
    )

    assert ids(chosen) == [1, 2, 3, 4, 50, 51]


def test_a_followed_category_shows_at_least_its_best_paper() -> None:
    busy = [candidate(number, "vision") for number in range(1, 11)]
    quiet = [candidate(50 + n, matched=["category:math.AG"]) for n in range(3)]

    chosen = choose(
        [*busy, *quiet], topics=["vision"], length=6, categories={"category:math.AG": "math.AG"}
    )

    assert ids(chosen) == [1, 2, 3, 4, 5, 50]


def test_with_fewer_papers_than_the_minimum_none_are_chosen_and_all_are_counted() -> None:
    candidates = [candidate(1, "vision"), candidate(2, "vision"), candidate(3, "speech")]

    too_few = select(candidates, topics=["vision"], minimum=3)
    enough = select(candidates, topics=["vision"], minimum=2)

    assert (too_few.papers, too_few.eligible_count) == ((), 2)
    assert (ids(enough.papers), enough.eligible_count) == ([1, 2], 2)


def test_the_minimum_counts_papers_that_match_not_those_that_fit() -> None:
    candidates = [candidate(number, "vision") for number in range(1, 9)]

    assert len(choose(candidates, length=3, minimum=8)) == 3


match_keys = st.frozensets(st.sampled_from(["author:noether e", "category:cs.RO", "keyword:mamba"]))


@given(
    st.lists(
        st.tuples(st.frozensets(st.sampled_from(TOPICS)), match_keys, st.floats(0, 10)), max_size=30
    ),
    st.dictionaries(st.sampled_from(TOPICS), st.sampled_from(["follow", "prefer", "mute"])),
    match_keys,
    st.integers(3, 20),
    st.integers(1, 20),
)
def test_a_digest_holds_only_matches_by_descending_weight(
    papers: list[tuple[frozenset[str], frozenset[str], float]],
    attitudes: dict[str, str],
    follows: frozenset[str],
    length: int,
    minimum: int,
) -> None:
    candidates = [
        Candidate(number, paper_topics, score, matched)
        for number, (paper_topics, matched, score) in enumerate(papers)
    ]
    topics = {
        attitude: frozenset(slug for slug, chosen in attitudes.items() if chosen == attitude)
        for attitude in ("follow", "prefer", "mute")
    }
    interests = Interests(
        length=length,
        minimum=minimum,
        topics=topics["follow"] | topics["prefer"],
        preferred=topics["prefer"],
        muted=topics["mute"],
        categories={key: key for key in follows if key.startswith("category")},
        named_follows={key: key for key in follows if not key.startswith("category")},
    )
    everything = not interests.topics and not follows
    matches = [
        paper
        for paper in candidates
        if not paper.topics & interests.muted
        and (everything or paper.topics & interests.topics or paper.match_keys & follows)
    ]

    result = selection.choose(candidates, interests)

    assert result.eligible_count == len(matches)
    assert len(result.papers) == (min(length, len(matches)) if len(matches) >= minimum else 0)
    assert set(result.papers) <= set(matches)
    order = [(-weight(paper, interests), paper.entry_id) for paper in result.papers]
    assert order == sorted(order)


@given(
    st.lists(st.tuples(st.sets(st.sampled_from(TOPICS)), st.floats(0, 10)), max_size=30),
    st.sets(st.sampled_from(TOPICS)),
    st.integers(3, 20),
)
def test_a_digest_is_never_longer_off_topic_repeated_or_out_of_order(
    papers: list[tuple[set[str], float]], followed: set[str], length: int
) -> None:
    candidates = [
        Candidate(number, frozenset(topics), score) for number, (topics, score) in enumerate(papers)
    ]
    matches = [paper for paper in candidates if not followed or paper.topics & followed]

    chosen = choose(candidates, topics=followed, length=length)

    assert len(chosen) == len(set(chosen)) == min(length, len(matches))
    assert set(chosen) <= set(matches)
    assert chosen == sorted(chosen, key=lambda paper: (-paper.score, paper.entry_id))
    if matches:
        assert chosen[0] == min(matches, key=lambda paper: (-paper.score, paper.entry_id))
