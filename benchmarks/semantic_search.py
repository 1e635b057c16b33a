"""What the extra `semantic` costs: papers a second, milliseconds a question, and memory."""

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
    made = islice(corpus.generate_papers(PAPER_COUNT, corpus.load_patterns()), PAPER_COUNT)
    texts = [f"{each.title}. {' '.join(each.sentences)}" for each in made]
    before = peak_memory_mb()
    start = time.perf_counter()
    encoder.encode("")
    print(
        f"Loading the model: {time.perf_counter() - start:.2f} s, {peak_memory_mb() - before:.0f} MB."
    )
    start = time.process_time()
    encoder.encode_batch(texts)
    each = (time.process_time() - start) / PAPER_COUNT
    print(
        f"Embedding: {1 / each:.0f} papers a second of one core; {peak_memory_mb() - before:.0f} MB."
    )
    space = build_full_index()
    vector = encoder.encode(EXAMPLE_QUERY)
    size = (space.unit_vectors.nbytes + space.paper_ids.nbytes) / 1e6
    print(f"A question as a vector: {median_cpu_ms(lambda: encoder.encode(EXAMPLE_QUERY)):.1f} ms.")
    took = median_cpu_ms(lambda: space.nearest(vector, limit=100, min_similarity=0.0))
    print(f"The nearest 100 of {len(space.unit_vectors):,} papers: {took:.1f} ms, {size:.0f} MB.")


def build_full_index() -> embeddings.EmbeddingIndex:
    """As many papers as are ever compared, in random directions."""
    chance = np.random.default_rng(corpus.SEED)
    signed = chance.integers(
        -127, 128, (embeddings.MAX_INDEXED_PAPERS, encoder.DIMENSIONS), dtype=np.int8
    )
    rows = embeddings.dequantise([signed.tobytes()])
    return embeddings.EmbeddingIndex(paper_ids=np.arange(len(rows)), unit_vectors=rows)


def median_cpu_ms(function: Callable[[], object]) -> float:
    """Milliseconds of the processor, whoever else is using it."""
    taken = []
    for _ in range(REPEATS):
        start = time.process_time()
        function()
        taken.append(1e3 * (time.process_time() - start))
    return statistics.median(taken)


def peak_memory_mb() -> float:
    """Megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
