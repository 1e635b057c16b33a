"""The papers nearest in meaning: their vectors in the database, the newest of them in memory.

Only where the extra `semantic` is installed. A process that is asked loads them once, then what
came since: one query each time, which mostly finds nothing.
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

# The newest so many are compared: some 30 MB in a process.
MAX_INDEXED_PAPERS = 20_000
EMBEDDING_BATCH_SIZE = 50


def papers_without_embedding() -> QuerySet[Paper]:
    """The papers without a vector of this model, newest first."""
    known = Embedding.objects.filter(paper=OuterRef("pk"), model=encoder.MODEL_NAME)
    return Paper.objects.filter(~Exists(known)).order_by("-sort_date", "-pk")


def embed_missing(*, limit: int = MAX_INDEXED_PAPERS) -> Iterator[int]:
    """Make the vectors that are missing, of the newest papers; yields how many, batch by batch.

    The oldest of them come first: so the highest numbers are always the newest papers.
    """
    ids = list(papers_without_embedding().values_list("pk", flat=True)[:limit])[::-1]
    for start in range(0, len(ids), EMBEDDING_BATCH_SIZE):
        texts = embedding_texts(ids[start : start + EMBEDDING_BATCH_SIZE])
        made = encoder.encode_batch(list(texts.values()))
        yield save_embeddings(texts, dict(zip(texts, map(quantise, made), strict=True)))


@transaction.atomic
def save_embeddings(texts: dict[int, str], vectors: dict[int, bytes]) -> int:
    """Only those whose text is still the same: it takes seconds to make them."""
    # Locked as the catalogue does; then the text cannot change before the vector is there.
    papers = Paper.objects.filter(pk__in=vectors).order_by("identity")
    current = {each.pk: embedding_text(each) for each in papers.select_for_update(no_key=True)}
    rows = [
        Embedding(paper_id=pk, model=encoder.MODEL_NAME, vector=vector)
        for pk, vector in vectors.items()
        if current.get(pk) == texts[pk]
    ]
    Embedding.objects.filter(paper__in=current).delete()
    Embedding.objects.bulk_create(rows)
    return len(rows)


def embedding_texts(paper_ids: Sequence[int]) -> dict[int, str]:
    papers = Paper.objects.in_bulk(paper_ids)
    return {pk: embedding_text(papers[pk]) for pk in paper_ids if pk in papers}


def embedding_text(paper: Paper) -> str:
    return f"{paper.title}. {paper.abstract}"


def quantise(vector: NDArray[np.float32]) -> bytes:
    """A signed byte for each dimension: only the direction matters."""
    return np.round(vector * (127 / np.abs(vector).max())).astype(np.int8).tobytes()


def dequantise(vectors: Sequence[bytes | memoryview]) -> NDArray[np.float32]:
    """Rows of length one."""
    signed = np.frombuffer(b"".join(map(bytes, vectors)), dtype=np.int8)
    rows = signed.reshape(-1, encoder.DIMENSIONS).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@dataclass
class EmbeddingIndex:
    """The newest papers of the database as directions."""

    paper_ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    unit_vectors: NDArray[np.float32] = field(default_factory=lambda: dequantise(()))
    last_embedding_id: int = 0
    lock: Lock = field(default_factory=Lock)

    def refresh(self) -> None:
        """Load what came since; a paper that got a new vector loses the old one."""
        with self.lock:
            newer = Embedding.objects.filter(
                model=encoder.MODEL_NAME, pk__gt=self.last_embedding_id
            )
            found = list(
                newer.order_by("-pk").values_list("pk", "paper_id", "vector")[:MAX_INDEXED_PAPERS]
            )
            if not found:
                return
            numbers, papers, vectors = zip(*reversed(found), strict=True)
            kept = ~np.isin(self.paper_ids, papers)
            self.paper_ids = np.concatenate([self.paper_ids[kept], papers])[-MAX_INDEXED_PAPERS:]
            self.unit_vectors = np.concatenate([self.unit_vectors[kept], dequantise(vectors)])[
                -MAX_INDEXED_PAPERS:
            ]
            self.last_embedding_id = numbers[-1]

    def nearest(
        self, vector: NDArray[np.float32], *, limit: int, min_similarity: float
    ) -> list[int]:
        """Ids of papers, the nearest first, whose cosine is `least` or more."""
        with self.lock:
            papers, rows = self.paper_ids, self.unit_vectors
        cosines = rows @ vector
        best = np.argsort(-cosines, kind="stable")[:limit]
        return [int(papers[at]) for at in best if cosines[at] >= min_similarity]


index = EmbeddingIndex()


def nearest_to_text(text: str, *, limit: int, min_similarity: float = 0.0) -> list[int]:
    if not text or not encoder.is_installed():
        return []
    index.refresh()
    return index.nearest(encoder.encode(text), limit=limit, min_similarity=min_similarity)


def nearest_to_paper(paper: Paper, *, limit: int, min_similarity: float = 0.0) -> list[int]:
    """Other papers, the nearest first."""
    if not encoder.is_installed():
        return []
    own = Embedding.objects.filter(paper=paper, model=encoder.MODEL_NAME).values_list(
        "vector", flat=True
    )
    if not (vectors := list(own)):
        return []
    index.refresh()
    found = index.nearest(dequantise(vectors)[0], limit=limit + 1, min_similarity=min_similarity)
    return [each for each in found if each != paper.pk][:limit]
