"""Several sources, one paper: whatever they know it by, and in whatever order they tell of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from papers.models import Paper, Reading
from papers.sources import Record
from tests import factories
from tests.factories import NOW, TODAY
from tests.papers.record_factories import record, upsert_records

pytestmark = pytest.mark.django_db

TITLE = "Attention is one of the things you need"
BY_ARXIV = Record(
    arxiv_id="2604.00001",
    title=TITLE,
    authors=("Ada Lovelace", "Emmy Noether"),
    published_on=TODAY,
    categories=("cs.LG",),
)
BY_DOI = Record(doi="10.1145/1.2", title=TITLE, authors=("Lovelace, A.",), cited_by=3)
BY_BOTH = Record(arxiv_id="2604.00001", doi="10.1145/1.2", citations=4)
BY_TITLE = Record(title=TITLE.upper(), abstract="We need it.")
SOURCES = {BY_ARXIV: "arxiv", BY_DOI: "openalex", BY_BOTH: "semanticscholar", BY_TITLE: "import"}


def known() -> list[dict[str, Any]]:
    names = (
        "identity",
        "arxiv_id",
        "doi",
        "title",
        "authors",
        "abstract",
        "categories",
        "sort_date",
    )
    return list(Paper.objects.order_by("identity").values(*names))


@pytest.mark.parametrize("order", [*permutations(SOURCES)])
def test_four_sources_tell_of_one_paper_in_any_order(order):
    for each in order:
        upsert_records([each], source=SOURCES[each], observed_at=NOW)
    # What came before its paper was known is told again, as sources do.
    for each in order:
        upsert_records([each], source=SOURCES[each], observed_at=NOW)

    assert known() == [
        {
            "identity": "2604.00001",
            "arxiv_id": "2604.00001",
            "doi": "10.1145/1.2",
            "title": TITLE,
            "authors": ["Ada Lovelace", "Emmy Noether"],
            "abstract": "We need it.",
            "categories": ["cs.LG"],
            "sort_date": TODAY,
        }
    ]


def test_they_may_come_in_one_answer():
    added = upsert_records([BY_TITLE, BY_DOI, BY_BOTH, BY_ARXIV], source="import")

    assert (added.created, added.rejected) == (1, [])
    assert len({paper_id for _, paper_id in added.stored}) == len(known()) == 1


def test_facts_may_stand_before_their_paper_in_an_answer():
    added = upsert_records([replace(BY_ARXIV, title="", authors=()), BY_ARXIV], source="arxiv-rss")

    assert (added.created, added.rejected) == (1, [])


def test_when_two_papers_turn_out_to_be_one_nothing_about_either_is_lost():
    other = replace(BY_DOI, title="Under another name, years later")
    by_arxiv, by_doi = (
        upsert_records([BY_ARXIV], source="arxiv"),
        upsert_records([other], source="openalex"),
    )
    for (_, paper_id), value in zip([*by_arxiv.stored, *by_doi.stored], (1, 2), strict=True):
        read = Paper.objects.get(pk=paper_id)
        factories.reading(paper=read, value=value, observed_at=NOW)
        factories.reading(paper=read, value=value, observed_at=NOW + timedelta(hours=value))
    entry = factories.entry(
        edition=factories.edition(), paper=Paper.objects.get(identity=other.doi), topic_ranks={}
    )

    added = upsert_records([BY_BOTH], source="semanticscholar")

    paper = Paper.objects.get()
    assert (added.updated, paper.identity, paper.doi) == (1, "2604.00001", "10.1145/1.2")
    assert [each.value for each in Reading.objects.order_by("observed_at")] == [1, 1, 2]
    entry.refresh_from_db()
    assert entry.paper == paper


def test_two_that_were_both_published_stay_two():
    other = replace(BY_DOI, title="Under another name, years later")
    upsert_records([BY_ARXIV], source="arxiv")
    upsert_records([other], source="openalex")
    factories.edition(papers=Paper.objects.all())

    upsert_records([BY_BOTH], source="semanticscholar")

    assert Paper.objects.count() == 2


def test_the_same_title_by_somebody_else_is_another_paper():
    theirs = Record(title=TITLE, authors=("Grace Hopper",))

    upsert_records([BY_ARXIV, theirs], source="import")

    assert Paper.objects.count() == 2


def test_the_same_title_and_author_with_another_number_is_another_paper():
    upsert_records([BY_ARXIV, replace(BY_ARXIV, arxiv_id="2604.00002")], source="arxiv")
    upsert_records(
        [replace(BY_DOI, doi="10.1145/1.2"), replace(BY_DOI, doi="10.1145/9.9")], source="import"
    )

    assert Paper.objects.filter(arxiv_id="").count() == 0
    assert sorted(Paper.objects.values_list("doi", flat=True)) == ["10.1145/1.2", "10.1145/9.9"]


def test_a_short_title_without_an_author_proves_nothing():
    upsert_records([record(title="Editorial"), Record(title="Editorial")], source="import")
    upsert_records([Record(title="Editorial")], source="import")

    assert Paper.objects.count() == 2


def test_titles_are_never_likened():
    upsert_records(
        [Record(title="Qwen2 Technical Report"), Record(title="Qwen2.5 Technical Report")]
    )

    assert Paper.objects.count() == 2


def test_a_paper_without_a_number_or_a_day_has_an_address_and_a_place_in_time():
    upsert_records([Record(title=TITLE)], source="import", observed_at=NOW)

    paper = Paper.objects.get()
    assert paper.get_absolute_url() == f"/papers/{paper.identity}/"
    assert paper.identity.startswith("title-")
    assert (paper.published_on, paper.listed_on, paper.sort_date) == (None, None, TODAY)


def test_its_address_stays_when_more_is_told_of_it():
    upsert_records([Record(title=TITLE)], source="import")
    before = Paper.objects.get().identity

    upsert_records([Record(title=TITLE, authors=("Ada Lovelace",))], source="import")

    assert Paper.objects.get().identity == before


def test_the_arxiv_s_own_doi_is_its_arxiv_id():
    upsert_records([Record(doi="10.48550/arXiv.2604.00001", title=TITLE)], source="openalex")

    paper = Paper.objects.get()
    assert (paper.identity, paper.arxiv_id, paper.doi) == ("2604.00001", "2604.00001", "")


def test_facts_without_a_title_are_only_for_papers_that_are_known():
    added = upsert_records([BY_BOTH], source="semanticscholar")

    assert added.rejected == ["unknown paper"]
    assert not Paper.objects.exists()


def test_a_withdrawn_paper_trends_no_more():
    told = record(upvotes=50)
    upsert_records([told])
    upsert_records([Record(arxiv_id=told.arxiv_id, withdrawn=True)], source="arxiv")

    assert Paper.objects.get().withdrawn
    assert not Paper.objects.trending(on=TODAY).exists()


def test_a_paper_is_listed_by_who_lists_it_and_published_before():
    upsert_records([replace(BY_ARXIV, published_on=date(2020, 1, 1))], source="arxiv")
    assert not Paper.objects.trending(on=TODAY).exists()

    upsert_records([record(arxiv_id=BY_ARXIV.arxiv_id, listed_on=TODAY)])

    paper = Paper.objects.trending(on=TODAY).get()
    assert (paper.listed_on, paper.published_on, paper.sort_date) == (
        TODAY,
        date(2020, 1, 1),
        TODAY,
    )


def test_a_title_without_an_author_does_not_make_one_paper_of_two():
    by_ada = Record(arxiv_id="2604.00001", title=TITLE, authors=("Ada Lovelace",))
    by_grace = Record(doi="10.1145/1.2", title=TITLE, authors=("Grace Hopper",))
    for each in (by_ada, by_grace, Record(title=TITLE, abstract="We need it.")):
        upsert_records([each], source="import")

    assert [(each["identity"], each["authors"]) for each in known()] == [
        ("10.1145/1.2", ["Grace Hopper"]),
        ("2604.00001", ["Ada Lovelace"]),
    ]


def test_a_title_of_signs_only_says_nothing():
    upsert_records([Record(arxiv_id="2604.00001", title="???")], source="arxiv")

    added = upsert_records([Record(title="+++")], source="import")

    assert added.rejected == ["no title"]


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31), TODAY + timedelta(days=3)])
def test_a_day_that_cannot_be_is_not_known(day):
    upsert_records([record(listed_on=day, published_on=day)], observed_at=NOW)

    paper = Paper.objects.get()
    assert (paper.listed_on, paper.published_on, paper.sort_date) == (None, None, TODAY)


def test_a_paper_is_found_by_its_doi_also_when_it_got_an_arxiv_id():
    upsert_records([BY_DOI], source="openalex")
    upsert_records([BY_BOTH], source="semanticscholar")

    assert Paper.objects.with_identifier("10.1145/1.2").get().identity == "2604.00001"
    assert (
        Paper.objects.with_identifier("https://doi.org/10.1145/1.2").get().identity == "2604.00001"
    )
