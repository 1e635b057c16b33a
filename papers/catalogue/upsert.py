"""Records become papers, as people read them: doing it twice, or in another order, is all the same.

One paper is told of by several sources; papers/catalogue/lookup.py says which stored paper a record is about,
papers/catalogue/precedence.py whom to believe about which field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction

from papers import identity
from papers.catalogue.cleaning import tidy
from papers.catalogue.lookup import Shelf, Telling
from papers.catalogue.merging import hear, unite
from papers.models import Paper
from papers.search import engine
from papers.sources import Record
from papers.topics import classifier, sync

# Of what there are papers of: the first journals.
FIRST_DAY = date(1665, 1, 1)
# Papers in one transaction: a few queries each time, and no row locked for long.
BATCH = 200

# What records tell, and what follows from it.
TOLD = (
    "title",
    "abstract",
    "machine_summary",
    "authors",
    "organization",
    "categories",
    "keywords",
    "published_on",
    "listed_on",
    "code_url",
    "project_url",
    "withdrawn",
)
WRITTEN = (*TOLD, "identity", "arxiv_id", "doi", "title_key", "day", "tellers")


@dataclass(slots=True)
class Added:
    """What became of the records."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[str] = field(default_factory=list)
    # Each record that was taken, with its paper's id.
    taken: list[tuple[Record, int]] = field(default_factory=list)

    def __iadd__(self, other: Added) -> Added:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.rejected += other.rejected
        self.taken += other.taken
        return self


def add(records: Iterable[Record], *, source: str, told_at: datetime) -> Added:
    """Insert or refresh papers by what a source told at a moment, and set their topics.

    A value is never replaced by an empty one: a source that falls silent about a paper's code has
    not taken it back. `listed_on` is the earliest day that was ever told: a paper that is listed
    again days later is not new to those who saw it the first time, so it does not rise again.
    """
    added = Added()
    tellings = []
    for record in records:
        read = telling(record, told_at=told_at)
        if isinstance(read, str):
            added.rejected.append(read)
        else:
            tellings.append(read)
    slugs = sync.store()
    # In the order of their numbers, so that those that mean one paper come together; what only adds
    # to a paper comes after what may make it known.
    tellings.sort(key=lambda each: (each.arxiv_id, not each.title_key, each.doi, each.title_key))
    for batch in batches(tellings):
        added += add_batch(batch, slugs, source=source)
    return added


def telling(record: Record, *, told_at: datetime) -> Telling | str:
    """The record, as people read it; or why it is none."""
    fields = {name: value for name, value in tidy(record).items() if is_possible(value, told_at)}
    number = identity.doi(record.doi)
    arxiv_id = identity.arxiv_id(record.arxiv_id) or identity.arxiv_id(number) or ""
    if record.arxiv_id and not arxiv_id:
        return "not an arXiv id"
    if not (arxiv_id or number or identity.title_key(fields.get("title", ""))):
        return "no title"
    return Telling(
        record=record,
        fields=fields,
        arxiv_id=arxiv_id,
        doi="" if identity.arxiv_id(number) else number,
        at=int((record.updated_at or told_at).timestamp()),
    )


def is_possible(value: Any, told_at: datetime) -> bool:
    """A day that nobody can have told of is not known."""
    return not isinstance(value, date) or FIRST_DAY <= value <= told_at.date() + timedelta(days=2)


@transaction.atomic
def add_batch(
    tellings: Sequence[Telling], slugs: dict[str, int], *, source: str, again: bool = False
) -> Added:
    added = Added()
    work = Work(Shelf(tellings), source)
    for each in tellings:
        if not work.heed(each):
            added.rejected.append("not a paper that is known here")
    changed, retold = work.stored(work.changed), work.stored(work.retold)
    if changed:
        Paper.objects.bulk_update(changed, WRITTEN)
    if retold:
        Paper.objects.bulk_update(retold, ["tellers"])
    known = work.stored(work.papers)
    created = create([paper for paper in work.papers.values() if not paper.pk])
    stale = {each.pk for each in changed} | set_topics([*known, *created], slugs)
    engine.index([*(each for each in known if each.pk in stale), *created])
    added.created, added.updated = len(created), len(changed)
    added.unchanged = len(known) - len(changed)
    ids = {each.identity: each.pk for each in [*known, *created]}
    left = []
    for each, paper in work.meant:
        if pk := ids.get(work.final(paper).identity):
            added.taken.append((each.record, pk))
        else:
            left.append(each)
    if left and not again:
        # Another intake added them a moment ago: they are known now, and may be locked.
        added += add_batch(left, slugs, source=source, again=True)
    elif left:
        added.rejected += ["not told apart from another paper"] * len(left)
    return added


