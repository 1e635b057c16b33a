"""What a reader's digest would hold with preferences that are not saved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.digest import interests
from newsletter.digest.cards import why
from newsletter.digest.reasons import of_yours
from newsletter.digest.rendering import candidate
from newsletter.digest.selection import choose
from newsletter.editions import coverage, follows
from newsletter.models import Edition, Entry
from papers.models import Topic
from subscribers.preferences import votes
from subscribers.preferences.form import PreferencesForm


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper of the preview, with why it is there: for this reader, and in figures."""

    title: str
    url: str
    yours: list[str]
    facts: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    edition: Edition | None
    papers: list[Shown]
    matching: int
    minimum: int
    next_at: datetime | None


def preview(form: PreferencesForm, *, now: datetime) -> Preview:
    """By the newest edition, as if the valid form had been saved before it was made.

    Nothing is written, and the query count is the same whatever is chosen.
    """
    reader, unsaved = form.instance.subscriber, form.instance
    leanings = votes.leanings_by([reader])[reader.pk]
    wishes = interests.assemble(unsaved, form.attitudes_by_slug, form.follows, leanings)
    edition = Edition.objects.filter(date__lte=now.date()).order_by("-date").first()
    entries = reached(edition, form) if edition else {}
    found = follows.found_in(
        [entry.paper_id for entry in entries.values()], follows.followed(form.follows)
    )
    for entry in entries.values():
        entry.matched = found.get(entry.paper_id, [])
    choice = choose([candidate(each, each.matched) for each in entries.values()], wishes)
    topics = {topic.slug: topic for topic in Topic.objects.all()}
    labels = {**wishes.named, **wishes.categories}
    return Preview(
        edition=edition,
        papers=[show(entries[each.entry_id], labels, topics) for each in choice.papers],
        matching=choice.matching,
        minimum=wishes.minimum,
        next_at=unsaved.next_digest_at(after=now, last=reader.last_digest_on)
        if reader.is_mailable
        else None,
    )


def reached(edition: Edition, form: PreferencesForm) -> dict[int, Entry]:
    """A day's entries, or a week's."""
    after = coverage.reach(edition, form.instance, last=None)
    entries = Entry.objects.filter(edition__date__gt=after, edition__date__lte=edition.date)
    return {entry.pk: entry for entry in entries.select_related("paper")}


def show(entry: Entry, labels: dict[str, str], topics: dict[str, Topic]) -> Shown:
    return Shown(
        title=entry.paper.title,
        url=entry.paper.get_absolute_url(),
        yours=of_yours(frozenset(entry.matched), labels),
        facts=why(entry, topics).words(),
    )
