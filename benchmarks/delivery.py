"""How fast an edition gets to its readers, step by step, beside a plain loop of send_mail.

The plain loop mails the same text and HTML to every address, ready-made: it chooses and renders
nothing for anybody, keeps no record and cannot be resumed. Seconds are this machine's; the ratio
is what to compare.
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
from newsletter.delivery import handover, providers, schedule
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
# What the plain loop hands to: a file a message, or a list; each message is built in full.
PLAIN_LOOP_BACKENDS = {
    "file": "django.core.mail.backends.filebased.EmailBackend",
    "memory": "django.core.mail.backends.locmem.EmailBackend",
}


class InMemoryProvider:
    """A provider that takes everything at once, so that only our own work is left."""

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
    """Seconds and queries by step."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.queries: defaultdict[str, int] = defaultdict(int)

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        queries = benchmarks.QueryCounter()
        start = time.perf_counter()
        with queries.counting():
            yield
        self.seconds[step] += time.perf_counter() - start
        self.queries[step] += queries.count


def fixed_clock() -> datetime:
    return NOW


def make_edition() -> Edition:
    """Sixty papers, one in three topics each."""
    sync.sync_topics()
    topics = list(Topic.objects.order_by("pk"))
    edition = Edition.objects.create(date=NOW.date(), published_at=NOW - timedelta(hours=2))
    for number in range(PAPER_COUNT):
        about = [topics[(number + step) % len(topics)] for step in (0, 7, 19)]
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
            topic_ranks={topic.slug: 1 for topic in about},
        )
    return edition


def make_readers() -> None:
    """Active and due, each with three topics of their own choice."""
    due = {"status": Subscriber.Status.ACTIVE, "confirmed_at": NOW - timedelta(days=30)}
    Subscriber.objects.bulk_create(
        Subscriber(email=f"reader{number}@example.org", next_digest_at=NOW, **due)
        for number in range(READER_COUNT)
    )
    readers = Subscriber.objects.order_by("pk")
    wanted = Preferences.objects.bulk_create(Preferences(subscriber=each) for each in readers)
    topics = list(Topic.objects.order_by("pk"))
    link = Preferences.topics.through
    link.objects.bulk_create(
        link(preferences=each, topic=topics[(number * 3 + step) % len(topics)])
        for number, each in enumerate(wanted)
        for step in (0, 5, 11)
    )


def send_all(edition: Edition, steps: StepTimings) -> EmailMultiAlternatives:
    """Every step for every reader; returns one of the messages."""
    with steps.measure(OPEN):
        schedule.open_due(now=NOW, edition=edition)
    renderer = rendering.Renderer(edition)
    counts: Counter[str] = Counter()
    written: list[EmailMultiAlternatives] = []
    while True:
        with steps.measure(CLAIM):
            claimed = handover.claim(edition, renderer, now=NOW, counts=counts)
        if claimed is None:
            break
        # Once more than needed, to know the share of it: handing over renders each by itself.
        with steps.measure(RENDER):
            written = [
                renderer.message(each.delivery, each.subscriber, each.interests, each.papers)
                for each in claimed.deliveries
            ]
        with steps.measure(HAND_OVER):
            handover.hand_over(claimed, renderer, clock=fixed_clock, counts=counts)
    handed_over = Delivery.objects.filter(state=Delivery.State.HANDED_OVER).count()
    assert handed_over == READER_COUNT, f"{handed_over} of {READER_COUNT} handed over: {counts}"
    return written[0]


def run_plain_loop(message: EmailMultiAlternatives) -> None:
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
    """Seconds by step, and the peak memory in MB so far."""
    steps = StepTimings()
    sink = {"MAILBOX_DIR": Path(folder) / "ours", "EMAIL_FILE_PATH": f"{folder}/plain"}
    with (
        benchmarks.empty_database(),
        override_settings(EMAIL_PROVIDER=provider, EMAIL_BACKEND=MAILBOX_BACKEND, **sink),
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
    """In MB; Linux counts in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def print_table(provider: str, steps: StepTimings) -> None:
    table = Table(title=f"{READER_COUNT:,} readers on {connection.vendor}, to {provider}")
    for name in ("step", "readers/s", "time, plain loop = 1", "queries a reader"):
        table.add_column(name, justify="left" if name == "step" else "right")
    rows = {
        "open": [OPEN],
        "claim and choose": [CLAIM],
        "render, hand over, note": [HAND_OVER],
        "  of which render": [RENDER],
        "all": [OPEN, CLAIM, HAND_OVER],
        "plain loop of send_mail": [PLAIN_LOOP],
    }
    for name, added in rows.items():
        took = sum(steps.seconds[step] for step in added)
        queries = sum(steps.queries[step] for step in added)
        ratio = took / steps.seconds[PLAIN_LOOP]
        table.add_row(
            name, f"{READER_COUNT / took:,.0f}", f"{ratio:.2f}", f"{queries / READER_COUNT:.2f}"
        )
    Console(width=90).print(table)


def main() -> None:
    before = peak_memory_mb()
    for provider in ("file", "memory"):
        with tempfile.TemporaryDirectory() as folder:
            steps, memory = measure_provider(provider, folder)
        print_table(provider, steps)
        print(f"Peak memory {memory:.0f} MB, {memory - before:.0f} MB more than before.\n")
