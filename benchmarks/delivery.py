"""Measure the delivery of an edition, step by step, against a plain loop of send_mail.

The plain loop sends the same ready-made text and HTML to every address: it selects and renders
nothing, keeps no record and cannot be resumed. Seconds depend on the machine; compare the ratio.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from unittest.mock import patch
from uuid import UUID

from django.core import mail
from django.core.mail import EmailMultiAlternatives, send_mail
from django.db import connection
from django.test import override_settings
from rich.console import Console
from rich.table import Table

import benchmarks
from newsletter.delivery import claiming, handover, providers, schedule
from newsletter.digest import rendering
from newsletter.models import Delivery, Edition, Entry
from papers.models import Paper, Topic
from papers.topics import sync
from subscribers.mail.outcomes import Outcome, OutcomeKind
from subscribers.models import Preferences, Subscriber

READER_COUNT, PAPER_COUNT = 2_000, 60
NOW = datetime(2026, 5, 12, 6, tzinfo=UTC)
OPEN, CLAIM, RENDER, HAND_OVER, PLAIN_LOOP = "open", "claim", "render", "hand over", "plain"
MAILBOX_BACKEND = "newsletter.delivery.mailbox.EmailBackend"
# The plain loop's backends: one file per message, or a list. Both build each message in full.
PLAIN_LOOP_BACKENDS = {
    "file": "django.core.mail.backends.filebased.EmailBackend",
    "memory": "django.core.mail.backends.locmem.EmailBackend",
}


class InMemoryProvider:
    """A provider that accepts every message at once, so that only our own work is measured."""

    messages_per_call = 1

    def __init__(self) -> None:
        self.sent_messages: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def send(
        self, messages: Sequence[EmailMultiAlternatives], *, idempotency_key: UUID
    ) -> list[Outcome]:
        self.sent_messages += [message.message().as_bytes() for message in messages]
        return [Outcome(kind=OutcomeKind.HANDED_OVER) for _ in messages]


class StepTimings:
    """Collects seconds and queries by step."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.queries: defaultdict[str, int] = defaultdict(int)

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the seconds and queries of the block to a step."""
        queries = benchmarks.QueryCounter()
        start = time.perf_counter()
        with queries.counting():
            yield
        self.seconds[step] += time.perf_counter() - start
        self.queries[step] += queries.count


def fixed_clock() -> datetime:
    return NOW


def make_edition() -> Edition:
    """Create an edition of PAPER_COUNT papers, each in three topics."""
    sync.sync_topics()
    topics = list(Topic.objects.order_by("pk"))
    edition = Edition.objects.create(date=NOW.date(), published_at=NOW - timedelta(hours=2))
    for number in range(PAPER_COUNT):
        paper_topics = [topics[(number + step) % len(topics)] for step in (0, 7, 19)]
        paper = Paper.objects.create(
            identity=f"2605.{number:05d}",
            arxiv_id=f"2605.{number:05d}",
            title=f"A study of things & their parts, number {number}",
            abstract="We study things. The results are good. " * 30,
            authors=[f"Ada Lovelace {author}" for author in range(6)],
            published_on=NOW.date(),
            listed_on=NOW.date(),
            sort_date=NOW.date(),
        )
        Entry.objects.create(
            edition=edition,
            paper=paper,
            rank=number + 1,
            score=100 - number,
            upvotes=100 - number,
            topic_ranks={topic.slug: 1 for topic in paper_topics},
        )
    return edition


def make_readers() -> None:
    """Create READER_COUNT active readers who are due, each with three topics."""
    fields = {"status": Subscriber.Status.ACTIVE, "confirmed_at": NOW - timedelta(days=30)}
    Subscriber.objects.bulk_create(
        Subscriber(email=f"reader{number}@example.org", next_digest_at=NOW, **fields)
        for number in range(READER_COUNT)
    )
    readers = Subscriber.objects.order_by("pk")
    preferences = Preferences.objects.bulk_create(
        Preferences(subscriber=reader) for reader in readers
    )
    topics = list(Topic.objects.order_by("pk"))
    link = Preferences.topics.through
    link.objects.bulk_create(
        link(preferences=row, topic=topics[(number * 3 + step) % len(topics)])
        for number, row in enumerate(preferences)
        for step in (0, 5, 11)
    )


def send_all(edition: Edition, steps: StepTimings) -> EmailMultiAlternatives:
    """Run every step for every reader; return one of the messages."""
    with steps.measure(OPEN):
        schedule.open_due(now=NOW, edition=edition)
    renderer = rendering.Renderer(edition)
    counts: Counter[str] = Counter()
    messages: list[EmailMultiAlternatives] = []
    while True:
        with steps.measure(CLAIM):
            batch = claiming.claim(
                edition, renderer, limit=handover.BATCH_SIZE, now=NOW, counts=counts
            )
        if batch is None:
            break
        # Rendered once more than needed, to measure it apart: handing over renders by itself.
        with steps.measure(RENDER):
            messages = [
                renderer.message(
                    claimed.delivery, claimed.subscriber, claimed.interests, claimed.papers
                )
                for claimed in batch.deliveries
            ]
        with steps.measure(HAND_OVER):
            handover.hand_over(batch, renderer, clock=fixed_clock, counts=counts)
    handed_over = Delivery.objects.filter(state=Delivery.State.HANDED_OVER).count()
    assert handed_over == READER_COUNT, f"{handed_over} of {READER_COUNT} handed over: {counts}"
    return messages[0]


def run_plain_loop(message: EmailMultiAlternatives) -> None:
    """Send a ready-made message to every reader with Django's send_mail."""
    (html, _), *_ = message.alternatives
    for number in range(READER_COUNT):
        send_mail(
            str(message.subject),
            str(message.body),
            None,
            [f"reader{number}@example.org"],
            html_message=str(html),
        )


