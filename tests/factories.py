"""Build rows for tests: plain functions with plain defaults, so a test states only its subject."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from newsletter.models import Batch, Delivery, Edition, Entry
from papers import identity
from papers.models import Paper, Reading, Topic
from subscribers.models import Preferences, Subscriber, Vote
from subscribers.signup import abuse_protection
from subscribers.signup.consent import FormKind

# A Tuesday morning in UTC: "now" wherever the moment does not matter.
NOW = datetime(2026, 5, 12, 6, 0, tzinfo=UTC)
TODAY = NOW.date()

_numbers = itertools.count(1)


def topic(slug: str = "robotics", **fields: Any) -> Topic:
    name = fields.pop("name", slug.replace("-", " ").capitalize())
    return Topic.objects.get_or_create(slug=slug, defaults={"name": name, **fields})[0]


def paper(*, topics: Iterable[str] = (), upvotes: int | None = None, **fields: Any) -> Paper:
    """Create a paper listed yesterday; with `upvotes`, also one reading of them."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "arxiv_id": f"2605.{number:05d}",
        "title": f"A study of things, part {number}",
        "abstract": "We study things. The results are good.",
        "authors": ["Ada Lovelace", "Émilie du Châtelet"],
        "published_on": TODAY - timedelta(days=2),
        "listed_on": TODAY - timedelta(days=1),
    }
    values = defaults | fields
    values.setdefault("identity", values["arxiv_id"] or values.get("doi") or f"title-{number}")
    values.setdefault("title_key", identity.title_key(values["title"]))
    values.setdefault("sort_date", values["listed_on"] or values["published_on"])
    paper = Paper.objects.create(**values)
    paper.topics.set([topic(slug) for slug in topics])
    if upvotes is not None:
        reading(paper=paper, value=upvotes)
    return paper


def reading(*, paper: Paper, value: int = 10, **fields: Any) -> Reading:
    defaults: dict[str, Any] = {
        "source": Reading.Metric.HUGGINGFACE_UPVOTES,
        "observed_at": NOW - timedelta(hours=3),
    }
    return Reading.objects.create(paper=paper, value=value, **defaults | fields)


def subscriber(
    *,
    email: str | None = None,
    topics: Iterable[str] = (),
    status: str = Subscriber.Status.ACTIVE,
    attitudes: Mapping[str, str] | None = None,
    follows: Iterable[tuple[str, str, str]] = (),
    preferences: dict[str, Any] | None = None,
    **fields: Any,
) -> Subscriber:
    """Create an active reader in UTC whose digest is due at 7.

    `attitudes` are by topic slug; `follows` are kind, key and label.
    """
    defaults: dict[str, Any] = {"email": email or f"reader{next(_numbers)}@example.org"}
    if status == Subscriber.Status.ACTIVE:
        defaults["confirmed_at"] = NOW - timedelta(days=30)
    if status == Subscriber.Status.LEFT:
        defaults |= {
            "left_at": NOW - timedelta(days=1),
            "left_reason": Subscriber.LeftReason.UNSUBSCRIBED,
        }
    subscriber = Subscriber.objects.create(status=status, **defaults | fields)
    row = Preferences.objects.create(subscriber=subscriber, **preferences or {})
    row.topics.set([topic(slug) for slug in topics])
    for slug, attitude in (attitudes or {}).items():
        row.topic_choices.create(topic=topic(slug), attitude=attitude)
    for kind, key, label in follows:
        subscriber.follows.create(kind=kind, key=key, label=label)
    return subscriber


def signup_form_data(
    email: str = "ada@example.org", *, form: FormKind = FormKind.PAGE, **fields: Any
) -> dict[str, Any]:
    """Return the fields that a browser posts from our form after a plausible time."""
    return {"email": email, "seal": abuse_protection.form_token(form, skip_min_age=True), **fields}


def vote(subscriber: Subscriber, paper: Paper, verb: str = "more") -> Vote:
    return Vote.objects.create(subscriber=subscriber, paper=paper, verb=verb, at=NOW)


def edition(*, day: date = TODAY, papers: Iterable[Paper] = (), **fields: Any) -> Edition:
    """Create an edition of the given papers, in that order."""
    published_at = fields.pop("published_at", datetime(day.year, day.month, day.day, 4, tzinfo=UTC))
    edition = Edition.objects.create(date=day, published_at=published_at, **fields)
    for rank, ranked_paper in enumerate(papers, start=1):
        entry(edition=edition, paper=ranked_paper, rank=rank)
    return edition


def entry(*, edition: Edition, paper: Paper, rank: int = 1, **fields: Any) -> Entry:
    defaults: dict[str, Any] = {
        "score": 10.0 / rank,
        "upvotes": 100 - rank,
        "gain": None,
        "topic_ranks": dict.fromkeys(paper.topics.values_list("slug", flat=True), rank),
    }
    return Entry.objects.create(edition=edition, paper=paper, rank=rank, **defaults | fields)


def delivery(*, edition: Edition, subscriber: Subscriber, **fields: Any) -> Delivery:
    """Create a delivery as opening does: pending, good for half a day, counted by its edition."""
    defaults: dict[str, Any] = {
        "opened_at": NOW,
        "expires_at": NOW + timedelta(hours=12),
        "after": edition.date - timedelta(days=1),
    }
    Edition.objects.filter(pk=edition.pk).update(opened=F("opened") + 1)
    return Delivery.objects.create(edition=edition, subscriber=subscriber, **defaults | fields)


def login_operator(client: Client) -> Client:
    """Log in an operator with a second factor; without a password, for hashing one is slow."""
    users = get_user_model().objects
    operator = users.create(username="operator", is_staff=True, is_superuser=True)
    device = TOTPDevice.objects.create(user=operator)
    client.force_login(operator, "django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    return client


def batch(*, edition: Edition, **fields: Any) -> Batch:
    return Batch.objects.create(edition=edition, **{"provider": "file", "claimed_at": NOW} | fields)
