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

    counted = confusion_by_topic(papers)

    assert counted["robotics"] == ConfusionCounts(true_positives=2)
    assert counted["quantum"] == ConfusionCounts(false_positives=1)
    assert counted["code"] == ConfusionCounts(false_negatives=1)
    total = sum(counted.values(), ConfusionCounts())
    assert (total.precision, total.recall, total.f1) == (2 / 3, 2 / 3, 2 / 3)


def test_a_phrase_that_one_labelled_paper_alone_has_is_rare():
    papers = [AnnotatedPaper("Robots and Qubits", "Qubits.", frozenset())]
    others = [CategorisedPaper("Robots", "Robots.", ""), CategorisedPaper("More robots", "", "")]

    assert phrase_document_frequencies(others) == {"robots": 2}
    assert rare_phrases(papers, others) == ["qubits"]


def test_a_category_expects_its_own_topic_or_one_that_is_filed_there():
    own, wide = expected_topics_by_category()

    assert own["cs.CL"] == {"nlp"}
    assert wide["cs.CL"] >= {"nlp", "large-language-models"}
    assert format_recall([{"nlp", "code"}, {"code"}, set()], own["cs.CL"]) == "0.333"
    assert format_recall([{"nlp"}], own["cs.AI"]) == "–"
