"""newsletter/delivery/schedule.py"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from newsletter.delivery import schedule
from newsletter.editions import coverage
from newsletter.models import Delivery, Edition
from subscribers.models import Preferences, Subscriber
from tests import factories

pytestmark = pytest.mark.django_db

SEVEN = datetime(2026, 5, 12, 7, 0, tzinfo=UTC)


def due_reader(*, at: datetime = SEVEN, **fields: Any) -> Subscriber:
    return factories.subscriber(next_digest_at=at, **fields)


def test_a_reader_who_is_due_gets_a_delivery_of_today_s_edition() -> None:
    edition, reader = factories.edition(), due_reader()

    counts = schedule.open_due(now=SEVEN)

    [delivery] = Delivery.objects.all()
    assert counts == {"opened": 1}
    assert (delivery.edition, delivery.subscriber) == (edition, reader)
    assert delivery.state == Delivery.State.PENDING
    assert delivery.local_date == date(2026, 5, 12)
    assert delivery.expires_at == SEVEN + timedelta(hours=12)


def test_opening_sets_the_reader_s_next_time() -> None:
    factories.edition()
    reader = due_reader()

    schedule.open_due(now=SEVEN + timedelta(minutes=3))

    reader.refresh_from_db()
    assert reader.next_digest_at == SEVEN + timedelta(days=1)
    assert reader.last_digest_on == date(2026, 5, 12)


def test_a_second_tick_opens_nothing() -> None:
    edition = factories.edition()
    due_reader()

    schedule.open_due(now=SEVEN)
    counts = schedule.open_due(now=SEVEN)

    edition.refresh_from_db()
    assert counts == {}
    assert edition.opened == Delivery.objects.count() == 1


@pytest.mark.parametrize("status", sorted(set(Subscriber.Status) - {Subscriber.Status.ACTIVE}))
def test_a_reader_who_is_not_active_gets_no_delivery(status: str) -> None:
    edition = factories.edition()
    factories.subscriber(status=status)

    assert schedule.open_unscheduled(edition, now=SEVEN) == []


def test_a_reader_who_is_not_due_yet_waits() -> None:
    factories.edition()
    due_reader(at=SEVEN + timedelta(minutes=1))

    assert schedule.open_due(now=SEVEN) == {}


def test_a_reader_in_tokyo_gets_the_utc_day_s_edition_on_the_next_local_date() -> None:
    factories.edition()
    due_reader(at=datetime(2026, 5, 12, 22, 0, tzinfo=UTC), preferences={"timezone": "Asia/Tokyo"})

    schedule.open_due(now=datetime(2026, 5, 12, 22, 0, tzinfo=UTC))

    assert Delivery.objects.get().local_date == date(2026, 5, 13)


def test_due_readers_wait_for_an_edition_that_is_late() -> None:
    reader = due_reader()

    assert schedule.open_due(now=SEVEN + timedelta(hours=2)) == {}
    reader.refresh_from_db()
    assert reader.next_digest_at == SEVEN

    factories.edition(published_at=SEVEN + timedelta(hours=3))
    assert schedule.open_due(now=SEVEN + timedelta(hours=3)) == {"opened": 1}


def test_a_day_without_an_edition_is_counted_as_missed() -> None:
    reader = due_reader()

    counts = schedule.open_due(now=SEVEN + timedelta(hours=13))

    reader.refresh_from_db()
    assert counts == {"missed": 1}
    assert reader.next_digest_at == SEVEN + timedelta(days=1)


def test_yesterday_s_edition_is_not_sent_today() -> None:
    factories.edition(day=date(2026, 5, 11))
    due_reader()

    assert schedule.open_due(now=SEVEN) == {}


def test_an_edition_of_a_past_date_published_now_is_not_sent() -> None:
    factories.edition(day=date(2026, 4, 1), published_at=SEVEN)
    due_reader()

    assert schedule.open_due(now=SEVEN) == {}


def test_after_a_short_outage_the_edition_is_still_sent() -> None:
    factories.edition()
    due_reader()

    assert schedule.open_due(now=SEVEN + timedelta(hours=11)) == {"opened": 1}


def test_after_a_long_outage_late_deliveries_expire_and_today_s_is_opened() -> None:
    yesterday, today = factories.edition(day=date(2026, 5, 11)), factories.edition()
    reader = due_reader(at=SEVEN - timedelta(days=1))

    counts = schedule.open_due(now=SEVEN + timedelta(hours=3))
    counts += schedule.open_due(now=SEVEN + timedelta(hours=3))

    states = {row.edition: row.state for row in reader.deliveries.select_related("edition")}
    assert counts == {"expired": 1, "opened": 1}
    assert states == {yesterday: Delivery.State.EXPIRED, today: Delivery.State.PENDING}


def test_a_reader_who_moves_west_does_not_get_the_same_edition_again() -> None:
    factories.edition()
    reader = due_reader()
    schedule.open_due(now=SEVEN)

    Subscriber.objects.update(next_digest_at=SEVEN + timedelta(hours=9), last_digest_on=None)
    counts = schedule.open_due(now=SEVEN + timedelta(hours=9))

    assert counts == {}
    assert reader.deliveries.count() == 1


def test_a_local_date_has_at_most_one_digest_even_with_a_new_edition() -> None:
    factories.edition(day=date(2026, 5, 11), published_at=SEVEN - timedelta(hours=20))
    reader = due_reader()
    Delivery.objects.all().delete()
    factories.delivery(
        edition=Edition.objects.get(), subscriber=reader, local_date=date(2026, 5, 12)
    )
    factories.edition()

    counts = schedule.open_due(now=SEVEN)

    assert counts == {}
    assert reader.deliveries.count() == 1


def test_a_first_daily_digest_holds_today_s_edition_only() -> None:
    factories.edition()
    due_reader()

    schedule.open_due(now=SEVEN)

    assert Delivery.objects.get().after == date(2026, 5, 11)


def test_a_first_weekly_digest_holds_a_week() -> None:
    factories.edition()
    due_reader(preferences={"frequency": Preferences.Frequency.WEEKLY, "weekday": 1})

    schedule.open_due(now=SEVEN)

    assert Delivery.objects.get().after == date(2026, 5, 5)


def test_a_digest_covers_the_editions_since_the_last_one() -> None:
    earlier, _ = factories.edition(day=date(2026, 5, 9)), factories.edition()
    reader = due_reader(preferences={"frequency": Preferences.Frequency.WEEKDAYS})
    factories.delivery(edition=earlier, subscriber=reader, local_date=date(2026, 5, 9))

    schedule.open_due(now=SEVEN)

    assert reader.deliveries.latest("pk").after == date(2026, 5, 9)


@pytest.mark.parametrize("state", sorted(set(Delivery.State) - coverage.COUNTED_STATES))
def test_a_delivery_that_never_reached_the_reader_does_not_count_as_the_last_one(
    state: str,
) -> None:
    earlier, _ = factories.edition(day=date(2026, 5, 10)), factories.edition()
    reader = due_reader()
    factories.delivery(
        edition=earlier, subscriber=reader, state=state, settled_at=SEVEN, attempted_at=SEVEN
    )

    schedule.open_due(now=SEVEN)

    assert reader.deliveries.latest("pk").after == date(2026, 5, 11)


@pytest.mark.parametrize(
    "reason", [Delivery.CancellationReason.TOO_FEW, Delivery.CancellationReason.PAUSED]
)
def test_papers_that_were_too_few_or_fell_in_a_pause_are_in_the_next_digest(reason: str) -> None:
    reader = due_reader()
    days = [factories.TODAY - timedelta(days=age) for age in (4, 3, 2, 1, 0)]
    editions = [factories.edition(day=day) for day in days]
    states = [
        (Delivery.State.HANDED_OVER, ""),
        (Delivery.State.CANCELLED, reason),
        (Delivery.State.CANCELLED, reason),
        (Delivery.State.CANCELLED, reason),
    ]
    for edition, (state, cancelled) in zip(editions, states, strict=False):
        factories.delivery(
            edition=edition,
            subscriber=reader,
            state=state,
            reason=cancelled,
            attempted_at=None if cancelled else SEVEN,
            after=days[0] if cancelled else days[0] - timedelta(days=1),
        )

    schedule.open_due(now=SEVEN)

    assert Delivery.objects.get(edition=editions[-1]).after == days[0]


def test_a_reader_who_pauses_is_due_again_on_the_day_the_pause_ends() -> None:
    factories.edition()
    reader = due_reader(preferences={"paused_until": date(2026, 6, 1), "hour": 7})

    schedule.open_due(now=SEVEN)

    reader.refresh_from_db()
    assert reader.next_digest_at == datetime(2026, 6, 1, 7, tzinfo=UTC)


def test_opening_by_hand_serves_each_reader_once_whatever_their_hour() -> None:
    edition = factories.edition()
    due_reader()
    factories.subscriber(next_digest_at=None)

    first = schedule.open_unscheduled(edition, now=SEVEN)
    second = schedule.open_unscheduled(edition, now=SEVEN)

    edition.refresh_from_db()
    assert (len(first), len(second), edition.opened) == (2, 0, 2)


def test_opening_by_hand_can_be_for_one_reader() -> None:
    edition, reader = factories.edition(), factories.subscriber()
    factories.subscriber()

    [delivery] = schedule.open_unscheduled(edition, now=SEVEN, subscriber_ids=[reader.pk])

    assert delivery.subscriber == reader


@pytest.mark.parametrize("readers", [1, 3])
def test_opening_costs_the_same_queries_for_any_number(
    readers: int, django_assert_num_queries: Any
) -> None:
    factories.edition()
    for _ in range(readers):
        due_reader()

    # edition, BEGIN, due, served, dates, last, suppressed, insert, opened, readers, COMMIT
    with django_assert_num_queries(11):
        schedule.open_due(now=SEVEN)


def test_readers_beyond_the_first_page_are_opened_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "READER_PAGE_SIZE", 2)
    factories.edition()
    for _ in range(5):
        due_reader()

    assert schedule.open_due(now=SEVEN) == {"opened": 5}


def test_a_reader_due_at_publishing_time_never_misses_an_edition() -> None:
    four = datetime(2026, 5, 11, 4, 0, tzinfo=UTC)
    factories.edition(day=four.date(), published_at=four + timedelta(seconds=50))
    reader = due_reader(at=four, preferences={"hour": 4})
    schedule.open_due(now=four + timedelta(seconds=50))

    # The next day's first tick comes before that day's edition is published.
    next_day = four + timedelta(days=1)
    assert schedule.open_due(now=next_day + timedelta(seconds=10)) == {}
    factories.edition(day=next_day.date(), published_at=next_day + timedelta(seconds=50))

    assert schedule.open_due(now=next_day + timedelta(minutes=1)) == {"opened": 1}
    assert reader.deliveries.count() == 2


def test_an_unknown_time_zone_does_not_block_other_readers() -> None:
    factories.edition()
    due_reader(preferences={"timezone": "Mars/Olympus_Mons"})
    due_reader()

    assert schedule.open_due(now=SEVEN) == {"opened": 2}


def test_saving_preferences_while_the_edition_is_late_does_not_lose_the_day() -> None:
    reader = due_reader()

    reader.reschedule_digest(SEVEN + timedelta(hours=2))
    factories.edition(published_at=SEVEN + timedelta(hours=3))

    assert schedule.open_due(now=SEVEN + timedelta(hours=3)) == {"opened": 1}
