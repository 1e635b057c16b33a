"""subscribers/signup/abuse_protection.py"""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from subscribers.signup import abuse_protection, consent
from subscribers.signup.consent import ConsentContext, FormKind
from tests import factories

NOW = factories.NOW
SECOND = timedelta(seconds=1)


def read_token(token: str) -> ConsentContext:
    return abuse_protection.read_form_token(token, honeypot="", ip="192.0.2.7")


@pytest.mark.parametrize("form", [FormKind.PAGE, FormKind.EMBED])
def test_a_token_holds_the_form_kind_and_the_consent_version(form):
    token = abuse_protection.form_token(form, skip_min_age=True)

    assert read_token(token) == ConsentContext(
        form=form, version=consent.CURRENT_VERSION, ip="192.0.2.7"
    )


@pytest.mark.parametrize(
    ("age", "message"),
    [
        (2 * SECOND, abuse_protection.TOO_QUICK_MESSAGE),
        (3 * SECOND, None),
        (timedelta(days=2), None),
        (timedelta(days=2) + SECOND, abuse_protection.STALE_FORM_MESSAGE),
    ],
)
def test_a_form_is_accepted_between_three_seconds_and_two_days_old(age, message):
    with time_machine.travel(NOW, tick=False):
        token = abuse_protection.form_token(FormKind.PAGE)

    with time_machine.travel(NOW + age, tick=False):
        if message is None:
            assert read_token(token).form == FormKind.PAGE
        else:
            with pytest.raises(abuse_protection.ResubmitRequiredError, match=message):
                read_token(token)


def test_a_form_that_is_shown_again_is_accepted_at_once():
    with time_machine.travel(NOW, tick=False):
        assert (
            read_token(abuse_protection.form_token(FormKind.PAGE, skip_min_age=True)).form
            == FormKind.PAGE
        )


def test_a_token_survives_a_key_change_while_the_old_key_is_a_fallback(settings):
    token = abuse_protection.form_token(FormKind.PAGE, skip_min_age=True)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "new"

    assert read_token(token).form == FormKind.PAGE


@given(st.text())
def test_any_other_text_is_no_seal(text):
    with pytest.raises(abuse_protection.ResubmitRequiredError):
        read_token(text)


@pytest.mark.django_db
def test_the_waiting_time_is_given_in_whole_minutes():
    for _ in range(3):
        abuse_protection.enforce_limits("192.0.2.7", has_proof_of_work=False)

    with pytest.raises(abuse_protection.RateLimitedError) as caught:
        abuse_protection.enforce_limits("192.0.2.7", has_proof_of_work=False)

    assert str(caught.value).endswith("try again in 60 minutes.")
    assert 3595 <= caught.value.retry_after_seconds <= 3600
    assert str(
        abuse_protection.RateLimitedError(abuse_protection.RATE_LIMITED_MESSAGE, 30)
    ).endswith("Please try again in 1 minute.")


@pytest.mark.django_db
@pytest.mark.parametrize("has_proof", [False, True])
def test_a_refused_request_costs_two_queries(has_proof, settings, django_assert_num_queries):
    settings.REDIS_URL = ""
    for _ in range(20 if has_proof else 3):
        abuse_protection.enforce_limits("192.0.2.7", has_proof_of_work=has_proof)

    with django_assert_num_queries(2), pytest.raises(abuse_protection.RateLimitedError):
        abuse_protection.enforce_limits("192.0.2.7", has_proof_of_work=has_proof)


@pytest.mark.django_db
@pytest.mark.parametrize("ip", ["", "unix:", "not an address", "192.0.2.7, 10.0.0.1"])
def test_a_client_without_an_ip_address_is_rate_limited_too(ip):
    for _ in range(3):
        abuse_protection.enforce_limits(ip, has_proof_of_work=False)

    with pytest.raises(abuse_protection.RateLimitedError):
        abuse_protection.enforce_limits(ip, has_proof_of_work=False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ip", "is_logged"), [("127.0.0.1", True), ("", True), ("192.0.2.7", False)]
)
def test_the_log_reports_when_all_visitors_seem_to_be_the_proxy(ip, is_logged, settings, caplog):
    settings.DEBUG = False
    for _ in range(3):
        abuse_protection.enforce_limits(ip, has_proof_of_work=False)

    with pytest.raises(abuse_protection.RateLimitedError):
        abuse_protection.enforce_limits(ip, has_proof_of_work=False)

    assert ("set TRUSTED_PROXIES" in caplog.text) is is_logged
