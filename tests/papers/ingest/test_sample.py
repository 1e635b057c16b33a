"""The bundled sample: real papers, complete, with recent dates."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta

import pytest

from papers.identity import parse_arxiv_id
from papers.ingest import pipeline, sample
from papers.models import Paper
from papers.text.latex import latex_to_text
from papers.topics import classifier, rules
from papers.trends import ranking
from tests.factories import NOW, TODAY
from tests.papers import recordings


def test_the_sample_has_about_sixty_papers_without_duplicates():
    ids = [record.arxiv_id for record in sample.build_records(TODAY)]

    assert 50 <= len(ids) <= 70
    assert len(set(ids)) == len(ids)
    assert [parse_arxiv_id(arxiv_id) for arxiv_id in ids] == ids


def test_each_paper_is_complete(subtests):
    for record in sample.build_records(TODAY):
        with subtests.test(record.arxiv_id):
            assert record.title
            assert record.authors
            assert 150 <= len(latex_to_text(record.abstract)) <= 700
            assert record.abstract.count(". ") <= 4
            assert record.upvotes is not None
            assert record.comments is not None
            assert (record.stars is None) or record.code_url.startswith("https://github.com/")
            assert record.listed_on is not None
            assert TODAY - timedelta(days=5) <= record.listed_on <= TODAY - timedelta(days=1)
            assert record.published_on is not None
            assert record.published_on <= record.listed_on


def test_the_dates_move_with_today():
    later = TODAY + timedelta(days=400)

    assert ages(later) == ages(TODAY)


def ages(today: date) -> list[timedelta]:
    days = [record.listed_on for record in sample.build_records(today)]
    return [today - day for day in days if day]


def test_the_popular_topics_have_at_least_two_papers_each():
    paper_counts = Counter(
        slug
        for record in sample.build_records(TODAY)
        for slug in classifier.topic_slugs(
            latex_to_text(record.title), latex_to_text(record.abstract)
        )
    )

    assert len(paper_counts) >= 20
    popular = [
        "large-language-models",
        "agents",
        "reasoning",
        "multimodal",
        "computer-vision",
        "image-video-generation",
        "reinforcement-learning",
        "robotics",
        "generative-models",
        "code",
        "data-benchmarks",
        "efficient-ml",
        "alignment-safety",
        "speech-audio",
        "retrieval-recsys",
        "3d-graphics",
        "interpretability",
    ]
    assert {slug: paper_counts[slug] for slug in popular if paper_counts[slug] < 2} == {}


@pytest.mark.django_db
def test_loading_the_sample_twice_changes_nothing_and_gives_gains():
    first = pipeline.load_sample(now=NOW)
    repeat = pipeline.load_sample(now=NOW + timedelta(hours=5))

    assert first.upserts.created == Paper.objects.count() == repeat.upserts.unchanged
    assert repeat.reading_count == 0
    assert str(first).startswith(
        f"sample: {first.paper_count} papers ({first.paper_count} new, 0 updated)"
    )
    gains = [paper.gain for paper in ranking.rank(NOW)]
    assert len(gains) == first.paper_count
    assert sum(gain is not None and gain > 0 for gain in gains) > first.paper_count / 2


@recordings.needs_recordings
def test_the_summaries_are_our_own_words():
    """No seven adjacent words are those of the published abstract."""
    published = {
        item["paper"]["id"]: item["paper"]["summary"] for item in recordings.huggingface_items()
    }

    def seven_word_sequences(text: str) -> set[tuple[str, ...]]:
        words = rules.tokenize_for_rules(text)
        return {tuple(words[start : start + 7]) for start in range(len(words) - 6)}

    copied = {
        record.arxiv_id: shared
        for record in sample.build_records(TODAY)
        if (
            shared := seven_word_sequences(record.abstract)
            & seven_word_sequences(published.get(record.arxiv_id, ""))
        )
    }
    assert copied == {}


def test_the_file_states_that_the_summaries_are_our_own():
    assert "our own words" in json.loads(sample.SAMPLE_FILE.read_text())["note"]
