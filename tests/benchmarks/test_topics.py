"""The arithmetic of the topics benchmark."""

from __future__ import annotations

from benchmarks.topics import Filed, Labelled, Tally, expected, phrases, rare, recall, tallies


def test_precision_recall_and_f1_are_counted_by_topic():
    papers = [
        Labelled("Robots", "", frozenset({"robotics"})),
        Labelled("Robots and Qubits", "", frozenset({"robotics", "code"})),
    ]

    counted = tallies(papers)

    assert counted["robotics"] == Tally(right=2)
    assert counted["quantum"] == Tally(wrong=1)
    assert counted["code"] == Tally(missing=1)
    total = sum(counted.values(), Tally())
    assert (total.precision, total.recall, total.f1) == (2 / 3, 2 / 3, 2 / 3)


def test_a_phrase_that_one_labelled_paper_alone_has_is_rare():
    papers = [Labelled("Robots and Qubits", "Qubits.", frozenset())]
    others = [Filed("Robots", "Robots.", ""), Filed("More robots", "", "")]

    assert phrases(others) == {"robots": 2}
    assert rare(papers, others) == ["qubits"]


def test_a_category_expects_its_own_topic_or_one_that_is_filed_there():
    own, wide = expected()

    assert own["cs.CL"] == {"nlp"}
    assert wide["cs.CL"] >= {"nlp", "large-language-models"}
    assert recall([{"nlp", "code"}, {"code"}, set()], own["cs.CL"]) == "0.333"
    assert recall([{"nlp"}], own["cs.AI"]) == "–"
