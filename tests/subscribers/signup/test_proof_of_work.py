"""subscribers/signup/proof_of_work.py"""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.signup import proof_of_work
from tests import factories
from tests.subscribers.pow_solver import solve_challenge

pytestmark = pytest.mark.django_db

NOW = factories.NOW


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


def test_a_proof_of_the_full_cost_is_accepted():
    assert proof_of_work.verify_proof(solve_challenge(proof_of_work.create_challenge(now=NOW)))


@pytest.mark.usefixtures("cheap_proof_of_work")
def test_a_proof_works_once():
    proof = solve_challenge(proof_of_work.create_challenge(now=NOW))
    again = base64.b64encode(json.dumps(json.loads(base64.b64decode(proof)), indent=1).encode())

    assert [
        proof_of_work.verify_proof(proof),
        proof_of_work.verify_proof(proof),
        proof_of_work.verify_proof(again.decode()),
    ] == [
        True,
        False,
        False,
    ]


@pytest.mark.usefixtures("cheap_proof_of_work")
@pytest.mark.parametrize(
    ("late", "is_valid"), [(timedelta(0), True), (timedelta(seconds=1), False)]
)
def test_a_proof_works_for_ten_minutes(late, is_valid):
    proof = solve_challenge(proof_of_work.create_challenge(now=NOW))

    with time_machine.travel(NOW + proof_of_work.CHALLENGE_LIFETIME + late, tick=False):
        assert proof_of_work.verify_proof(proof) is is_valid


@pytest.mark.usefixtures("cheap_proof_of_work")
def test_a_proof_signed_with_another_key_is_refused(settings):
    proof = solve_challenge(proof_of_work.create_challenge(now=NOW))
    settings.SECRET_KEY = "another"

    assert not proof_of_work.verify_proof(proof)


@pytest.mark.usefixtures("cheap_proof_of_work")
@pytest.mark.parametrize("changed", ["cost", "keyPrefix", "expiresAt", "nonce", "salt"])
def test_a_tampered_challenge_is_refused(changed):
    challenge = proof_of_work.create_challenge(now=NOW)
    tampered = {"cost": 2, "expiresAt": 2**40}.get(changed, "00")
    challenge["parameters"][changed] = tampered

    payload = {"challenge": challenge, "solution": {"counter": 1, "derivedKey": "00"}}

    assert not proof_of_work.verify_proof(base64.b64encode(json.dumps(payload).encode()).decode())


def test_a_guessed_solution_is_refused():
    challenge = proof_of_work.create_challenge(now=NOW)
    payload = {"challenge": challenge, "solution": {"counter": 1, "derivedKey": "00" * 32}}

    assert not proof_of_work.verify_proof(base64.b64encode(json.dumps(payload).encode()).decode())


json_ = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["challenge", "solution", "parameters", "signature", "nonce", "counter"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=50)
    | json_.map(lambda value: base64.b64encode(json.dumps(value).encode()).decode())
)
def test_anything_else_is_refused_without_an_error(proof):
    assert not proof_of_work.verify_proof(proof)


def test_a_huge_proof_is_refused_without_a_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert not proof_of_work.verify_proof("QUFB" * 1_000_000)
