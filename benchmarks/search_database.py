"""Fill a database with generated papers and their search rows, quickly."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

from django.db import connection, models

from benchmarks.corpus import GeneratedPaper
from papers.models import Paper, SearchText, Topic
from papers.search import documents
from papers.text.tokens import tokenize
from papers.topics import sync

INSERT_BATCH_SIZE = 2_000
# Dropped while rows are inserted and created again afterwards.
GIN_INDEX_NAME = "papers_searchtext_document"


def build_database(papers: Iterator[GeneratedPaper]) -> None:
    """Insert papers, topics and search rows; leave the planner's statistics up to date."""
    topic_ids = sync.sync_topics()
    topic_names = dict(Topic.objects.values_list("slug", "name"))
    on_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if on_postgresql:
            definition = drop_index(cursor)
        while batch := list(islice(papers, INSERT_BATCH_SIZE)):
            insert_batch(batch, topic_ids, topic_names)
        if on_postgresql:
            cursor.execute("SET maintenance_work_mem = '1GB'")
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE" if on_postgresql else "ANALYZE")


def drop_index(cursor: Any) -> str:
    """Drop the GIN index and return the statement that creates it."""
    cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [GIN_INDEX_NAME])
    definition = str(cursor.fetchone()[0])
    cursor.execute(f"DROP INDEX {GIN_INDEX_NAME}")
    return definition


def insert_batch(
    batch: Sequence[GeneratedPaper], topic_ids: dict[str, int], topic_names: dict[str, str]
) -> None:
    papers = [build_paper(generated) for generated in batch]
    rows = [
        build_search_row(paper, generated, topic_names)
        for paper, generated in zip(papers, batch, strict=True)
    ]
    link = Paper.topics.through
    links = [
        link(paper_id=generated.number + 1, topic_id=topic_ids[slug])
        for generated in batch
        for slug in generated.topics
    ]
    bulk_insert(Paper, papers)
    bulk_insert(SearchText, rows)
    bulk_insert(link, links)


def build_search_row(
    paper: Paper, generated: GeneratedPaper, topic_names: dict[str, str]
) -> SearchText:
    """Return the row that engine.build_search_text would, but tokenize each sentence only once."""
    columns = documents.index_columns(
        Paper(
            arxiv_id=paper.arxiv_id,
            title=paper.title,
            authors=paper.authors,
            categories=paper.categories,
            sort_date=paper.sort_date,
        ),
        topic_labels(generated.topics, topic_names),
    )
    abstract = [
        documents.BOUNDARY_TOKEN,
        *(token for sentence in generated.sentences for token in tokenize_sentence(sentence)),
    ]
    columns["abstract"] = " ".join(abstract[: documents.MAX_COLUMN_TOKENS])
    keys = documents.build_index_terms(columns) if connection.vendor == "postgresql" else ""
    return SearchText(paper_id=paper.pk, keys=keys, **columns)


@cache
def tokenize_sentence(sentence: str) -> list[str]:
    return tokenize(sentence)


def topic_labels(slugs: Iterable[str], topic_names: dict[str, str]) -> list[str]:
    return [label for slug in sorted(slugs) for label in (topic_names[slug], slug)]


def build_paper(generated: GeneratedPaper) -> Paper:
    day = generated.day
    return Paper(
        pk=generated.number + 1,
        identity=(
            number := f"{1000 + generated.number // 100_000}.{generated.number % 100_000:05d}"
        ),
        arxiv_id=number,
        title=generated.title,
        abstract=" ".join(generated.sentences),
        authors=generated.authors,
        categories=generated.categories,
        published_on=day,
        listed_on=day,
        sort_date=day,
        score=float(generated.number % 97),
        upvotes=generated.number % 97,
    )


def bulk_insert(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    """Insert rows; on PostgreSQL by COPY, which is several times as fast."""
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(rows)
        return
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    if model is Paper.topics.through:
        fields = [field for field in fields if not field.primary_key]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(
                [
                    field.get_db_prep_save(field.pre_save(row, add=True), connection)
                    for field in fields
                ]
            )


def disk_sizes() -> Iterator[str]:
    """Yield the sizes of the database's file, or of its tables and the GIN index."""
    if connection.vendor == "sqlite":
        yield f"file {os.path.getsize(connection.settings_dict['NAME']) / 1e6:,.0f} MB"
        return
    with connection.cursor() as cursor:
        for name in ("papers_paper", "papers_searchtext"):
            cursor.execute("SELECT pg_total_relation_size(%s), pg_relation_size(%s)", [name, name])
            total, heap = cursor.fetchone()
            yield f"{name} {total / 1e6:,.0f} MB ({heap / 1e6:,.0f} MB without TOAST and indexes)"
        cursor.execute("SELECT pg_relation_size(%s)", [GIN_INDEX_NAME])
        yield f"its GIN index {cursor.fetchone()[0] / 1e6:,.0f} MB"
