"""The rules in topics.json: complete, consistent, and not fitted to single papers."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable

from papers.topics import categories, classifier, rules
from papers.topics.rules import TopicRule
from tests.papers import recordings


def test_each_topic_can_be_found_by_its_first_phrase():
    missed = [
        rule.slug
        for rule in rules.load_rules()
        if rule.slug not in classifier.topic_slugs(rule.phrases[0], "")
    ]

    assert missed == []


def test_the_file_holds_forty_topics_that_fit_their_columns():
    topics = rules.load_rules()

    assert len(topics) == len({rule.slug for rule in topics}) == 40
    assert len({rule.name for rule in topics}) == 40
    assert max(len(rule.name) for rule in topics) <= 100
    assert max(len(rule.description) for rule in topics) <= 300


def test_each_phrase_is_in_the_form_of_tokens_and_once_in_its_topic():
    for rule in rules.load_rules():
        phrases = phrases_in_rule(rule)
        assert phrases == [" ".join(rules.tokenize_for_rules(phrase)) for phrase in phrases], (
            rule.slug
        )
        # A title phrase is strong in titles and weak elsewhere, so it must not be listed as either.
        assert [phrase for phrase, count in Counter(phrases).items() if count > 1] == [], rule.slug


def test_each_category_in_the_file_exists_and_is_the_own_of_two_topics_at_most():
    owners = defaultdict(list)
    for row in json.loads(rules.TOPICS_FILE.read_text())["topics"]:
        for field in ("arxiv_primary", "arxiv_general", "arxiv_hint"):
            assert [name for name in row[field] if categories.canonical_id(name) != name] == []
        for category_id in row["arxiv_primary"] + row["arxiv_general"]:
            owners[category_id].append(row["slug"])

    assert {category_id: slugs for category_id, slugs in owners.items() if len(slugs) > 2} == {}


def test_no_phrase_is_as_long_as_a_title():
    phrases = [phrase for rule in rules.load_rules() for phrase in phrases_in_rule(rule)]

    assert [phrase for phrase in phrases if phrase.count(" ") > 4] == []


@recordings.needs_recordings
def test_no_rule_was_made_for_one_paper():
    """A phrase of one labelled paper that none of thousands of others has is suspicious.

    A few are terms of fields that the recordings have few papers of, such as qubits and galaxies.
    """
    labelled = [(title, abstract) for title, abstract, _ in recordings.labelled_papers()]
    phrases = {phrase for rule in rules.load_rules() for phrase in phrases_in_rule(rule)}
    titles = {" ".join(rules.tokenize_for_rules(title)) for title, _ in labelled}
    in_labelled = document_frequencies(labelled)
    in_others = document_frequencies(
        (paper["title"], paper["summary"]) for paper in recordings.arxiv_papers()
    )
    in_others += document_frequencies(
        (item["paper"]["title"], item["paper"]["summary"])
        for item in recordings.huggingface_items()
    )
    lone = {phrase for phrase, count in in_labelled.items() if count == 1 and not in_others[phrase]}

    assert phrases & titles == set()
    assert len(lone) < len(phrases) / 75


def phrases_in_rule(rule: TopicRule) -> list[str]:
    return [*rule.title_phrases, *rule.phrases, *rule.weak_phrases]


def document_frequencies(papers: Iterable[tuple[str, str]]) -> Counter[str]:
    """Return the number of papers with each phrase."""
    frequencies: Counter[str] = Counter()
    for title, abstract in papers:
        tokens = rules.tokenize_for_rules(f"{title} . {abstract}")
        matches = rules.find_phrases(tokens, rules.phrase_trie(for_title=True))
        frequencies.update({phrase for _, phrase, _ in matches})
    return frequencies
