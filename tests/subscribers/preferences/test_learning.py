"""subscribers/preferences/learning.py"""

from __future__ import annotations

from math import isclose, log, tanh

from hypothesis import given
from hypothesis import strategies as st

from subscribers.preferences.learning import (
    CLICK_WEIGHT,
    MAX_ADJUSTMENT,
    VOTE_WEIGHT,
    WeightedVote,
    topic_adjustments,
)

signs = st.builds(
    WeightedVote,
    st.frozensets(st.sampled_from(["agents", "robotics", "speech"])),
    st.sampled_from([VOTE_WEIGHT, -VOTE_WEIGHT, CLICK_WEIGHT]),
)


def votes(topic: str, *, more: int = 0, less: int = 0) -> list[WeightedVote]:
    about = frozenset({topic})
    return [WeightedVote(about, VOTE_WEIGHT)] * more + [WeightedVote(about, -VOTE_WEIGHT)] * less


def test_the_worked_example_of_the_documents() -> None:
    found = topic_adjustments([*votes("robotics", more=3, less=1), *votes("speech", less=2)])

    assert found == {"robotics": 0.25 * 2 / 6, "speech": 0.25 * -2 / 4}


def test_without_votes_nothing_is_learned() -> None:
    assert topic_adjustments([]) == {}


def test_a_vote_each_way_cancels_out() -> None:
    assert topic_adjustments(votes("robotics", more=2, less=2)) == {"robotics": 0.0}


def test_a_vote_counts_for_each_topic_of_its_paper() -> None:
    found = topic_adjustments([WeightedVote(frozenset({"robotics", "speech"}), VOTE_WEIGHT)])

    assert found["robotics"] == found["speech"] > 0


def test_a_click_says_less_than_a_vote() -> None:
    clicked = topic_adjustments([WeightedVote(frozenset({"robotics"}), CLICK_WEIGHT)])
    voted = topic_adjustments(votes("robotics", more=1))

    assert 0 < clicked["robotics"] < voted["robotics"]


@given(st.integers(0, 500), st.integers(0, 500))
def test_it_is_the_squeezed_smoothed_odds(more: int, less: int) -> None:
    found = topic_adjustments(votes("robotics", more=more, less=less)).get("robotics", 0.0)

    assert isclose(found, MAX_ADJUSTMENT * tanh(log((more + 1) / (less + 1)) / 2), abs_tol=1e-12)


@given(st.lists(signs, max_size=40), st.randoms())
def test_it_is_bounded_and_does_not_depend_on_the_order(signs: list[WeightedVote], random) -> None:
    shuffled = signs.copy()
    random.shuffle(shuffled)

    found = topic_adjustments(signs)

    assert found == topic_adjustments(shuffled)
    assert all(abs(share) < MAX_ADJUSTMENT for share in found.values())
