"""Embeddings of papers: stored in the database, the newest 20,000 held in memory for comparison.

All of this needs the optional extra `semantic`. A process loads the vectors at its first semantic
search; each later search runs one query for newer ones, which mostly returns nothing. Only this
module writes `Embedding`; papers/search/engine.py deletes the rows of papers whose text changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from numpy.typing import NDArray

from papers.models import Embedding, Paper
from papers.search import encoder

# About 30 MB in each process.
MAX_INDEXED_PAPERS = 20_000
EMBEDDING_BATCH_SIZE = 50


def papers_without_embedding() -> QuerySet[Paper]:
    """Return the papers without a vector of the current model, newest first."""
    embedded = Embedding.objects.filter(paper=OuterRef("pk"), model=encoder.MODEL_NAME)
    return Paper.objects.filter(~Exists(embedded)).order_by("-sort_date", "-pk")


def embed_missing(*, limit: int = MAX_INDEXED_PAPERS) -> Iterator[int]:
    """Embed the newest papers that have no vector; yield the number stored of each batch.

    Of these, the oldest come first, so that the highest embedding ids belong to the newest papers.
    Safe to stop at any time, and to repeat.
    """
    ids = list(papers_without_embedding().values_list("pk", flat=True)[:limit])[::-1]
    for start in range(0, len(ids), EMBEDDING_BATCH_SIZE):
        texts = embedding_texts(ids[start : start + EMBEDDING_BATCH_SIZE])
        vectors = encoder.encode_batch(list(texts.values()))
        yield save_embeddings(texts, dict(zip(texts, map(quantise, vectors), strict=True)))


@transaction.atomic
def save_embeddings(texts: dict[int, str], vectors: dict[int, bytes]) -> int:
    """Store the vectors of papers whose text is still the one that was encoded; return how many.

    Encoding takes seconds, in which a text can change. Such a paper is left without a vector.
    """
    # Locked in the catalogue's order, so that no text changes before its vector is stored.
    papers = Paper.objects.filter(pk__in=vectors).order_by("identity")
    current = {paper.pk: embedding_text(paper) for paper in papers.select_for_update(no_key=True)}
    rows = [
        Embedding(paper_id=paper_id, model=encoder.MODEL_NAME, vector=vector)
        for paper_id, vector in vectors.items()
        if current.get(paper_id) == texts[paper_id]
    ]
    Embedding.objects.filter(paper__in=current).delete()
    Embedding.objects.bulk_create(rows)
    return len(rows)


def embedding_texts(paper_ids: Sequence[int]) -> dict[int, str]:
    """Return the text of each paper by its id, without those that no longer exist."""
    papers = Paper.objects.in_bulk(paper_ids)
    return {
        paper_id: embedding_text(papers[paper_id]) for paper_id in paper_ids if paper_id in papers
    }


def embedding_text(paper: Paper) -> str:
    return f"{paper.title}. {paper.abstract}"


def quantise(vector: NDArray[np.float32]) -> bytes:
    """Return a signed byte per dimension; the vector keeps its direction, not its length."""
    signed: NDArray[np.int8] = np.round(vector * (127 / np.abs(vector).max())).astype(np.int8)
    return signed.tobytes()


def dequantise(vectors: Sequence[bytes | memoryview]) -> NDArray[np.float32]:
    """Return one row of unit length per vector."""
    signed = np.frombuffer(b"".join(map(bytes, vectors)), dtype=np.int8)
    rows = signed.reshape(-1, encoder.DIMENSIONS).astype(np.float32)
    unit_rows: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit_rows


@dataclass
class EmbeddingIndex:
    """The unit vectors of the newest papers, in the memory of one process."""

    paper_ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    unit_vectors: NDArray[np.float32] = field(default_factory=lambda: dequantise(()))
    last_embedding_id: int = 0
    lock: Lock = field(default_factory=Lock)

    def refresh(self) -> None:
        """Load the vectors stored since the last call; a paper's new vector replaces its old one."""
        with self.lock:
            newer = Embedding.objects.filter(
                model=encoder.MODEL_NAME, pk__gt=self.last_embedding_id
            )
            rows = list(
                newer.order_by("-pk").values_list("pk", "paper_id", "vector")[:MAX_INDEXED_PAPERS]
            )
            if not rows:
                return
            embedding_ids, paper_ids, vectors = zip(*reversed(rows), strict=True)
            kept = ~np.isin(self.paper_ids, paper_ids)
            self.paper_ids = np.concatenate([self.paper_ids[kept], paper_ids])[-MAX_INDEXED_PAPERS:]
            self.unit_vectors = np.concatenate([self.unit_vectors[kept], dequantise(vectors)])[
                -MAX_INDEXED_PAPERS:
            ]
            self.last_embedding_id = embedding_ids[-1]

    def nearest(
        self, vector: NDArray[np.float32], *, limit: int, min_similarity: float
    ) -> list[int]:
        """Return paper ids, nearest first, with a cosine of at least `min_similarity`."""
        with self.lock:
            paper_ids, unit_vectors = self.paper_ids, self.unit_vectors
        cosines = unit_vectors @ vector
        best = np.argsort(-cosines, kind="stable")[:limit]
        return [int(paper_ids[row]) for row in best if cosines[row] >= min_similarity]


index = EmbeddingIndex()


def nearest_to_text(text: str, *, limit: int, min_similarity: float = 0.0) -> list[int]:
    """Return the ids of the papers nearest to a text; none without text or the extra."""
    if not text or not encoder.is_installed():
        return []
    index.refresh()
    return index.nearest(encoder.encode(text), limit=limit, min_similarity=min_similarity)


def nearest_to_paper(paper: Paper, *, limit: int, min_similarity: float = 0.0) -> list[int]:
    """Return the ids of the other papers nearest to this one, which needs a vector itself."""
    if not encoder.is_installed():
        return []
    stored = Embedding.objects.filter(paper=paper, model=encoder.MODEL_NAME)
    if not (vectors := list(stored.values_list("vector", flat=True))):
        return []
    index.refresh()
    nearest = index.nearest(dequantise(vectors)[0], limit=limit + 1, min_similarity=min_similarity)
    return [paper_id for paper_id in nearest if paper_id != paper.pk][:limit]
