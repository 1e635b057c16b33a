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
ADA = "ada@example.org"


def unsaved_subscriber() -> Subscriber:
    """Return an unsaved subscriber, which is enough for signing."""
    return Subscriber(email=ADA, public_id=uuid4(), confirmation_nonce=uuid4())


subscribers = st.builds(
    Subscriber, public_id=st.uuids(), confirmation_nonce=st.uuids(), email=st.just("ada@x.org")
)


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_is_read_back(purpose):
    ada, _ben = factories.subscriber(), factories.subscriber()

    assert links.read_token(purpose, links.signed_token(purpose, ada)) == ada


@given(subscribers, st.sampled_from(list(permutations(Purpose, 2))))
def test_a_token_is_valid_for_its_purpose_only(subscriber, purposes):
    purpose, other_purpose = purposes
    token = links.signed_token(purpose, subscriber)

    with pytest.raises(links.InvalidLinkError) as caught:
        links.unsign_token(other_purpose, token)

    assert type(caught.value) is links.InvalidLinkError


@given(subscribers, st.sampled_from(Purpose), st.data())
def test_a_token_with_one_character_changed_is_refused(subscriber, purpose, data):
    token = links.signed_token(purpose, subscriber)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(
        st.characters(codec="ascii").filter(lambda character: character != token[place])
    )

    with pytest.raises(links.InvalidLinkError):
        links.unsign_token(purpose, token[:place] + other + token[place + 1 :])


@given(st.text() | st.text(st.characters(codec="ascii")), st.sampled_from(Purpose))
def test_any_other_text_is_refused(token, purpose):
    with pytest.raises(links.InvalidLinkError):
        links.unsign_token(purpose, token)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "x", "a.b", "a.b.c", "x" * 10_000, ADA, "\x00", "tökén", "\ud800"],
)
@pytest.mark.parametrize("purpose", Purpose)
def test_a_hostile_token_is_refused_without_a_query(purpose, token, django_assert_num_queries):
    with pytest.raises(links.InvalidLinkError), django_assert_num_queries(0):
        links.read_token(purpose, token)


@given(subscribers, st.sampled_from(Purpose))
def test_a_token_is_short_and_url_safe(subscriber, purpose):
    token = links.signed_token(purpose, subscriber)

    assert len(token) <= 94
    assert reverse(f"subscribers:{purpose}", args=[token]) == f"/{purpose}/{token}/"
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_link_is_an_absolute_url_of_its_page(settings):
    settings.SITE_URL = "https://papers.example.org"
    ada = unsaved_subscriber()

    url = links.signed_url(Purpose.UNSUBSCRIBE, ada)

    token = links.signed_token(Purpose.UNSUBSCRIBE, ada)
    assert url == f"https://papers.example.org/unsubscribe/{token}/"
    match = resolve(url.removeprefix("https://papers.example.org"))
    assert (match.view_name, match.kwargs) == ("subscribers:unsubscribe", {"token": token})


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
def test_a_link_works_until_it_expires(purpose, lifetime):
    ada = factories.subscriber()
    midnight = datetime(2026, 5, 12, tzinfo=UTC)
    with time_machine.travel(midnight, tick=False):
        token = links.signed_token(purpose, ada)

    with time_machine.travel(midnight + lifetime, tick=False):
        assert links.read_token(purpose, token) == ada
    expired = time_machine.travel(midnight + lifetime + SECOND, tick=False)
    with expired, pytest.raises(links.ExpiredLinkError):
        links.read_token(purpose, token)


@pytest.mark.django_db
def test_an_unsubscribe_link_never_expires():
    ada = factories.subscriber()
    with time_machine.travel(NOW):
        token = links.signed_token(Purpose.UNSUBSCRIBE, ada)

    with time_machine.travel(NOW + timedelta(days=20 * 365)):
        assert links.read_token(Purpose.UNSUBSCRIBE, token) == ada


