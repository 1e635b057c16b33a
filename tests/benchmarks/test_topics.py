"""The arithmetic of the topics benchmark."""

from __future__ import annotations

from benchmarks.topics import (
    AnnotatedPaper,
    CategorisedPaper,
    ConfusionCounts,
    confusion_by_topic,
    expected_topics_by_category,
    format_recall,
    phrase_document_frequencies,
    rare_phrases,
)


def test_precision_recall_and_f1_are_counted_by_topic():
    papers = [
        AnnotatedPaper("Robots", "", frozenset({"robotics"})),
        AnnotatedPaper("Robots and Qubits", "", frozenset({"robotics", "code"})),
    ]

    counts = confusion_by_topic(papers)

    assert counts["robotics"] == ConfusionCounts(true_positives=2)
    assert counts["quantum"] == ConfusionCounts(false_positives=1)
    assert counts["code"] == ConfusionCounts(false_negatives=1)
    total = sum(counts.values(), ConfusionCounts())
    assert (total.precision, total.recall, total.f1) == (2 / 3, 2 / 3, 2 / 3)


def test_a_phrase_of_one_labelled_paper_only_is_rare():
    papers = [AnnotatedPaper("Robots and Qubits", "Qubits.", frozenset())]
    others = [CategorisedPaper("Robots", "Robots.", ""), CategorisedPaper("More robots", "", "")]

    assert phrase_document_frequencies(others) == {"robots": 2}
    assert rare_phrases(papers, others) == ["qubits"]


def test_a_category_has_its_own_topics_and_related_ones():
    own, related = expected_topics_by_category()

    assert own["cs.CL"] == {"nlp"}
    assert related["cs.CL"] >= {"nlp", "large-language-models"}
    assert format_recall([{"nlp", "code"}, {"code"}, set()], own["cs.CL"]) == "0.333"
    assert format_recall([{"nlp"}], own["cs.AI"]) == "–"
