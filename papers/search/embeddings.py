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
MOST = 20_000
BATCH = 50


def missing() -> QuerySet[Paper]:
    """The papers without a vector of this model, newest first."""
    known = Embedding.objects.filter(paper=OuterRef("pk"), model=encoder.MODEL)
    return Paper.objects.filter(~Exists(known)).order_by("-day", "-pk")


def embed(*, most: int = MOST) -> Iterator[int]:
    """Make the vectors that are missing, of the newest papers; yields how many, batch by batch.

    The oldest of them come first: so the highest numbers are always the newest papers.
    """
    ids = list(missing().values_list("pk", flat=True)[:most])[::-1]
    for start in range(0, len(ids), BATCH):
        texts = texts_of(ids[start : start + BATCH])
        made = encoder.vectors(list(texts.values()))
        yield store(texts, dict(zip(texts, map(packed, made), strict=True)))


@transaction.atomic
def store(texts: dict[int, str], made: dict[int, bytes]) -> int:
    """Only those whose text is still the same: it takes seconds to make them."""
    # Locked as the catalogue does; then the text cannot change before the vector is there.
    papers = Paper.objects.filter(pk__in=made).order_by("identity")
    current = {each.pk: text_of(each) for each in papers.select_for_update(no_key=True)}
    rows = [
        Embedding(paper_id=pk, model=encoder.MODEL, vector=vector)
        for pk, vector in made.items()
        if current.get(pk) == texts[pk]
    ]
    Embedding.objects.filter(paper__in=current).delete()
    Embedding.objects.bulk_create(rows)
    return len(rows)


def texts_of(ids: Sequence[int]) -> dict[int, str]:
    papers = Paper.objects.in_bulk(ids)
    return {pk: text_of(papers[pk]) for pk in ids if pk in papers}


def text_of(paper: Paper) -> str:
    return f"{paper.title}. {paper.abstract}"


def packed(vector: NDArray[np.float32]) -> bytes:
    """A signed byte for each dimension: only the direction matters."""
    return np.round(vector * (127 / np.abs(vector).max())).astype(np.int8).tobytes()


def unpacked(vectors: Sequence[bytes | memoryview]) -> NDArray[np.float32]:
    """Rows of length one."""
    signed = np.frombuffer(b"".join(map(bytes, vectors)), dtype=np.int8)
    rows = signed.reshape(-1, encoder.SIZE).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@dataclass
class Space:
    """The newest papers of the database as directions."""

    papers: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    rows: NDArray[np.float32] = field(default_factory=lambda: unpacked(()))
    last: int = 0
    lock: Lock = field(default_factory=Lock)

    def refresh(self) -> None:
        """Load what came since; a paper that got a new vector loses the old one."""
        with self.lock:
            newer = Embedding.objects.filter(model=encoder.MODEL, pk__gt=self.last)
            found = list(newer.order_by("-pk").values_list("pk", "paper_id", "vector")[:MOST])
            if not found:
                return
            numbers, papers, vectors = zip(*reversed(found), strict=True)
            kept = ~np.isin(self.papers, papers)
            self.papers = np.concatenate([self.papers[kept], papers])[-MOST:]
            self.rows = np.concatenate([self.rows[kept], unpacked(vectors)])[-MOST:]
            self.last = numbers[-1]

    def nearest(self, vector: NDArray[np.float32], *, most: int, least: float) -> list[int]:
        """Ids of papers, the nearest first, whose cosine is `least` or more."""
        with self.lock:
            papers, rows = self.papers, self.rows
        cosines = rows @ vector
        best = np.argsort(-cosines, kind="stable")[:most]
        return [int(papers[at]) for at in best if cosines[at] >= least]


space = Space()


def near_text(text: str, *, most: int, least: float = 0.0) -> list[int]:
    if not text or not encoder.is_installed():
        return []
    space.refresh()
    return space.nearest(encoder.vector(text), most=most, least=least)


def near_paper(paper: Paper, *, most: int, least: float = 0.0) -> list[int]:
    """Other papers, the nearest first."""
    if not encoder.is_installed():
        return []
    own = Embedding.objects.filter(paper=paper, model=encoder.MODEL).values_list(
        "vector", flat=True
    )
    if not (vectors := list(own)):
        return []
    space.refresh()
    found = space.nearest(unpacked(vectors)[0], most=most + 1, least=least)
    return [each for each in found if each != paper.pk][:most]
