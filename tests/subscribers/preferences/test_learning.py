"""subscribers/preferences/learning.py"""

from __future__ import annotations

from math import isclose, log, tanh

from hypothesis import given
from hypothesis import strategies as st

from subscribers.preferences.learning import CLICK, MOST, VOTE, Evidence, leanings

signs = st.builds(
    Evidence,
    st.frozensets(st.sampled_from(["agents", "robotics", "speech"])),
    st.sampled_from([VOTE, -VOTE, CLICK]),
)


def votes(topic: str, *, more: int = 0, less: int = 0) -> list[Evidence]:
    about = frozenset({topic})
    return [Evidence(about, VOTE)] * more + [Evidence(about, -VOTE)] * less


def test_the_worked_example_of_the_documents() -> None:
    found = leanings([*votes("robotics", more=3, less=1), *votes("speech", less=2)])

    assert found == {"robotics": 0.25 * 2 / 6, "speech": 0.25 * -2 / 4}


def test_without_votes_nothing_is_learned() -> None:
    assert leanings([]) == {}


def test_a_vote_each_way_cancels_out() -> None:
    assert leanings(votes("robotics", more=2, less=2)) == {"robotics": 0.0}


def test_a_vote_counts_for_each_topic_of_its_paper() -> None:
    found = leanings([Evidence(frozenset({"robotics", "speech"}), VOTE)])

    assert found["robotics"] == found["speech"] > 0


def test_a_click_says_less_than_a_vote() -> None:
    clicked = leanings([Evidence(frozenset({"robotics"}), CLICK)])
    voted = leanings(votes("robotics", more=1))

    assert 0 < clicked["robotics"] < voted["robotics"]


@given(st.integers(0, 500), st.integers(0, 500))
def test_it_is_the_squeezed_smoothed_odds(more: int, less: int) -> None:
    found = leanings(votes("robotics", more=more, less=less)).get("robotics", 0.0)

    assert isclose(found, MOST * tanh(log((more + 1) / (less + 1)) / 2), abs_tol=1e-12)


@given(st.lists(signs, max_size=40), st.randoms())
def test_it_is_bounded_and_does_not_depend_on_the_order(signs: list[Evidence], random) -> None:
    shuffled = signs.copy()
    random.shuffle(shuffled)

    found = leanings(signs)

    assert found == leanings(shuffled)
    assert all(abs(share) < MOST for share in found.values())
