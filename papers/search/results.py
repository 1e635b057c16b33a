"""What a reader gets for a question: by words, where the extra is by meaning too, and help."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from papers.models import Paper, Topic
from papers.search import embeddings, encoder, engine
from papers.search.engine import Found
from papers.search.query import Query
from papers.text.tokens import words

logger = logging.getLogger(__name__)

# The papers nearest to a question, which move its results; beyond them a place says nothing.
NEAREST = 100
# With fewer results than this those close in meaning are shown too, so many of them.
FEW, CLOSE = 5, 5
# The least cosine of what is close: below it are papers that only share the language.
TO_A_QUESTION, TO_A_PAPER = 0.35, 0.45
# How like a topic's name a mistyped one is.
ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class Results:
    found: Found
    # Without all of the words, but about the same.
    close: Sequence[Paper] = ()
    help: Help | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """What to try where nothing was found."""

    # Words that no paper has, and the question without them.
    unknown: Sequence[str] = ()
    without: str = ""
    topics: Sequence[Topic] = field(default_factory=tuple)


def results(wanted: Query, *, first: int, size: int) -> Results:
    near = by_meaning(lambda: embeddings.near_text(wanted.meant, most=NEAREST, least=TO_A_QUESTION))
    found = engine.find(wanted, first=first, size=size, near=near)
    if not found.total:
        return Results(found, close_to(wanted, near), help_with(wanted))
    return Results(found, close_to(wanted, near, found.papers) if found.total < FEW else ())


def close_to(wanted: Query, near: Sequence[int], found: Sequence[Paper] = ()) -> list[Paper]:
    """Not for those who set a condition: these do not meet it."""
    known = {paper.pk for paper in found}
    return in_order([each for each in near if each not in known][:CLOSE]) if wanted.is_open else []


def related(paper: Paper) -> list[Paper]:
    """Other papers about the same; none without the extra."""
    return in_order(by_meaning(lambda: embeddings.near_paper(paper, most=CLOSE, least=TO_A_PAPER)))


def by_meaning(find: Callable[[], list[int]]) -> list[int]:
    """The search by words goes on without the model."""
    try:
        return find()
    except encoder.Unavailable as error:
        logger.warning("%s", error)
        return []


def in_order(ids: Sequence[int]) -> list[Paper]:
    papers = Paper.objects.with_topics().in_bulk(ids) if ids else {}
    return [papers[each] for each in ids if each in papers]


def help_with(wanted: Query) -> Help:
    if not wanted.asks_for_something:
        return Help()
    unknown = engine.unknown(wanted)
    return Help([term.typed for term in unknown], wanted.without(unknown), alike(wanted))


def alike(wanted: Query) -> list[Topic]:
    """Topics with a name much like what was typed."""
    topics = {" ".join(words(topic.name)): topic for topic in Topic.objects.order_by("name")}
    texts = [" ".join(term.words) for term in wanted.terms if term.field in {"", "topic"}]
    found = [
        name
        for text in [" ".join(texts), *texts]
        for name in get_close_matches(text, topics, cutoff=ALIKE)
    ]
    return [topics[name] for name in dict.fromkeys(found)][:3]
