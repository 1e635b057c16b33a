"""Why a paper has its topics, as an operator sees it."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from papers.topics import classifier
from tests import factories

pytestmark = pytest.mark.django_db


def explained(*args: str) -> str:
    out = io.StringIO()
    call_command("explain_topics", *args, stdout=out)
    return out.getvalue()


def test_a_stored_paper_is_explained_from_all_that_it_was_filed_by():
    paper = factories.paper(
        title="Robots at Work",
        abstract="Locomotion, and locomotion again, by reward.",
        categories=["cs.SE"],
        keywords=["grasping"],
    )

    assert explained(f"https://arxiv.org/abs/{paper.arxiv_id}v3") == (
        "Topics: robotics, code. Enough here: 2.88.\n"
        "\n"
        "robotics  5.75  yes\n"
        "  3.00  title: robots\n"
        "  1.75  abstract: locomotion, 2 times\n"
        "  1.00  keywords: grasping\n"
        "\n"
        "code  3.00  yes\n"
        "  3.00  category: cs.SE\n"
        "\n"
        "reinforcement-learning  0.50  no: only common words\n"
        "  0.50  abstract: reward, common\n"
    )


def test_a_topic_that_was_just_missed_is_shown_with_what_it_lacks():
    found = explained("--title", "A Study", "--abstract", "Robots.")

    assert found == (
        "Topics: none. Enough here: 1.75.\n\nrobotics  1.00  no: less than 1.75\n"
        "  1.00  abstract: robots\n"
    )


def test_a_general_category_is_shown_as_one():
    found = explained("--category", "cmp-lg", "--keyword", "robots", "--keyword", "robots")

    assert found.splitlines()[0] == "Topics: robotics. Enough here: 1.75."
    assert "  1.75  keywords: robots, 2 times" in found
    assert "nlp  1.00  no: only common words\n  1.00  general category: cs.CL" in found


def test_a_title_is_read_as_the_catalogue_reads_it():
    assert "title: quantum" in explained("--title", r"\textbf{Quantum} Things")


@pytest.mark.parametrize("title", ["Zzz", "\ud800", "\x00", "🙂", "'; DROP TABLE papers_paper"])
def test_a_paper_without_topics_is_an_answer(title):
    assert explained("--title", title) == "No topic: nothing of the rules is in this paper.\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ([], "Say which paper: the arXiv id or DOI of a stored one, or --title."),
        ([""], "Say which paper: the arXiv id or DOI of a stored one, or --title."),
        (["--title", ""], "Say which paper: the arXiv id or DOI of a stored one, or --title."),
        (["robots"], "No paper 'robots' is stored: give its --title and --abstract instead."),
        (["\udcff"], "No paper '\\udcff' is stored: give its --title and --abstract instead."),
        (
            ["2605.0\x00"],
            "No paper '2605.0\\x00' is stored: give its --title and --abstract instead.",
        ),
        (
            ["9" * 10**5],
            f"No paper '{'9' * 80}' is stored: give its --title and --abstract instead.",
        ),
        (
            ["2605.99999"],
            "No paper '2605.99999' is stored: give its --title and --abstract instead.",
        ),
        (
            ["2605.01234", "--title", "x", "--abstract", "y"],
            "Give the id of a stored paper or --abstract and --title, not both.",
        ),
        (["--category", "cs.XX"], "'cs.XX' is no category of arXiv such as cs.LG."),
    ],
    ids=lambda each: repr(each[:1])[:20] if isinstance(each, list) else "",
)
def test_what_cannot_be_explained_is_refused_with_a_sentence(args, sentence):
    with pytest.raises(CommandError) as refused:
        explained(*args)

    assert str(refused.value) == sentence


def test_all_that_is_shown_is_what_the_rules_went_by():
    title, abstract = "Robots and Graphs", "Robots learn by reinforcement learning. Robots learn."
    weighed = classifier.classify(title, abstract)

    shown = explained("--title", title, "--abstract", abstract)

    assert weighed.chosen == classifier.topic_slugs(title, abstract)
    assert shown.splitlines()[0].startswith(f"Topics: {', '.join(weighed.chosen)}.")
    assert shown.count("\n  ") == len(weighed.evidence)
