"""Topics by rules: what a title says counts most."""

from __future__ import annotations

import pytest

from papers import topics
from tests.papers import recorded


def test_a_phrase_in_the_title_gives_the_topic():
    assert topics.match("Robot Grasping for Everyone", "") == ["robotics"]


def test_one_phrase_in_the_abstract_is_not_enough():
    assert topics.match("A Study", "We use reinforcement learning.") == []


def test_two_phrases_in_the_abstract_are():
    abstract = "We use reinforcement learning with a policy gradient."

    assert topics.match("A Study", abstract) == ["reinforcement-learning"]


def test_a_phrase_that_comes_again_is():
    assert topics.match("A Study", "Robots.") == []
    assert topics.match("A Study", "Robots. And robots again.") == ["robotics"]


def test_words_that_are_common_mean_something_only_together():
    assert topics.match("Training", "Training, training and training.") == []
    assert topics.match("Training", "Optimization in training.") == ["optimization-training"]


def test_a_hyphen_parts_words():
    assert topics.match("Self Supervised Learning", "") == topics.match(
        "Self-Supervised Learning", ""
    )
    assert "representation-learning" in topics.match("Self-Supervised Learning", "")


def test_a_phrase_is_whole_words():
    assert topics.match("Robotham's Theorem and Tragan Dragons", "") == []


def test_a_weak_phrase_within_a_longer_one_says_nothing():
    assert "computer-vision" not in topics.match("Vision-Language Models", "Vision-language.")


def test_an_own_category_gives_the_topic_alone():
    assert topics.match("On Something", "", categories=["cs.RO", "cs.LG"]) == ["robotics"]


def test_keywords_count_like_the_abstract_and_do_not_run_together():
    keywords = ["speech recognition", "text-to-speech"]

    assert topics.match("A Study", "", keywords=keywords) == ["speech-audio"]
    assert topics.match("A Study", "", keywords=["speech", "recognition"]) == []


def test_a_paper_has_four_topics_at_most():
    title = "Robots, Speech Recognition, Quantum Circuits, Recommender Systems and Chatbots"

    assert len(topics.match(title, "")) == topics.MOST_TOPICS


def test_beside_a_strong_topic_a_faint_one_is_left_out():
    abstract = (
        "Speech recognition, text-to-speech, speech synthesis, music, spoken audio, voice. "
        "It runs on a robot, and robots move."
    )

    assert topics.match("Speech Recognition", abstract) == ["speech-audio"]


def test_beside_the_strongest_topic_a_sure_one_is_kept():
    abstract = (
        "Speech recognition, text-to-speech, speech synthesis, music, spoken audio, voice. "
        "Speech recognition, text-to-speech, speech synthesis, music, spoken audio, voice. "
        "It runs on a robot; robots move, and robotics profits."
    )

    assert topics.match("Speech Recognition", abstract) == ["speech-audio", "robotics"]


@pytest.mark.parametrize("rule", topics.load(), ids=lambda rule: rule.slug)
def test_each_topic_can_be_found_by_its_first_phrase(rule):
    assert rule.slug in topics.match(rule.phrases[0], "")


def test_the_file_holds_forty_topics_that_fit_their_columns():
    rules = topics.load()

    assert len(rules) == len({rule.slug for rule in rules}) == 40
    assert max(len(rule.name) for rule in rules) <= 100
    assert max(len(rule.description) for rule in rules) <= 300


@recorded.needs_recordings
def test_the_rules_agree_with_a_person():
    found = [
        (set(topics.match(title, abstract)), labels)
        for title, abstract, labels in recorded.labelled_papers()
    ]

    right = sum(len(got & labels) for got, labels in found)
    f1 = 2 * right / sum(len(got) + len(labels) for got, labels in found)

    assert len(found) == 119
    assert f1 >= 0.85
