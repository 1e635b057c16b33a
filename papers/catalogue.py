"""Records become papers, as people read them: doing it twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction

from papers import search, taxonomy, topics
from papers.identity import arxiv_id
from papers.latex import readable
from papers.models import Paper
from papers.sources import Record

# Papers in one transaction: a few queries each time, and no row locked for long.
BATCH = 200
# Beyond any real paper; what is longer is a mistake or mischief.
LONGEST_TEXT, LONGEST_NAME, MOST_NAMES = 20_000, 200, 5_000

check_url = URLValidator(schemes=["http", "https"])


@dataclass(slots=True)
class Added:
    """What became of the records."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[str] = field(default_factory=list)

    def __iadd__(self, other: Added) -> Added:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.rejected += other.rejected
        return self


def add(records: Iterable[Record]) -> Added:
    """Insert or refresh papers and set their topics.

    A value is never replaced by an empty one: a source that falls silent about a paper's code has
    not taken it back. `listed_on` is the earliest day that was ever told: a paper that is listed
    again days later is not new to those who saw it the first time, so it does not rise again. So is
    `published_on`: a source may tell the day of a revision.
    """
    added = Added()
    told: dict[str, dict[str, Any]] = {}
    for record in records:
        fields = as_read(record)
        if not (identity := arxiv_id(record.arxiv_id)):
            added.rejected.append("not an arXiv id")
        elif not fields["title"]:
            added.rejected.append("no title")
        else:
            told[identity] = merged(told[identity], fields) if identity in told else fields
    slugs = taxonomy.store()
    for batch in batches(sorted(told.items())):
        added += add_batch(dict(batch), slugs)
    return added


@transaction.atomic
def add_batch(told: dict[str, dict[str, Any]], slugs: dict[str, int]) -> Added:
    # Always in the order of their ids: then two intakes at once wait for each other, not both.
    in_order = Paper.objects.filter(arxiv_id__in=told).order_by("arxiv_id")
    known = {paper.arxiv_id: paper for paper in in_order.select_for_update(no_key=True)}
    changed = [paper for identity, paper in known.items() if refresh(paper, told[identity])]
    if changed:
        Paper.objects.bulk_update(changed, list(told[changed[0].arxiv_id]))
    papers = list(known.values())
    new = [Paper(arxiv_id=each, **fields) for each, fields in told.items() if each not in known]
    if new:
        # One that another intake added a moment ago has the same news already.
        Paper.objects.bulk_create(new, ignore_conflicts=True)
        papers += Paper.objects.filter(arxiv_id__in=[paper.arxiv_id for paper in new])
    stale = {each.pk for each in changed} | set_topics(papers, slugs)
    search.index([each for each in papers if each.pk in stale or each.arxiv_id not in known])
    unchanged = len(known) - len(changed)
    return Added(created=len(new), updated=len(changed), unchanged=unchanged)


def refresh(paper: Paper, told: dict[str, Any]) -> bool:
    """Put what is told into a known paper; whether that changed it."""
    before = {name: getattr(paper, name) for name in told}
    after = merged(before, told)
    for name, value in after.items():
        setattr(paper, name, value)
    return after != before


def merged(known: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """The news, except empty ones, and the earlier days."""
    news = {name: value for name, value in told.items() if value}
    days = {name: min(known[name], told[name]) for name in ("published_on", "listed_on")}
    return known | news | days


def set_topics(papers: Sequence[Paper], slugs: dict[str, int]) -> set[int]:
    """Each paper's topics, as today's rules find them; the papers that this changed."""
    link = Paper.topics.through
    rows = link.objects.filter(paper__in=papers).values_list("paper_id", "topic_id", "pk")
    present = {(paper_id, topic_id): pk for paper_id, topic_id, pk in rows}
    wanted = {
        (paper.pk, slugs[slug])
        for paper in papers
        for slug in topics.match(paper.title, paper.abstract, paper.categories, paper.keywords)
    }
    if gone := {pair: pk for pair, pk in present.items() if pair not in wanted}:
        link.objects.filter(pk__in=gone.values()).delete()
    missing = sorted(wanted - present.keys())
    link.objects.bulk_create(
        [link(paper_id=paper_id, topic_id=topic_id) for paper_id, topic_id in missing],
        ignore_conflicts=True,
    )
    return {paper_id for paper_id, _ in [*gone, *missing]}


def as_read(record: Record) -> dict[str, Any]:
    """What a record tells, as people read it and as long as its columns are."""
    return {
        "title": as_text(record.title, 500),
        "abstract": as_text(record.abstract, LONGEST_TEXT),
        "machine_summary": as_text(record.machine_summary, LONGEST_TEXT),
        "authors": names(record.authors),
        "organization": as_text(record.organization, LONGEST_NAME),
        "categories": names(record.categories),
        "keywords": names(record.keywords),
        "published_on": record.published_on,
        "listed_on": record.listed_on,
        "code_url": web_address(record.code_url),
        "project_url": web_address(record.project_url),
    }


def names(values: Sequence[str]) -> list[str]:
    found = (as_text(value, LONGEST_NAME) for value in values[:MOST_NAMES])
    return [name for name in found if name]


def as_text(written: str, longest: int) -> str:
    """Readable and, where it is too long, cut after a whole word, saying so."""
    # TeX takes up to some ten characters for one that is read.
    text = readable(written[: 20 * longest])
    if len(text) <= longest:
        return text
    cut, following = text[: longest - 1], text[longest - 1]
    whole = cut.rsplit(" ", 1)[0] if " " in cut[-80:] and following != " " else cut
    return f"{whole.rstrip(' ,;:.–—-')}…"


def web_address(url: str) -> str:
    """The URL if a reader may be sent there, else nothing: https://bank.example@evil.example."""
    url = url.strip()
    try:
        check_url(url)
    except ValidationError:
        return ""
    return "" if len(url) > 500 or urlsplit(url).username is not None else url


def batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
