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

PAPERS, QUESTIONS = 40, 30
QUESTION = "graph neural networks for molecules"


def main() -> None:
    if not encoder.is_installed():
        raise benchmarks.Skip("the extra `semantic` is not installed")
    made = islice(corpus.papers(PAPERS, corpus.patterns()), PAPERS)
    texts = [f"{each.title}. {' '.join(each.sentences)}" for each in made]
    before = peak()
    start = time.perf_counter()
    encoder.vector("")
    print(f"Loading the model: {time.perf_counter() - start:.2f} s, {peak() - before:.0f} MB.")
    start = time.process_time()
    encoder.vectors(texts)
    each = (time.process_time() - start) / PAPERS
    print(f"Embedding: {1 / each:.0f} papers a second of one core; {peak() - before:.0f} MB.")
    space = full()
    vector = encoder.vector(QUESTION)
    size = (space.rows.nbytes + space.papers.nbytes) / 1e6
    print(f"A question as a vector: {median(lambda: encoder.vector(QUESTION)):.1f} ms.")
    took = median(lambda: space.nearest(vector, most=100, least=0.0))
    print(f"The nearest 100 of {len(space.rows):,} papers: {took:.1f} ms, {size:.0f} MB.")


def full() -> embeddings.Space:
    """As many papers as are ever compared, in random directions."""
    chance = np.random.default_rng(corpus.SEED)
    signed = chance.integers(-127, 128, (embeddings.MOST, encoder.SIZE), dtype=np.int8)
    rows = embeddings.unpacked([signed.tobytes()])
    return embeddings.Space(papers=np.arange(len(rows)), rows=rows)


def median(what: Callable[[], object]) -> float:
    """Milliseconds of the processor, whoever else is using it."""
    taken = []
    for _ in range(QUESTIONS):
        start = time.process_time()
        what()
        taken.append(1e3 * (time.process_time() - start))
    return statistics.median(taken)


def peak() -> float:
    """Megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
