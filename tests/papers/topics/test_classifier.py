"""Topics by rules: what a title says counts most."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest

from papers.topics import categories, classifier
from tests.papers import recordings


def test_a_phrase_in_the_title_gives_the_topic():
    assert classifier.topic_slugs("Robot Grasping for Everyone", "") == ["robotics"]


def test_one_phrase_in_the_abstract_is_not_enough():
    assert classifier.topic_slugs("A Study", "We use reinforcement learning.") == []


def test_two_phrases_in_the_abstract_are():
    abstract = "We use reinforcement learning with a policy gradient."

    assert classifier.topic_slugs("A Study", abstract) == ["reinforcement-learning"]


def test_a_phrase_that_comes_again_is():
    assert classifier.topic_slugs("A Study", "Robots.") == []
    assert classifier.topic_slugs("A Study", "Robots. And robots again.") == ["robotics"]


def test_words_that_are_common_mean_something_only_together():
    assert classifier.topic_slugs("Training", "Training, training and training.") == []
    assert classifier.topic_slugs("Training", "Optimization in training.") == [
        "optimization-training"
    ]


def test_words_that_are_common_mean_nothing_beside_a_phrase():
    common = "Images, pixels, videos and a camera."

    assert classifier.topic_slugs("A Study", common) == ["computer-vision"]
    assert classifier.topic_slugs("Robots", common) == ["robotics"]
    assert (
        classifier.classify("Robots", common).reason_rejected("computer-vision")
        == "only common words"
    )


def test_some_phrases_are_strong_in_the_title_only():
    assert classifier.topic_slugs("On Language Models", "") == ["large-language-models"]
    assert classifier.topic_slugs("A Study", "Language models. Language models.") == []


def test_a_benchmark_is_known_by_its_name():
    assert classifier.topic_slugs("AgentBench", "") == ["data-benchmarks"]
    assert classifier.topic_slugs("Benchwork", "") == []


def test_a_hyphen_parts_words():
    assert classifier.topic_slugs("Self Supervised Learning", "") == classifier.topic_slugs(
        "Self-Supervised Learning", ""
    )
    assert "representation-learning" in classifier.topic_slugs("Self-Supervised Learning", "")


def test_a_phrase_is_whole_words():
    assert classifier.topic_slugs("Robotham's Theorem and Tragan Dragons", "") == []


def test_a_weak_phrase_within_a_longer_one_says_nothing():
    assert "computer-vision" not in classifier.topic_slugs(
        "Vision-Language Models", "Vision-language."
    )


def test_an_own_category_gives_the_topic_alone():
    assert classifier.topic_slugs("On Something", "", categories=["cs.RO", "cs.LG"]) == ["robotics"]


def test_an_own_category_is_known_by_any_name():
    assert classifier.topic_slugs("On Something", "", categories=["cs.sy"]) == ["control-or"]


def test_a_general_category_gives_the_topic_if_nothing_else_does():
    assert classifier.topic_slugs("On Something", "", categories=["cs.CL"]) == ["nlp"]
    assert classifier.topic_slugs("Robots", "", categories=["cs.CL"]) == ["robotics"]
    assert classifier.topic_slugs("On Something", "Machine translation.", categories=["cs.CL"]) == [
        "nlp"
    ]


def test_what_is_no_category_says_nothing():
    assert classifier.topic_slugs("On Something", "", categories=["68T05", "", "cs.XX"]) == []


def test_keywords_count_like_the_abstract_and_do_not_run_together():
    keywords = ["speech recognition", "text-to-speech"]

    assert classifier.topic_slugs("A Study", "", keywords=keywords) == ["speech-audio"]
    assert classifier.topic_slugs("A Study", "", keywords=["speech", "recognition"]) == []


def test_a_paper_has_few_topics_at_most():
    title = "Robots, Speech Recognition, Quantum Circuits, Recommender Systems and Chatbots"

    found = classifier.classify(title, "")

    assert len(found.weights) == 5
    assert len(found.chosen) == classifier.MAX_TOPICS == 3
    assert Counter(found.reason_rejected(slug) for slug in found.weights) == {
        "": 3,
        "3 others weigh more": 2,
    }


def test_beside_a_strong_topic_a_faint_one_is_left_out():
    abstract = "Text-to-speech, speech synthesis, music, voice. It is on a robot, and robots move."

    found = classifier.classify("Speech Recognition", abstract)

    assert found.chosen == ["speech-audio"]
    assert found.weights["robotics"] == 2.0
    assert found.reason_rejected("robotics") == f"less than {found.threshold:.2f}"


def test_beside_the_strongest_topic_a_sure_one_is_kept():
    many = "Speech recognition, text-to-speech, speech synthesis, music, audio, voice. "
    abstract = f"{many}{many}It runs on a robot; robots move; robotics, a humanoid, locomotion."

    found = classifier.classify("Speech Recognition", abstract)

    assert (
        found.threshold
        == classifier.SECONDARY_CAP
        < classifier.SECONDARY_SHARE * found.weights["speech-audio"]
    )
    assert found.chosen == ["speech-audio", "robotics"]


def test_what_was_found_is_told_with_its_place():
    found = classifier.classify(
        "Robots at Work", "Robots, locomotion.", ["cs.RO"], ["locomotion", "grasping"]
    )

    assert found.evidence == [
        ("robotics", "robots", "title", 1, False, 3.0),
        ("robotics", "robots", "abstract", 1, False, 1.0),
        ("robotics", "locomotion", "abstract and keywords", 2, False, 1.75),
        ("robotics", "grasping", "keywords", 1, False, 1.0),
        ("robotics", "cs.RO", "category", 1, False, 3.0),
    ]
    assert found.weights == {"robotics": 9.75}


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
def test_any_text_can_be_weighed(text):
    found = classifier.classify(text, text, [text], [text])

    assert sum(piece.weight for piece in found.evidence) == sum(found.weights.values())


@pytest.mark.parametrize("rule", classifier.load_rules(), ids=lambda rule: rule.slug)
def test_each_topic_can_be_found_by_its_first_phrase(rule):
    assert rule.slug in classifier.topic_slugs(rule.phrases[0], "")


def test_the_file_holds_forty_topics_that_fit_their_columns():
    rules = classifier.load_rules()

    assert len(rules) == len({rule.slug for rule in rules}) == 40
    assert len({rule.name for rule in rules}) == 40
    assert max(len(rule.name) for rule in rules) <= 100
    assert max(len(rule.description) for rule in rules) <= 300


def test_each_phrase_is_written_as_it_is_looked_for_and_once_in_its_topic():
    for rule in classifier.load_rules():
        phrases = phrases_of(rule)
        assert phrases == [" ".join(classifier.tokenize_for_rules(phrase)) for phrase in phrases], (
            rule.slug
        )
        # A title phrase is strong there and weak elsewhere, so it is neither else.
        assert [each for each, times in Counter(phrases).items() if times > 1] == [], rule.slug


def test_each_category_in_the_file_is_one_and_is_the_own_of_few_topics():
    owners = defaultdict(list)
    for row in json.loads(classifier.TOPICS_FILE.read_text())["topics"]:
        for field in ("arxiv_primary", "arxiv_general", "arxiv_hint"):
            assert [each for each in row[field] if categories.canonical_id(each) != each] == []
        for each in row["arxiv_primary"] + row["arxiv_general"]:
            owners[each].append(row["slug"])

    assert {each: slugs for each, slugs in owners.items() if len(slugs) > 2} == {}


def test_no_phrase_is_as_long_as_a_title():
    assert [
        each for rule in classifier.load_rules() for each in phrases_of(rule) if each.count(" ") > 4
    ] == []


@recordings.needs_recordings
def test_the_rules_agree_with_a_person():
    found = [
        (set(classifier.topic_slugs(title, abstract)), labels)
        for title, abstract, labels in recordings.labelled_papers()
    ]

    right = sum(len(got & labels) for got, labels in found)
    f1 = 2 * right / sum(len(got) + len(labels) for got, labels in found)

    assert len(found) == 119
    assert f1 >= 0.85


@recordings.needs_recordings
def test_no_rule_was_made_for_one_paper():
    """A phrase that one labelled paper has, and none of thousands of others, is suspicious.

    A few are the words of fields that the recordings have little of: qubits, galaxies.
    """
    labelled = [(title, abstract) for title, abstract, _ in recordings.labelled_papers()]
    phrases = {each for rule in classifier.load_rules() for each in phrases_of(rule)}
    titles = {" ".join(classifier.tokenize_for_rules(title)) for title, _ in labelled}
    theirs = counted(labelled)
    others = counted((each["title"], each["summary"]) for each in recordings.arxiv_papers())
    others += counted(
        (item["paper"]["title"], item["paper"]["summary"])
        for item in recordings.huggingface_items()
    )
    lone = {each for each, papers in theirs.items() if papers == 1 and not others[each]}

    assert phrases & titles == set()
    assert len(lone) < len(phrases) / 75


def phrases_of(rule):
    return [*rule.title_phrases, *rule.phrases, *rule.weak_phrases]


def counted(papers):
    """How many of the papers have each phrase."""
    found: Counter[str] = Counter()
    for title, abstract in papers:
        text = classifier.tokenize_for_rules(f"{title} . {abstract}")
        found.update(
            {
                phrase
                for _, phrase, _ in classifier.find_phrases(
                    text, classifier.phrase_trie(for_title=True)
                )
            }
        )
    return found
