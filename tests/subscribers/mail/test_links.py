"""subscribers/mail/links.py"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

import pytest
import time_machine
from django.core.signing import Signer
from django.urls import resolve, reverse
from hypothesis import given
from hypothesis import strategies as st

from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Subscriber
from subscribers.signup import abuse_protection, lifecycle
from subscribers.signup.consent import FormKind
from tests import factories

NOW = factories.NOW
SECOND = timedelta(seconds=1)


def somebody() -> Subscriber:
    """Not in the database: enough to sign for."""
    return Subscriber(email="ada@example.org", public_id=uuid4(), confirmation_nonce=uuid4())


subscribers = st.builds(
    Subscriber, public_id=st.uuids(), confirmation_nonce=st.uuids(), email=st.just("ada@x.org")
)


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_is_read_back(purpose):
    ada, _ben = factories.subscriber(), factories.subscriber()

    assert links.read_token(purpose, links.signed_token(purpose, ada)) == ada


@given(subscribers, st.sampled_from(list(permutations(Purpose, 2))))
def test_a_token_opens_nothing_but_what_it_was_made_for(subscriber, purposes):
    made_for, tried_for = purposes
    token = links.signed_token(made_for, subscriber)

    with pytest.raises(links.InvalidLinkError) as caught:
        links.unsign_token(tried_for, token)

    assert type(caught.value) is links.InvalidLinkError


@given(subscribers, st.sampled_from(Purpose), st.data())
def test_a_token_with_one_character_changed_is_refused(subscriber, purpose, data):
    token = links.signed_token(purpose, subscriber)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda each: each != token[place]))

    with pytest.raises(links.InvalidLinkError):
        links.unsign_token(purpose, token[:place] + other + token[place + 1 :])


@given(st.text() | st.text(st.characters(codec="ascii")), st.sampled_from(Purpose))
def test_any_other_text_is_refused(token, purpose):
    with pytest.raises(links.InvalidLinkError):
        links.unsign_token(purpose, token)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "token", ["", ".", "..", "x" * 10_000, "ada@example.org", "\x00", "tökén", "a.b.c", "\ud800"]
)
@pytest.mark.parametrize("purpose", Purpose)
def test_a_hostile_token_is_refused_without_a_query(purpose, token, django_assert_num_queries):
    with pytest.raises(links.InvalidLinkError), django_assert_num_queries(0):
        links.read_token(purpose, token)


@given(subscribers, st.sampled_from(Purpose))
def test_a_token_is_short_and_needs_no_quoting_and_tells_no_address(subscriber, purpose):
    token = links.signed_token(purpose, subscriber)

    assert len(token) <= 94
    assert reverse(f"subscribers:{purpose}", args=[token]) == f"/{purpose}/{token}/"
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_link_is_absolute_and_leads_to_its_page(settings):
    settings.SITE_URL = "https://papers.example.org"
    ada = somebody()

    url = links.signed_url(Purpose.UNSUBSCRIBE, ada)

    token = links.signed_token(Purpose.UNSUBSCRIBE, ada)
    assert url == f"https://papers.example.org/unsubscribe/{token}/"
    found = resolve(url.removeprefix("https://papers.example.org"))
    assert (found.view_name, found.kwargs) == ("subscribers:unsubscribe", {"token": token})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("purpose", "lifetime"),
    [
        (Purpose.CONFIRM, timedelta(days=3)),
        (Purpose.PREFERENCES, timedelta(days=180)),
        (Purpose.RESUBSCRIBE, timedelta(days=1)),
        (Purpose.FEEDBACK, timedelta(days=180)),
    ],
)
def test_a_link_works_until_its_time_is_over(purpose, lifetime):
    ada = factories.subscriber()
    midnight = datetime(2026, 5, 12, tzinfo=UTC)
    with time_machine.travel(midnight, tick=False):
        token = links.signed_token(purpose, ada)

    with time_machine.travel(midnight + lifetime, tick=False):
        assert links.read_token(purpose, token) == ada
    later = time_machine.travel(midnight + lifetime + SECOND, tick=False)
    with later, pytest.raises(links.ExpiredLinkError):
        links.read_token(purpose, token)


@pytest.mark.django_db
def test_a_link_to_leave_works_for_ever():
    ada = factories.subscriber()
    with time_machine.travel(NOW):
        token = links.signed_token(Purpose.UNSUBSCRIBE, ada)

    with time_machine.travel(NOW + timedelta(days=20 * 365)):
        assert links.read_token(Purpose.UNSUBSCRIBE, token) == ada


@pytest.mark.parametrize("purpose", [Purpose.PREFERENCES, Purpose.UNSUBSCRIBE, Purpose.FEEDBACK])
def test_a_digest_s_links_are_the_same_when_it_is_rendered_again_that_day(purpose):
    ada = somebody()

    with time_machine.travel(datetime(2026, 5, 12, 0, 0, tzinfo=UTC)):
        first = links.signed_url(purpose, ada)
    with time_machine.travel(datetime(2026, 5, 12, 23, 59, tzinfo=UTC)):
        second = links.signed_url(purpose, ada)

    assert first == second


@given(st.text(), st.sampled_from(["secret", "another"]))
def test_signing_quickly_gives_what_django_gives(text, key):
    ours = links.CachedKeySigner(key=key, salt="subscribers.links.feedback", sep=".")
    django = Signer(key=key, salt="subscribers.links.feedback", sep=".")

    assert ours.sign(text) == django.sign(text)
    assert ours.unsign(django.sign(text)) == text


@given(subscribers, st.binary(max_size=9))
def test_what_a_link_is_about_is_read_back_and_never_taken_for_another(subscriber, about):
    token = links.signed_token(Purpose.FEEDBACK, subscriber, about)

    assert links.unsign_token(Purpose.FEEDBACK, token) == subscriber.public_id.bytes + about
    assert len(token) <= 94


@pytest.mark.django_db
def test_a_link_to_confirm_works_once():
    ada = factories.subscriber(status=Subscriber.Status.PENDING)
    token = links.signed_token(Purpose.CONFIRM, ada)

    lifecycle.confirm(ada, NOW)

    with pytest.raises(links.UsedLinkError) as caught:
        links.read_token(Purpose.CONFIRM, token)
    assert caught.value.subscriber == ada


@pytest.mark.django_db
def test_leaving_recalls_the_link_to_confirm():
    ada = factories.subscriber(status=Subscriber.Status.PENDING)
    token = links.signed_token(Purpose.CONFIRM, ada)

    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW)

    with pytest.raises(links.UsedLinkError):
        links.read_token(Purpose.CONFIRM, token)


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_of_somebody_erased_names_nobody(purpose):
    ada = factories.subscriber()
    token = links.signed_token(purpose, ada)

    ada.delete()

    with pytest.raises(links.UnknownSubscriberError):
        links.read_token(purpose, token)


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", Purpose)
def test_tokens_outlive_a_new_key_while_the_old_one_is_a_fallback(purpose, settings):
    ada = factories.subscriber()
    token = links.signed_token(purpose, ada)

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "new"
    assert links.read_token(purpose, token) == ada

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(links.InvalidLinkError):
        links.read_token(purpose, token)


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", links.RENEWABLE_PURPOSES)
def test_a_link_however_old_names_whom_to_send_a_new_one(purpose):
    ada = factories.subscriber()
    with time_machine.travel(NOW - timedelta(days=3_000), tick=False):
        token = links.signed_token(purpose, ada)

    with time_machine.travel(NOW, tick=False):
        assert links.subscriber_for_renewal(token) == ada
        with pytest.raises(links.ExpiredLinkError):
            links.read_token(purpose, token)


@pytest.mark.django_db
def test_a_link_to_leave_is_no_way_to_have_mail_sent():
    token = links.signed_token(Purpose.UNSUBSCRIBE, factories.subscriber())

    with pytest.raises(links.InvalidLinkError):
        links.subscriber_for_renewal(token)


@given(st.text() | st.text(st.characters(codec="ascii")))
def test_any_other_text_has_nothing_sent(token):
    with pytest.raises(links.InvalidLinkError):
        links.subscriber_for_renewal(token)


@given(subscribers, st.sampled_from(Purpose), st.sampled_from(FormKind))
def test_a_seal_of_a_form_is_no_link_and_a_link_is_no_seal(subscriber, purpose, form):
    with pytest.raises(links.InvalidLinkError):
        links.unsign_token(purpose, abuse_protection.form_token(form))
    with pytest.raises(abuse_protection.ResubmitRequiredError):
        abuse_protection.read_form_token(
            links.signed_token(purpose, subscriber), honeypot="", ip=""
        )
