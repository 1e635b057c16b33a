"""What a reader gets for a question: by words, where the extra is by meaning too, and help."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from papers.models import Paper, Topic
from papers.search import embeddings, encoder, engine
from papers.search.engine import ResultPage
from papers.search.query import Query
from papers.text.tokens import tokenize

logger = logging.getLogger(__name__)

# The papers nearest to a question, which move its results; beyond them a place says nothing.
SEMANTIC_DEPTH = 100
# With fewer results than this those close in meaning are shown too, so many of them.
FEW_RESULTS, MAX_SIMILAR = 5, 5
# The least cosine of what is close: below it are papers that only share the language.
MIN_QUERY_SIMILARITY, MIN_PAPER_SIMILARITY = 0.35, 0.45
# How like a topic's name a mistyped one is.
MIN_NAME_SIMILARITY = 0.8


@dataclass(frozen=True, slots=True)
class SearchResults:
    page: ResultPage
    # Without all of the words, but about the same.
    similar: Sequence[Paper] = ()
    suggestions: Suggestions | None = None


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What to try where nothing was found."""

    # Words that no paper has, and the question without them.
    unmatched_terms: Sequence[str] = ()
    remaining_query: str = ""
    topics: Sequence[Topic] = field(default_factory=tuple)


def search_papers(query: Query, *, offset: int, limit: int) -> SearchResults:
    near = semantic_or_empty(
        lambda: embeddings.nearest_to_text(
            query.free_text, limit=SEMANTIC_DEPTH, min_similarity=MIN_QUERY_SIMILARITY
        )
    )
    found = engine.search(query, offset=offset, limit=limit, semantic_ids=near)
    if not found.total:
        return SearchResults(found, similar_results(query, near), suggest(query))
    return SearchResults(
        found, similar_results(query, near, found.papers) if found.total < FEW_RESULTS else ()
    )


def similar_results(
    query: Query, semantic_ids: Sequence[int], shown_papers: Sequence[Paper] = ()
) -> list[Paper]:
    """Not for those who set a condition: these do not meet it."""
    known = {paper.pk for paper in shown_papers}
    return (
        papers_in_order([each for each in semantic_ids if each not in known][:MAX_SIMILAR])
        if query.is_unfiltered
        else []
    )


def related_papers(paper: Paper) -> list[Paper]:
    """Other papers about the same; none without the extra."""
    return papers_in_order(
        semantic_or_empty(
            lambda: embeddings.nearest_to_paper(
                paper, limit=MAX_SIMILAR, min_similarity=MIN_PAPER_SIMILARITY
            )
        )
    )


def semantic_or_empty(semantic_search: Callable[[], list[int]]) -> list[int]:
    """The search by words goes on without the model."""
    try:
        return semantic_search()
    except encoder.EncoderUnavailableError as error:
        logger.warning("%s", error)
        return []


def papers_in_order(paper_ids: Sequence[int]) -> list[Paper]:
    papers = Paper.objects.with_topics().in_bulk(paper_ids) if paper_ids else {}
    return [papers[each] for each in paper_ids if each in papers]


def suggest(query: Query) -> Suggestions:
    if not query.is_searchable:
        return Suggestions()
    unknown = engine.unmatched_terms(query)
    return Suggestions(
        [term.raw_text for term in unknown], query.without(unknown), topics_with_similar_name(query)
    )


def topics_with_similar_name(query: Query) -> list[Topic]:
    """Topics with a name much like what was typed."""
    topics = {" ".join(tokenize(topic.name)): topic for topic in Topic.objects.order_by("name")}
    texts = [" ".join(term.tokens) for term in query.terms if term.field in {"", "topic"}]
    found = [
        name
        for text in [" ".join(texts), *texts]
        for name in get_close_matches(text, topics, cutoff=MIN_NAME_SIMILARITY)
    ]
    return [topics[name] for name in dict.fromkeys(found)][:3]
