"""Run a reader's search: lexical, semantic if installed, with suggestions when nothing matches."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from papers.models import Paper, Topic
from papers.search import encoder, engine
from papers.search.engine import ResultPage
from papers.search.query import Query
from papers.text.tokens import tokenize

logger = logging.getLogger(__name__)

# How many of the papers nearest in meaning can move up in the results. Further down, the order by
# similarity is mostly noise.
SEMANTIC_DEPTH = 100
# With fewer results than this, similar papers are shown too.
FEW_RESULTS = 5
MAX_SIMILAR = 5
# Cosines. Papers below them share the language with the query or paper, but not the subject.
MIN_QUERY_SIMILARITY, MIN_PAPER_SIMILARITY = 0.35, 0.45
# A `difflib` ratio between a topic's name and a mistyped one.
MIN_NAME_SIMILARITY = 0.8
MAX_SUGGESTED_TOPICS = 3


@dataclass(frozen=True, slots=True)
class SearchResults:
    page: ResultPage
    # About the same subject, without all of the words.
    similar: Sequence[Paper] = ()
    suggestions: Suggestions | None = None


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What to try after a search without results."""

    # Words that no paper has, and the query without them.
    unmatched_terms: Sequence[str] = ()
    remaining_query: str = ""
    topics: Sequence[Topic] = field(default_factory=tuple)


def search_papers(query: Query, *, offset: int, limit: int) -> SearchResults:
    """Return a page of results; similar papers if there are few, suggestions if there are none."""
    from papers.search import embeddings  # noqa: PLC0415 -- imports numpy, which takes 0.1 s

    semantic_ids = semantic_or_empty(
        lambda: embeddings.nearest_to_text(
            query.free_text, limit=SEMANTIC_DEPTH, min_similarity=MIN_QUERY_SIMILARITY
        )
    )
    page = engine.search(query, offset=offset, limit=limit, semantic_ids=semantic_ids)
    if not page.total:
        return SearchResults(page, similar_results(query, semantic_ids), suggest(query))
    if page.total < FEW_RESULTS:
        return SearchResults(page, similar_results(query, semantic_ids, page.papers))
    return SearchResults(page)


def similar_results(
    query: Query, semantic_ids: Sequence[int], shown_papers: Sequence[Paper] = ()
) -> list[Paper]:
    """Return the nearest papers that are not shown yet.

    A query with a filter gets none: similarity does not check the filter.
    """
    if not query.is_unfiltered:
        return []
    shown_ids = {paper.pk for paper in shown_papers}
    other_ids = [paper_id for paper_id in semantic_ids if paper_id not in shown_ids]
    return papers_in_order(other_ids[:MAX_SIMILAR])


def related_papers(paper: Paper) -> list[Paper]:
    """Return other papers on the same subject; an empty list without the extra."""
    from papers.search import embeddings  # noqa: PLC0415 -- imports numpy, which takes 0.1 s

    return papers_in_order(
        semantic_or_empty(
            lambda: embeddings.nearest_to_paper(
                paper, limit=MAX_SIMILAR, min_similarity=MIN_PAPER_SIMILARITY
            )
        )
    )


def semantic_or_empty(semantic_search: Callable[[], list[int]]) -> list[int]:
    """Return the ids that the semantic search finds, none if the model cannot be loaded.

    The lexical search must work without the model, so the failure is only logged.
    """
    try:
        return semantic_search()
    except encoder.EncoderUnavailableError as error:
        logger.warning("%s", error)
        return []


def papers_in_order(paper_ids: Sequence[int]) -> list[Paper]:
    papers = Paper.objects.with_topics().in_bulk(paper_ids) if paper_ids else {}
    return [papers[paper_id] for paper_id in paper_ids if paper_id in papers]


def suggest(query: Query) -> Suggestions:
    """Return what to try instead of this query; nothing for a query that selects nothing."""
    if not query.is_searchable:
        return Suggestions()
    unmatched = engine.unmatched_terms(query)
    return Suggestions(
        unmatched_terms=[term.raw_text for term in unmatched],
        remaining_query=query.without(unmatched),
        topics=topics_with_similar_name(query),
    )


def topics_with_similar_name(query: Query) -> list[Topic]:
    """Return topics whose name resembles the whole query or one of its terms."""
    topics = {" ".join(tokenize(topic.name)): topic for topic in Topic.objects.order_by("name")}
    texts = [" ".join(term.tokens) for term in query.terms if term.field in {"", "topic"}]
    names = [
        name
        for text in [" ".join(texts), *texts]
        for name in get_close_matches(text, topics, cutoff=MIN_NAME_SIMILARITY)
    ]
    return [topics[name] for name in dict.fromkeys(names)][:MAX_SUGGESTED_TOPICS]
