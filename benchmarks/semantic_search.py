"""Measure the extra `semantic`: papers per second, milliseconds per query, and memory."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from itertools import islice

import numpy as np

import benchmarks
from benchmarks import corpus
from papers.search import embeddings, encoder

PAPER_COUNT, REPEATS = 40, 30
EXAMPLE_QUERY = "graph neural networks for molecules"


def main() -> None:
    if not encoder.is_installed():
        raise benchmarks.MissingRequirementError("the extra `semantic` is not installed")
    papers = islice(corpus.generate_papers(PAPER_COUNT, corpus.load_patterns()), PAPER_COUNT)
    texts = [f"{paper.title}. {' '.join(paper.sentences)}" for paper in papers]
    before = peak_memory_mb()
    start = time.perf_counter()
    encoder.encode("")
    print(
        f"Loading the model: {time.perf_counter() - start:.2f} s, {peak_memory_mb() - before:.0f} MB."
    )
    start = time.process_time()
    encoder.encode_batch(texts)
    papers_per_second = PAPER_COUNT / (time.process_time() - start)
    print(
        f"Embedding: {papers_per_second:.0f} papers per second on one core;"
        f" {peak_memory_mb() - before:.0f} MB."
    )
    index = build_full_index()
    vector = encoder.encode(EXAMPLE_QUERY)
    print(f"Encoding a query: {median_cpu_ms(lambda: encoder.encode(EXAMPLE_QUERY)):.1f} ms.")
    milliseconds = median_cpu_ms(lambda: index.nearest(vector, limit=100, min_similarity=0.0))
    size = (index.unit_vectors.nbytes + index.paper_ids.nbytes) / 1e6
    print(
        f"Nearest 100 of {len(index.unit_vectors):,} papers: {milliseconds:.1f} ms, {size:.0f} MB."
    )


def build_full_index() -> embeddings.EmbeddingIndex:
    """Return an index of the maximum size, with random vectors."""
    rng = np.random.default_rng(corpus.SEED)
    signed = rng.integers(
        -127, 128, (embeddings.MAX_INDEXED_PAPERS, encoder.DIMENSIONS), dtype=np.int8
    )
    rows = embeddings.dequantise([signed.tobytes()])
    return embeddings.EmbeddingIndex(paper_ids=np.arange(len(rows)), unit_vectors=rows)


def median_cpu_ms(function: Callable[[], object]) -> float:
    """Return the median CPU time in milliseconds, which other processes do not change."""
    timings = []
    for _ in range(REPEATS):
        start = time.process_time()
        function()
        timings.append(1e3 * (time.process_time() - start))
    return statistics.median(timings)


def peak_memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
