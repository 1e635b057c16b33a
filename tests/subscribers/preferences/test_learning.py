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

weighted_votes = st.builds(
    WeightedVote,
    st.frozensets(st.sampled_from(["agents", "robotics", "speech"])),
    st.sampled_from([VOTE_WEIGHT, -VOTE_WEIGHT, CLICK_WEIGHT]),
)


def votes(topic: str, *, more: int = 0, less: int = 0) -> list[WeightedVote]:
    topics = frozenset({topic})
    return [WeightedVote(topics, VOTE_WEIGHT)] * more + [WeightedVote(topics, -VOTE_WEIGHT)] * less


def test_the_worked_example_of_the_documentation() -> None:
    adjustments = topic_adjustments([*votes("robotics", more=3, less=1), *votes("speech", less=2)])

    assert adjustments == {"robotics": 0.25 * 2 / 6, "speech": 0.25 * -2 / 4}


def test_without_votes_there_are_no_adjustments() -> None:
    assert topic_adjustments([]) == {}


def test_a_vote_each_way_cancels_out() -> None:
    assert topic_adjustments(votes("robotics", more=2, less=2)) == {"robotics": 0.0}


def test_a_vote_counts_for_each_topic_of_its_paper() -> None:
    adjustments = topic_adjustments([WeightedVote(frozenset({"robotics", "speech"}), VOTE_WEIGHT)])

    assert adjustments["robotics"] == adjustments["speech"] > 0


def test_a_click_weighs_less_than_a_vote() -> None:
    clicked = topic_adjustments([WeightedVote(frozenset({"robotics"}), CLICK_WEIGHT)])
    voted = topic_adjustments(votes("robotics", more=1))

    assert 0 < clicked["robotics"] < voted["robotics"]


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_adjustment_is_the_scaled_tanh_of_the_smoothed_log_odds(more: int, less: int) -> None:
    adjustments = topic_adjustments(votes("robotics", more=more, less=less))

    adjustment = adjustments.get("robotics", 0.0)
    assert isclose(
        adjustment, MAX_ADJUSTMENT * tanh(log((more + 1) / (less + 1)) / 2), abs_tol=1e-12
    )


@given(st.lists(weighted_votes, max_size=40), st.randoms())
def test_adjustments_are_bounded_and_independent_of_the_order(
    weighted_votes: list[WeightedVote], random
) -> None:
    shuffled = weighted_votes.copy()
    random.shuffle(shuffled)

    adjustments = topic_adjustments(weighted_votes)

    assert adjustments == topic_adjustments(shuffled)
    assert all(abs(adjustment) < MAX_ADJUSTMENT for adjustment in adjustments.values())
