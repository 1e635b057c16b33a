"""Topics by rules: the title counts most."""

from __future__ import annotations

from collections import Counter

import pytest

from papers.topics import classifier
from tests.papers import recordings


def test_a_phrase_in_the_title_gives_the_topic():
    assert classifier.topic_slugs("Robot Grasping for Everyone", "") == ["robotics"]


def test_one_phrase_in_the_abstract_is_not_enough():
    assert classifier.topic_slugs("A Study", "We use reinforcement learning.") == []


def test_two_phrases_in_the_abstract_are_enough():
    abstract = "We use reinforcement learning with a policy gradient."

    assert classifier.topic_slugs("A Study", abstract) == ["reinforcement-learning"]


def test_one_phrase_that_is_repeated_in_the_abstract_is_enough():
    assert classifier.topic_slugs("A Study", "Robots.") == []
    assert classifier.topic_slugs("A Study", "Robots. And robots again.") == ["robotics"]


def test_common_words_count_only_together():
    assert classifier.topic_slugs("Training", "Training, training and training.") == []
    assert classifier.topic_slugs("Training", "Optimization in training.") == [
        "optimization-training"
    ]


def test_common_words_do_not_count_beside_a_phrase():
    common = "Images, pixels, videos and a camera."

    assert classifier.topic_slugs("A Study", common) == ["computer-vision"]
    assert classifier.topic_slugs("Robots", common) == ["robotics"]
    assert (
        classifier.classify("Robots", common).reason_rejected("computer-vision")
        == "only common words"
    )


def test_title_phrases_are_strong_in_the_title_only():
    assert classifier.topic_slugs("On Language Models", "") == ["large-language-models"]
    assert classifier.topic_slugs("A Study", "Language models. Language models.") == []


def test_a_name_that_ends_in_bench_is_a_benchmark():
    assert classifier.topic_slugs("AgentBench", "") == ["data-benchmarks"]
    assert classifier.topic_slugs("Benchwork", "") == []


def test_a_hyphen_separates_words():
    assert classifier.topic_slugs("Self Supervised Learning", "") == classifier.topic_slugs(
        "Self-Supervised Learning", ""
    )
    assert "representation-learning" in classifier.topic_slugs("Self-Supervised Learning", "")


def test_a_phrase_matches_whole_words_only():
    assert classifier.topic_slugs("Robotham's Theorem and Tragan Dragons", "") == []


def test_a_weak_phrase_inside_a_longer_one_does_not_count():
    assert "computer-vision" not in classifier.topic_slugs(
        "Vision-Language Models", "Vision-language."
    )


def test_an_own_category_is_enough_for_a_topic():
    assert classifier.topic_slugs("On Something", "", categories=["cs.RO", "cs.LG"]) == ["robotics"]


def test_an_own_category_counts_under_any_of_its_names():
    assert classifier.topic_slugs("On Something", "", categories=["cs.sy"]) == ["control-or"]


def test_a_general_category_counts_only_without_other_topics():
    assert classifier.topic_slugs("On Something", "", categories=["cs.CL"]) == ["nlp"]
    assert classifier.topic_slugs("Robots", "", categories=["cs.CL"]) == ["robotics"]
    assert classifier.topic_slugs("On Something", "Machine translation.", categories=["cs.CL"]) == [
        "nlp"
    ]


def test_unknown_categories_are_ignored():
    assert classifier.topic_slugs("On Something", "", categories=["68T05", "", "cs.XX"]) == []


def test_keywords_count_like_the_abstract_and_do_not_run_together():
    keywords = ["speech recognition", "text-to-speech"]

    assert classifier.topic_slugs("A Study", "", keywords=keywords) == ["speech-audio"]
    assert classifier.topic_slugs("A Study", "", keywords=["speech", "recognition"]) == []


def test_a_paper_has_at_most_three_topics():
    title = "Robots, Speech Recognition, Quantum Circuits, Recommender Systems and Chatbots"

    classification = classifier.classify(title, "")

    assert len(classification.weights) == 5
    assert len(classification.chosen) == classifier.MAX_TOPICS == 3
    assert Counter(classification.reason_rejected(slug) for slug in classification.weights) == {
        "": 3,
        "3 others weigh more": 2,
    }


def test_a_light_topic_beside_a_heavy_one_is_rejected():
    abstract = "Text-to-speech, speech synthesis, music, voice. It is on a robot, and robots move."

    classification = classifier.classify("Speech Recognition", abstract)

    assert classification.chosen == ["speech-audio"]
    assert classification.weights["robotics"] == 2.0
    assert classification.reason_rejected("robotics") == f"less than {classification.threshold:.2f}"


def test_a_topic_over_the_cap_is_chosen_beside_any_heavier_one():
    many = "Speech recognition, text-to-speech, speech synthesis, music, audio, voice. "
    abstract = f"{many}{many}It runs on a robot; robots move; robotics, a humanoid, locomotion."

    classification = classifier.classify("Speech Recognition", abstract)

    assert (
        classification.threshold
        == classifier.SECONDARY_CAP
        < classifier.SECONDARY_SHARE * classification.weights["speech-audio"]
    )
    assert classification.chosen == ["speech-audio", "robotics"]


def test_evidence_has_its_place():
    classification = classifier.classify(
        "Robots at Work", "Robots, locomotion.", ["cs.RO"], ["locomotion", "grasping"]
    )

    assert classification.evidence == [
        ("robotics", "robots", "title", 1, False, 3.0),
        ("robotics", "robots", "abstract", 1, False, 1.0),
        ("robotics", "locomotion", "abstract and keywords", 2, False, 1.75),
        ("robotics", "grasping", "keywords", 1, False, 1.0),
        ("robotics", "cs.RO", "category", 1, False, 3.0),
    ]
    assert classification.weights == {"robotics": 9.75}


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00",
        "\ud800",
        "🙂" * 1000,
        "<script>robot</script>",
        "a" * 10**6,
        "bench" * 10**5,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_any_text_can_be_classified(text):
    classification = classifier.classify(text, text, [text], [text])

    assert sum(piece.weight for piece in classification.evidence) == sum(
        classification.weights.values()
    )


@recordings.needs_recordings
def test_the_rules_agree_with_manual_labels():
    pairs = [
        (set(classifier.topic_slugs(title, abstract)), labels)
        for title, abstract, labels in recordings.labelled_papers()
    ]

    true_positives = sum(len(slugs & labels) for slugs, labels in pairs)
    f1 = 2 * true_positives / sum(len(slugs) + len(labels) for slugs, labels in pairs)

    assert len(pairs) == 119
    assert f1 >= 0.85
