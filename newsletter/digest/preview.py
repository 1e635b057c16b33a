"""Preview a reader's digest with preferences that are not saved yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.digest import interests
from newsletter.digest.cards import build_reasons
from newsletter.digest.reasons import personal_reasons
from newsletter.digest.rendering import to_candidate
from newsletter.digest.selection import choose
from newsletter.editions import coverage, follows
from newsletter.models import Edition, Entry
from papers.models import Topic
from subscribers.preferences import votes
from subscribers.preferences.form import PreferencesForm


@dataclass(frozen=True, slots=True)
class PreviewPaper:
    """A paper of the preview with the reader's own reasons and those all readers see."""

    title: str
    url: str
    personal_reasons: list[str]
    reasons: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A digest that would be sent, or why none would be; `papers` is empty then."""

    edition: Edition | None
    papers: list[PreviewPaper]
    eligible_count: int
    minimum: int
    next_digest_at: datetime | None


def build_preview(form: PreferencesForm, *, now: datetime) -> Preview:
    """Return what the newest edition would have sent with a valid form's unsaved choices.

    Nothing is written. The number of queries does not depend on what is selected in the form.
    """
    reader, unsaved = form.instance.subscriber, form.instance
    adjustments = votes.topic_adjustments_by_subscriber([reader])[reader.pk]
    form_interests = interests.build_interests(
        unsaved, form.topic_preferences_by_slug, form.follows, adjustments
    )
    edition = Edition.objects.filter(date__lte=now.date()).order_by("-date").first()
    entries = covered_entries(edition, form) if edition else {}
    # An entry stores matches with the follows of its day only: match this form's anew, unsaved.
    match_keys = follows.match_papers(
        [entry.paper_id for entry in entries.values()], follows.build_follow_index(form.follows)
    )
    for entry in entries.values():
        entry.matched = match_keys.get(entry.paper_id, [])
    selection = choose(
        [to_candidate(entry, entry.matched) for entry in entries.values()], form_interests
    )
    topics = {topic.slug: topic for topic in Topic.objects.all()}
    labels = {**form_interests.named_follows, **form_interests.categories}
    return Preview(
        edition=edition,
        papers=[
            to_preview_paper(entries[candidate.entry_id], labels, topics)
            for candidate in selection.papers
        ],
        eligible_count=selection.eligible_count,
        minimum=form_interests.minimum,
        next_digest_at=unsaved.next_digest_at(after=now, last_digest_date=reader.last_digest_on)
        if reader.is_mailable
        else None,
    )


def covered_entries(edition: Edition, form: PreferencesForm) -> dict[int, Entry]:
    """Return the entries that a first digest with these preferences covers, by id."""
    after = coverage.covered_after(edition, form.instance, last_edition_date=None)
    entries = Entry.objects.filter(edition__date__gt=after, edition__date__lte=edition.date)
    return {entry.pk: entry for entry in entries.select_related("paper")}


def to_preview_paper(
    entry: Entry, labels: dict[str, str], topics: dict[str, Topic]
) -> PreviewPaper:
    return PreviewPaper(
        title=entry.paper.title,
        url=entry.paper.get_absolute_url(),
        personal_reasons=personal_reasons(frozenset(entry.matched), labels),
        reasons=build_reasons(entry, topics).phrases(),
    )