def create(papers: Sequence[Paper]) -> list[Paper]:
    """The papers as they were stored, but for those that another intake stored meanwhile."""
    if not papers:
        return []
    Paper.objects.bulk_create(papers, ignore_conflicts=True)
    ours = {paper.identity: paper.tellers for paper in papers}
    stored = Paper.objects.filter(identity__in=ours)
    return [paper for paper in stored if paper.tellers == ours[paper.identity]]


class Work:
    """One batch, paper by paper: what is new, what changed, and what turned out to be one."""

    def __init__(self, shelf: Shelf, source: str) -> None:
        self.shelf = shelf
        self.source = source
        # By their place in memory: what is new has no id yet.
        self.papers: dict[int, Paper] = {}
        self.changed: dict[int, Paper] = {}
        self.retold: dict[int, Paper] = {}
        self.became: dict[int, Paper] = {}
        self.meant: list[tuple[Telling, Paper]] = []

    def heed(self, telling: Telling) -> bool:
        """Put what is told into its paper, new or known; False if there is none to put it into."""
        found = self.shelf.find(telling)
        if not found and "title" not in telling.fields:
            return False
        found.sort(key=lambda each: (each.pk is None, not each.arxiv_id, each.pk))
        paper = found[0] if found else Paper()
        for other in found[1:]:
            self.unite(paper, other)
        self.papers[id(paper)] = paper
        before = paper.tellers
        if refresh(paper, telling, source=self.source):
            self.changed[id(paper)] = paper
        elif paper.tellers != before:
            self.retold[id(paper)] = paper
        self.shelf.put(paper)
        self.meant.append((telling, paper))
        return True

    def unite(self, paper: Paper, other: Paper) -> None:
        if unite(paper, other):
            self.shelf.drop(other)
            for each in (self.papers, self.changed, self.retold):
                each.pop(id(other), None)
            self.became[id(other)] = paper
            self.changed[id(paper)] = paper
            settle(paper)

    def final(self, paper: Paper) -> Paper:
        while id(paper) in self.became:
            paper = self.became[id(paper)]
        return paper

    def stored(self, papers: dict[int, Paper]) -> list[Paper]:
        """Those that were there before; what changed is not written a second time as retold."""
        return [
            paper
            for key, paper in papers.items()
            if paper.pk and (papers is not self.retold or key not in self.changed)
        ]


def refresh(paper: Paper, telling: Telling, *, source: str) -> bool:
    """Put what is told into a paper; whether that changed it."""
    news = telling.fields | ({"doi": telling.doi} if telling.doi else {})
    changed = hear(paper, news, source=source, at=telling.at)
    if telling.arxiv_id and not paper.arxiv_id:
        paper.arxiv_id, changed = telling.arxiv_id, True
    return settle(paper, told_on=datetime.fromtimestamp(telling.at, UTC).date()) or changed


def settle(paper: Paper, *, told_on: date | None = None) -> bool:
    """What follows from the rest; whether that is something new."""
    before = (paper.identity, paper.title_key, paper.day)
    paper.title_key = identity.title_key(paper.title)
    paper.identity = (
        paper.arxiv_id
        or paper.doi
        # Stays: its page has that address.
        or paper.identity
        or identity.of_title(paper.title, paper.authors)
    )
    if day := paper.listed_on or paper.published_on:
        paper.day = day
    elif told_on:
        paper.day = min(paper.day or told_on, told_on)
    return (paper.identity, paper.title_key, paper.day) != before


def set_topics(papers: Sequence[Paper], slugs: dict[str, int]) -> set[int]:
    """Each paper's topics, as today's rules find them; the papers that this changed."""
    link = Paper.topics.through
    rows = link.objects.filter(paper__in=papers).values_list("paper_id", "topic_id", "pk")
    present = {(paper_id, topic_id): pk for paper_id, topic_id, pk in rows}
    wanted = {
        (paper.pk, slugs[slug])
        for paper in papers
        for slug in classifier.match(paper.title, paper.abstract, paper.categories, paper.keywords)
    }
    if gone := {pair: pk for pair, pk in present.items() if pair not in wanted}:
        link.objects.filter(pk__in=gone.values()).delete()
    missing = sorted(wanted - present.keys())
    link.objects.bulk_create(
        [link(paper_id=paper_id, topic_id=topic_id) for paper_id, topic_id in missing],
        ignore_conflicts=True,
    )
    return {paper_id for paper_id, _ in [*gone, *missing]}


def batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
