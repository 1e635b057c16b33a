"""subscribers/send_time.py"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscribers import send_time

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC)
EVERY_DAY = frozenset(range(7))

# Half an hour of summer time, quarter-hour offsets, changes at midnight and before it, both
# hemispheres, no changes, a skipped day (Apia, 2011), and the largest offsets from UTC.
ODD_ZONES = [
    "America/Havana",
    "America/Nuuk",
    "America/New_York",
    "America/St_Johns",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Niue",
    "UTC",
]
zones = st.sampled_from(ODD_ZONES).map(ZoneInfo) | st.sampled_from(
    sorted(send_time.timezone_names())
).map(ZoneInfo)
hours = st.integers(0, 23)
days_of_the_week = st.frozensets(st.integers(0, 6), min_size=1)


def moments(zone: ZoneInfo) -> st.SearchStrategy[datetime]:
    """Generate any time of 2024 to 2032, half of them within a day of a change of the clock."""
    minutes = (END - START) // MINUTE
    anywhere = st.integers(0, minutes).map(lambda after: START + after * MINUTE)
    if not (changes := clock_changes(zone)):
        return anywhere
    shifts = st.integers(-24 * 60, 24 * 60).map(lambda minutes: minutes * MINUTE)
    return anywhere | st.builds(
        lambda change, shift: change + shift, st.sampled_from(changes), shifts
    )


@cache
def clock_changes(zone: ZoneInfo) -> list[datetime]:
    """Return the noons from 2024 to 2032 whose UTC offset differs from the day before."""
    noons = [START + DAY / 2 + days * DAY for days in range((END - START) // DAY)]
    offsets = [noon.astimezone(zone).utcoffset() for noon in noons]
    return [
        noon
        for noon, before, after in zip(noons[1:], offsets, offsets[1:], strict=False)
        if before != after
    ]


def first_minute_showing(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """Return the first minute whose local time is at or after the hour, by checking each minute."""
    wall_time = datetime.combine(day, time(hour))
    instant = wall_time.replace(tzinfo=UTC) - timedelta(hours=26)
    for step in (timedelta(minutes=15), MINUTE):
        while instant.astimezone(zone).replace(tzinfo=None) < wall_time:
            instant += step
        instant -= step
    return instant + MINUTE


cases = zones.flatmap(lambda zone: st.tuples(st.just(zone), moments(zone)))


@given(cases, hours, days_of_the_week)
@example((ZoneInfo("America/Nuuk"), datetime(2026, 3, 28, 20, tzinfo=UTC)), 23, EVERY_DAY)
@example((ZoneInfo("Pacific/Apia"), datetime(2011, 12, 30, 9, tzinfo=UTC)), 7, EVERY_DAY)
def test_next_digest_is_the_first_slot_that_is_not_over(case, hour, days):
    zone, after = case

    start = send_time.next_digest_at(hour=hour, zone=zone, weekdays=days, after=after)

    first = after.astimezone(zone).date() - 2 * DAY
    slots = (first_minute_showing(first + n * DAY, hour, zone) for n in range(11))
    expected = (
        slot
        for n, slot in enumerate(slots)
        if (first + n * DAY).weekday() in days and slot + send_time.HOUR_SLOT > after
    )
    assert start == next(expected)


@given(cases, hours, days_of_the_week)
def test_next_digest_is_at_the_chosen_hour_or_right_after_a_gap(case, hour, days):
    zone, after = case

    start = send_time.next_digest_at(hour=hour, zone=zone, weekdays=days, after=after)

    shown, before = start.astimezone(zone), (start - MINUTE).astimezone(zone)
    skipped = shown.replace(tzinfo=None) - before.replace(tzinfo=None) > MINUTE
    assert (shown.hour, shown.minute) == (hour, 0) or skipped


@given(cases, hours, days_of_the_week)
@example((ZoneInfo("America/Nuuk"), datetime(2026, 3, 28, 20, tzinfo=UTC)), 23, EVERY_DAY)
@example((ZoneInfo("Pacific/Apia"), datetime(2011, 12, 28, 20, tzinfo=UTC)), 7, EVERY_DAY)
def test_consecutive_digests_have_different_local_dates(case, hour, days):
    zone, after = case

    dates: list[date] = []
    start = send_time.next_digest_at(hour=hour, zone=zone, weekdays=days, after=after)
    for _ in range(5):
        dates.append(start.astimezone(zone).date())
        start = send_time.next_digest_at(
            hour=hour, zone=zone, weekdays=days, after=start, last_digest_date=dates[-1]
        )

    assert dates == sorted(set(dates))


@given(cases, hours, st.dates(date(2024, 1, 1), date(2032, 12, 31)))
def test_next_digest_is_after_the_date_of_the_last_one(case, hour, last):
    zone, after = case

    start = send_time.next_digest_at(
        hour=hour, zone=zone, weekdays=EVERY_DAY, after=after, last_digest_date=last
    )

    assert start.astimezone(zone).date() > last


@given(cases, hours, days_of_the_week, st.integers(-40, 400))
@example((ZoneInfo("Pacific/Apia"), datetime(2011, 12, 20, 9, tzinfo=UTC)), 7, EVERY_DAY, 10)
@example((ZoneInfo("Africa/Cairo"), datetime(2026, 4, 20, 9, tzinfo=UTC)), 0, EVERY_DAY, 4)
def test_next_digest_is_on_a_chosen_weekday_and_after_the_pause(case, hour, days, ahead):
    zone, after = case
    until = after.astimezone(zone).date() + ahead * DAY

    start = send_time.next_digest_at(
        hour=hour, zone=zone, weekdays=days, after=after, not_before=until
    )

    # At the chosen hour or, if the clock skips it, at the first time after the gap.
    shown = start.astimezone(zone)
    day = next(
        day
        for day in (shown.date() - n * DAY for n in range(3))
        if send_time.resolve_local_hour(day, hour, zone) == start
    )
    wall_time = datetime.combine(day, time(hour))
    instant = wall_time.replace(tzinfo=zone).astimezone(UTC)
    shown_time = shown.replace(tzinfo=None)
    if instant.astimezone(zone).replace(tzinfo=None) == wall_time:
        assert shown_time == wall_time
    else:
        assert shown_time > wall_time
    assert day.weekday() in days
    assert day >= until
    assert start + send_time.HOUR_SLOT > after
    # No earlier day qualifies.
    assert not [
        earlier
        for earlier in (day - n * DAY for n in range(1, 8))
        if earlier.weekday() in days
        and earlier >= until
        and send_time.resolve_local_hour(earlier, hour, zone) + send_time.HOUR_SLOT > after
    ]


def test_digests_resume_on_the_first_chosen_weekday_after_a_pause():
    start = send_time.next_digest_at(
        hour=7,
        zone=ZoneInfo("Europe/Berlin"),
        weekdays=frozenset({0, 1, 2, 3, 4}),
        after=datetime(2026, 5, 12, 6, tzinfo=UTC),
        not_before=date(2026, 6, 6),  # a Saturday
    )

    assert start == datetime(2026, 6, 8, 5, tzinfo=UTC)


@pytest.mark.parametrize("minute", [0, 20, 59], ids=["at the start", "within", "at the end"])
def test_a_running_slot_is_the_next_digest(minute):
    after = datetime(2026, 5, 12, 7, minute, 59, tzinfo=UTC)

    start = send_time.next_digest_at(hour=7, zone=ZoneInfo("UTC"), weekdays=EVERY_DAY, after=after)

    assert start == datetime(2026, 5, 12, 7, tzinfo=UTC)


def test_after_todays_slot_the_next_digest_is_tomorrow():
    after = datetime(2026, 5, 12, 8, tzinfo=UTC)

    start = send_time.next_digest_at(hour=7, zone=ZoneInfo("UTC"), weekdays=EVERY_DAY, after=after)

    assert start == datetime(2026, 5, 13, 7, tzinfo=UTC)


def test_yesterdays_slot_may_still_run_after_midnight():
    after = datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )  # 0:30 on Sunday; on Saturday 23:00 was skipped
    zone = ZoneInfo("America/Nuuk")

    start = send_time.next_digest_at(hour=23, zone=zone, weekdays={5}, after=after)

    assert start == datetime(2026, 3, 29, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "hour", "instant"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 2, datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 10, 25), 2, datetime(2026, 10, 25, 0, tzinfo=UTC)),
        ("Australia/Lord_Howe", date(2026, 10, 4), 2, datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
        ("Africa/Cairo", date(2026, 4, 24), 0, datetime(2026, 4, 23, 22, tzinfo=UTC)),
        ("Pacific/Apia", date(2011, 12, 30), 7, datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
    ids=["skipped", "repeated", "half skipped", "midnight skipped", "day skipped"],
)
def test_skipped_and_repeated_hours_are_resolved(zone, day, hour, instant):
    assert send_time.resolve_local_hour(day, hour, ZoneInfo(zone)) == instant


def test_an_empty_set_of_weekdays_is_an_error():
    with pytest.raises(ValueError, match="must not be empty"):
        send_time.next_digest_at(
            hour=7,
            zone=ZoneInfo("UTC"),
            weekdays=frozenset(),
            after=datetime(2026, 5, 12, tzinfo=UTC),
        )


def test_every_listed_time_zone_can_be_loaded():
    assert {ZoneInfo(name).key for name in send_time.timezone_names()} == send_time.timezone_names()
    assert "Factory" not in send_time.timezone_names()