@pytest.mark.parametrize("purpose", [Purpose.PREFERENCES, Purpose.UNSUBSCRIBE, Purpose.FEEDBACK])
def test_links_of_a_digest_are_the_same_all_day(purpose):
    ada = unsaved_subscriber()

    with time_machine.travel(datetime(2026, 5, 12, 0, 0, tzinfo=UTC)):
        first = links.signed_url(purpose, ada)
    with time_machine.travel(datetime(2026, 5, 12, 23, 59, tzinfo=UTC)):
        second = links.signed_url(purpose, ada)

    assert first == second


@given(st.text(), st.sampled_from(["secret", "another"]))
def test_the_cached_signer_signs_like_django_s(text, key):
    cached = links.CachedKeySigner(key=key, salt="subscribers.links.feedback", sep=".")
    django = Signer(key=key, salt="subscribers.links.feedback", sep=".")

    assert cached.sign(text) == django.sign(text)
    assert cached.unsign(django.sign(text)) == text


@given(subscribers, st.binary(max_size=9))
def test_a_payload_is_read_back_unchanged(subscriber, payload):
    token = links.signed_token(Purpose.FEEDBACK, subscriber, payload)

    assert links.unsign_token(Purpose.FEEDBACK, token) == subscriber.public_id.bytes + payload
    assert len(token) <= 94


@pytest.mark.django_db
def test_a_confirmation_link_works_once():
    ada = factories.subscriber(status=Subscriber.Status.PENDING)
    token = links.signed_token(Purpose.CONFIRM, ada)

    lifecycle.confirm(ada, NOW)

    with pytest.raises(links.UsedLinkError) as caught:
        links.read_token(Purpose.CONFIRM, token)
    assert caught.value.subscriber == ada


@pytest.mark.django_db
def test_leaving_invalidates_the_confirmation_link():
    ada = factories.subscriber(status=Subscriber.Status.PENDING)
    token = links.signed_token(Purpose.CONFIRM, ada)

    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW)

    with pytest.raises(links.UsedLinkError):
        links.read_token(Purpose.CONFIRM, token)


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_of_an_erased_subscriber_is_recognised(purpose):
    ada = factories.subscriber()
    token = links.signed_token(purpose, ada)

    ada.delete()

    with pytest.raises(links.UnknownSubscriberError):
        links.read_token(purpose, token)


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", Purpose)
def test_tokens_survive_a_key_change_while_the_old_key_is_a_fallback(purpose, settings):
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
def test_an_expired_link_identifies_the_subscriber_for_a_new_one(purpose):
    ada = factories.subscriber()
    with time_machine.travel(NOW - timedelta(days=3_000), tick=False):
        token = links.signed_token(purpose, ada)

    with time_machine.travel(NOW, tick=False):
        assert links.subscriber_for_renewal(token) == ada
        with pytest.raises(links.ExpiredLinkError):
            links.read_token(purpose, token)


@pytest.mark.django_db
def test_an_unsubscribe_link_cannot_request_a_new_link():
    token = links.signed_token(Purpose.UNSUBSCRIBE, factories.subscriber())

    with pytest.raises(links.InvalidLinkError):
        links.subscriber_for_renewal(token)


@given(st.text() | st.text(st.characters(codec="ascii")))
def test_any_other_text_cannot_request_a_new_link(token):
    with pytest.raises(links.InvalidLinkError):
        links.subscriber_for_renewal(token)


@given(subscribers, st.sampled_from(Purpose), st.sampled_from(FormKind))
def test_form_tokens_and_links_are_not_interchangeable(subscriber, purpose, form):
    with pytest.raises(links.InvalidLinkError):
        links.unsign_token(purpose, abuse_protection.form_token(form))
    with pytest.raises(abuse_protection.ResubmitRequiredError):
        abuse_protection.read_form_token(
            links.signed_token(purpose, subscriber), honeypot="", ip=""
        )
