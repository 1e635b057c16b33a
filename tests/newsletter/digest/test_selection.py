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
    score = 100.0 - entry_id if score is None else score
    return Candidate(entry_id, frozenset(topics), score, frozenset(matched))


def choose(
    candidates: Iterable[Candidate], *, wanted: Iterable[str] = (), length: int = 5, **more: Any
) -> list[Candidate]:
    return list(choice(candidates, wanted=wanted, length=length, **more).papers)


def choice(
    candidates: Iterable[Candidate], *, wanted: Iterable[str] = (), length: int = 5, **more: Any
) -> Selection:
    return selection.choose(candidates, Interests(topics=frozenset(wanted), length=length, **more))


def ids(chosen: list[Candidate]) -> list[int]:
    return [each.entry_id for each in chosen]


def test_only_wanted_topics_are_chosen_the_hottest_first() -> None:
    candidates = [
        candidate(1, "vision"),
        candidate(2, "robotics", score=5),
        candidate(3, "robotics", "vision", score=9),
        candidate(4, "speech"),
    ]

    assert ids(choose(candidates, wanted=["robotics"], length=5)) == [3, 2]


def test_wanting_nothing_in_particular_means_everything() -> None:
    candidates = [candidate(1, "vision"), candidate(2), candidate(3, "speech")]

    assert ids(choose(candidates, wanted=[], length=2)) == [1, 2]


def test_no_match_is_an_empty_digest() -> None:
    assert choose([candidate(1, "vision")], wanted=["speech"], length=5) == []


def test_a_quiet_topic_is_not_drowned_by_a_loud_one() -> None:
    loud = [candidate(number, "vision") for number in range(1, 11)]
    quiet = candidate(50, "speech")

    chosen = choose([*loud, quiet], wanted=["speech", "vision"], length=6)

    assert ids(chosen) == [1, 2, 3, 4, 5, 50]


def test_the_hottest_two_thirds_keep_their_places_however_many_topics_are_wanted() -> None:
    loud = [candidate(number, "vision") for number in range(1, 11)]
    quiet = [candidate(50, "speech"), candidate(51, "agents"), candidate(52, "robotics")]

    chosen = choose([*loud, *quiet], wanted=TOPICS, length=6)

    assert ids(chosen) == [1, 2, 3, 4, 5, 50]


def test_equal_scores_keep_the_edition_s_order() -> None:
    candidates = [candidate(3, "vision", score=1), candidate(2, "vision", score=1)]

    assert ids(choose(candidates, wanted=["vision"], length=5)) == [2, 3]


def test_a_muted_topic_is_never_shown_even_where_another_matches() -> None:
    candidates = [
        candidate(1, "vision", "speech", matched=["author:noether e"]),
        candidate(2, "vision"),
        candidate(3),
    ]
    muted: dict[str, Any] = {"muted": frozenset({"speech"})}
    author = {"author:noether e": "E. Noether"}

    assert ids(choose(candidates, wanted=["vision"], named_follows=author, **muted)) == [2]
    assert ids(choose(candidates, **muted)) == [2, 3]


@pytest.mark.parametrize("kind", ["categories", "named_follows"])
def test_what_is_followed_besides_topics_needs_no_topic(kind: str) -> None:
    candidates = [candidate(1, "vision"), candidate(2, matched=["x:1"]), candidate(3, "speech")]
    followed: dict[str, Any] = {kind: {"x:1": "X"}}

    assert ids(choose(candidates, wanted=["speech"], **followed)) == [2, 3]
    assert ids(choose(candidates, **followed)) == [2]


def test_a_preferred_topic_and_a_followed_name_count_for_more() -> None:
    wanted = Interests(
        length=5,
        topics=frozenset({"vision", "speech"}),
        preferred=frozenset({"speech"}),
        named_follows={"author:noether e": "E. Noether"},
    )

    weights = [
        weight(candidate(1, "vision", score=10), wanted),
        weight(candidate(2, "vision", "speech", score=10), wanted),
        weight(candidate(3, score=10, matched=["author:noether e"]), wanted),
        weight(candidate(4, "speech", score=10, matched=["author:noether e"]), wanted),
        weight(candidate(5, score=10, matched=["author:lovelace a"]), wanted),
    ]

    assert weights == [10, 15, 20, 30, 10]


def test_votes_change_a_score_by_the_mean_of_its_topics() -> None:
    wanted = Interests(length=5, topic_adjustments={"vision": 0.2, "speech": -0.1})

    weights = [
        weight(candidate(1, "vision", "speech", score=10), wanted),
        weight(candidate(2, "vision", "agents", score=10), wanted),
        weight(candidate(3, score=10), wanted),
    ]

    assert weights == pytest.approx([10.5, 11, 10])