def measure_provider(provider: str, folder: str) -> tuple[StepTimings, float]:
    """Deliver to a provider, then run the plain loop; return the timings and the peak memory in MB."""
    steps = StepTimings()
    folders = {"MAILBOX_DIR": Path(folder) / "ours", "EMAIL_FILE_PATH": f"{folder}/plain"}
    with (
        benchmarks.empty_database(),
        override_settings(EMAIL_PROVIDER=provider, EMAIL_BACKEND=MAILBOX_BACKEND, **folders),
        patch.dict(providers.PROVIDERS, {"memory": InMemoryProvider}),
    ):
        edition = make_edition()
        make_readers()
        message = send_all(edition, steps)
        memory = peak_memory_mb()
        with (
            override_settings(EMAIL_BACKEND=PLAIN_LOOP_BACKENDS[provider]),
            steps.measure(PLAIN_LOOP),
        ):
            mail.outbox = []
            run_plain_loop(message)
    return steps, memory


def peak_memory_mb() -> float:
    """Return the peak memory of this process in MB; Linux reports kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def print_table(provider: str, steps: StepTimings) -> None:
    table = Table(title=f"{READER_COUNT:,} readers on {connection.vendor}, to {provider}")
    for name in ("step", "readers/s", "time, plain loop = 1", "queries per reader"):
        table.add_column(name, justify="left" if name == "step" else "right")
    rows = {
        "open": [OPEN],
        "claim and select": [CLAIM],
        "render, hand over, record": [HAND_OVER],
        "  of which render": [RENDER],
        "all": [OPEN, CLAIM, HAND_OVER],
        "plain loop of send_mail": [PLAIN_LOOP],
    }
    for name, step_names in rows.items():
        seconds = sum(steps.seconds[step] for step in step_names)
        queries = sum(steps.queries[step] for step in step_names)
        ratio = seconds / steps.seconds[PLAIN_LOOP]
        table.add_row(
            name, f"{READER_COUNT / seconds:,.0f}", f"{ratio:.2f}", f"{queries / READER_COUNT:.2f}"
        )
    Console(width=90).print(table)


def main() -> None:
    before = peak_memory_mb()
    for provider in ("file", "memory"):
        with tempfile.TemporaryDirectory() as folder:
            steps, memory = measure_provider(provider, folder)
        print_table(provider, steps)
        print(f"Peak memory {memory:.0f} MB, {memory - before:.0f} MB more than at the start.\n")
