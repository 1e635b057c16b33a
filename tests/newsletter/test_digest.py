"""newsletter/digest.py"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.digest import Candidate, choose

TOPICS = ["agents", "robotics", "speech", "vision"]


def candidate(entry_id: int, *topics: str, score: float | None = None) -> Candidate:
    return Candidate(entry_id, frozenset(topics), 100.0 - entry_id if score is None else score)


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