def test_a_paper_of_a_followed_name_has_a_place_however_few_have_read_it() -> None:
    loud = [candidate(number, "vision") for number in range(1, 11)]
    named = [candidate(50 + n, score=0, matched=["keyword:mamba"]) for n in range(5)]

    chosen = choose(
        [*loud, *named], wanted=["vision"], length=6, named_follows={"keyword:mamba": "Mamba"}
    )

    assert ids(chosen) == [1, 2, 3, 4, 50, 51]


def test_a_followed_category_shows_at_least_its_best_paper() -> None:
    loud = [candidate(number, "vision") for number in range(1, 11)]
    quiet = [candidate(50 + n, matched=["category:math.AG"]) for n in range(3)]

    chosen = choose(
        [*loud, *quiet], wanted=["vision"], length=6, categories={"category:math.AG": "math.AG"}
    )

    assert ids(chosen) == [1, 2, 3, 4, 5, 50]


def test_with_fewer_papers_than_asked_for_there_is_no_digest_and_it_says_how_many() -> None:
    candidates = [candidate(1, "vision"), candidate(2, "vision"), candidate(3, "speech")]

    few = choice(candidates, wanted=["vision"], minimum=3)
    enough = choice(candidates, wanted=["vision"], minimum=2)

    assert (few.papers, few.eligible_count) == ((), 2)
    assert (ids(list(enough.papers)), enough.eligible_count) == ([1, 2], 2)


def test_the_minimum_counts_what_matches_not_what_fits() -> None:
    candidates = [candidate(number, "vision") for number in range(1, 9)]

    assert len(choose(candidates, length=3, minimum=8)) == 3


labels = st.frozensets(st.sampled_from(["author:noether e", "category:cs.RO", "keyword:mamba"]))


@given(
    st.lists(
        st.tuples(st.frozensets(st.sampled_from(TOPICS)), labels, st.floats(0, 10)), max_size=30
    ),
    st.dictionaries(st.sampled_from(TOPICS), st.sampled_from(["follow", "prefer", "mute"])),
    labels,
    st.integers(3, 20),
    st.integers(1, 20),
)
def test_whatever_is_chosen_a_digest_holds_what_matches_in_the_order_of_its_weight(
    papers: list[tuple[frozenset[str], frozenset[str], float]],
    attitudes: dict[str, str],
    follows: frozenset[str],
    length: int,
    minimum: int,
) -> None:
    candidates = [
        Candidate(number, topics, score, matched)
        for number, (topics, matched, score) in enumerate(papers)
    ]
    said = {
        word: frozenset(slug for slug, each in attitudes.items() if each == word)
        for word in ("follow", "prefer", "mute")
    }
    wanted = Interests(
        length=length,
        minimum=minimum,
        topics=said["follow"] | said["prefer"],
        preferred=said["prefer"],
        muted=said["mute"],
        categories={key: key for key in follows if key.startswith("category")},
        named_follows={key: key for key in follows if not key.startswith("category")},
    )
    everything = not wanted.topics and not follows
    matching = [
        each
        for each in candidates
        if not each.topics & said["mute"]
        and (everything or each.topics & wanted.topics or each.match_keys & follows)
    ]

    found = selection.choose(candidates, wanted)

    assert found.eligible_count == len(matching)
    assert len(found.papers) == (min(length, len(matching)) if len(matching) >= minimum else 0)
    assert set(found.papers) <= set(matching)
    order = [(-weight(each, wanted), each.entry_id) for each in found.papers]
    assert order == sorted(order)


@given(
    st.lists(st.tuples(st.sets(st.sampled_from(TOPICS)), st.floats(0, 10)), max_size=30),
    st.sets(st.sampled_from(TOPICS)),
    st.integers(3, 20),
)
def test_a_digest_is_never_longer_off_topic_repeated_or_out_of_order(
    papers: list[tuple[set[str], float]], wanted: set[str], length: int
) -> None:
    candidates = [
        Candidate(number, frozenset(topics), score) for number, (topics, score) in enumerate(papers)
    ]
    matching = [each for each in candidates if not wanted or each.topics & wanted]

    chosen = choose(candidates, wanted=wanted, length=length)

    assert len(chosen) == len(set(chosen)) == min(length, len(matching))
    assert set(chosen) <= set(matching)
    assert chosen == sorted(chosen, key=lambda each: (-each.score, each.entry_id))
    if matching:
        assert chosen[0] == min(matching, key=lambda each: (-each.score, each.entry_id))
