"""Several sources report one paper, under different identifiers and in any order."""

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


def stored_papers() -> list[dict[str, Any]]:
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


def test_four_sources_report_one_paper_in_any_order(subtests):
    for order in permutations(SOURCES):
        Paper.objects.all().delete()
        # Twice: a record that came before its paper was known is reported again, as sources do.
        for report in (*order, *order):
            upsert_records([report], source=SOURCES[report], observed_at=NOW)

        with subtests.test(", ".join(SOURCES[report] for report in order)):
            assert stored_papers() == [
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


def test_four_sources_report_one_paper_in_one_batch():
    result = upsert_records([BY_TITLE, BY_DOI, BY_BOTH, BY_ARXIV], source="import")

    assert (result.created, result.rejected) == (1, [])
    assert len({paper_id for _, paper_id in result.stored}) == len(stored_papers()) == 1


def test_a_record_without_a_title_may_precede_its_paper_in_a_batch():
    result = upsert_records([replace(BY_ARXIV, title="", authors=()), BY_ARXIV], source="arxiv-rss")

    assert (result.created, result.rejected) == (1, [])


def test_merging_two_papers_keeps_the_rows_and_values_of_both():
    other = replace(BY_DOI, title="Under another name, years later")
    by_arxiv, by_doi = (
        upsert_records([BY_ARXIV], source="arxiv"),
        upsert_records([other], source="openalex"),
    )
    for (_, paper_id), value in zip([*by_arxiv.stored, *by_doi.stored], (1, 2), strict=True):
        stored = Paper.objects.get(pk=paper_id)
        factories.reading(paper=stored, value=value, observed_at=NOW)
        factories.reading(paper=stored, value=value, observed_at=NOW + timedelta(hours=value))
    entry = factories.entry(
        edition=factories.edition(), paper=Paper.objects.get(identity=other.doi), topic_ranks={}
    )

    result = upsert_records([BY_BOTH], source="semanticscholar")

    paper = Paper.objects.get()
    assert (result.updated, paper.identity, paper.doi) == (1, "2604.00001", "10.1145/1.2")
    assert [reading.value for reading in Reading.objects.order_by("observed_at")] == [1, 1, 2]
    entry.refresh_from_db()
    assert entry.paper == paper


def test_records_after_a_merge_in_one_batch_are_stored_under_their_own_papers():
    other = replace(BY_DOI, title="Under another name, years later")
    later = [record(arxiv_id=f"2605.{number:05}", title=f"Part {number}") for number in range(30)]

    result = upsert_records([other, BY_ARXIV, BY_BOTH, *later], source="semanticscholar")

    identities = dict(Paper.objects.values_list("pk", "identity"))
    assert [(record, identities[paper_id]) for record, paper_id in result.stored] == [
        *((merged, "2604.00001") for merged in (other, BY_ARXIV, BY_BOTH)),
        *((record, record.arxiv_id) for record in later),
    ]


def test_two_papers_in_one_edition_are_not_merged():
    other = replace(BY_DOI, title="Under another name, years later")
    upsert_records([BY_ARXIV], source="arxiv")
    upsert_records([other], source="openalex")
    factories.edition(papers=Paper.objects.all())

    upsert_records([BY_BOTH], source="semanticscholar")

    assert Paper.objects.count() == 2


def test_the_same_title_by_another_author_is_another_paper():
    by_grace = Record(title=TITLE, authors=("Grace Hopper",))

    upsert_records([BY_ARXIV, by_grace], source="import")

    assert Paper.objects.count() == 2


def test_the_same_title_and_author_with_another_identifier_is_another_paper():
    upsert_records([BY_ARXIV, replace(BY_ARXIV, arxiv_id="2604.00002")], source="arxiv")
    upsert_records(
        [replace(BY_DOI, doi="10.1145/1.2"), replace(BY_DOI, doi="10.1145/9.9")], source="import"
    )

    assert Paper.objects.filter(arxiv_id="").count() == 0
    assert sorted(Paper.objects.values_list("doi", flat=True)) == ["10.1145/1.2", "10.1145/9.9"]


def test_a_short_title_without_an_author_does_not_identify_a_paper():
    upsert_records([record(title="Editorial"), Record(title="Editorial")], source="import")
    upsert_records([Record(title="Editorial")], source="import")

    assert Paper.objects.count() == 2


def test_similar_titles_are_different_papers():
    upsert_records(
        [Record(title="Qwen2 Technical Report"), Record(title="Qwen2.5 Technical Report")]
    )

    assert Paper.objects.count() == 2


def test_a_paper_without_identifiers_or_dates_has_a_url_and_a_sort_date():
    upsert_records([Record(title=TITLE)], source="import", observed_at=NOW)

    paper = Paper.objects.get()
    assert paper.get_absolute_url() == f"/papers/{paper.identity}/"
    assert paper.identity.startswith("title-")
    assert (paper.published_on, paper.listed_on, paper.sort_date) == (None, None, TODAY)


def test_a_title_identity_stays_when_authors_become_known():
    upsert_records([Record(title=TITLE)], source="import")
    before = Paper.objects.get().identity

    upsert_records([Record(title=TITLE, authors=("Ada Lovelace",))], source="import")

    assert Paper.objects.get().identity == before


def test_a_doi_of_arxiv_is_an_arxiv_id():
    upsert_records([Record(doi="10.48550/arXiv.2604.00001", title=TITLE)], source="openalex")

    paper = Paper.objects.get()
    assert (paper.identity, paper.arxiv_id, paper.doi) == ("2604.00001", "2604.00001", "")


def test_a_record_without_a_title_of_an_unknown_paper_is_rejected():
    result = upsert_records([BY_BOTH], source="semanticscholar")

    assert result.rejected == ["unknown paper"]
    assert not Paper.objects.exists()


def test_a_withdrawn_paper_no_longer_trends():
    listed = record(upvotes=50)
    upsert_records([listed])
    upsert_records([Record(arxiv_id=listed.arxiv_id, withdrawn=True)], source="arxiv")

    assert Paper.objects.get().withdrawn
    assert not Paper.objects.trending(on=TODAY).exists()


def test_a_paper_trends_from_its_listing_whenever_it_was_published():
    upsert_records([replace(BY_ARXIV, published_on=date(2020, 1, 1))], source="arxiv")
    assert not Paper.objects.trending(on=TODAY).exists()

    upsert_records([record(arxiv_id=BY_ARXIV.arxiv_id, listed_on=TODAY)])

    paper = Paper.objects.trending(on=TODAY).get()
    assert (paper.listed_on, paper.published_on, paper.sort_date) == (
        TODAY,
        date(2020, 1, 1),
        TODAY,
    )


def test_a_title_without_an_author_does_not_merge_two_papers():
    by_ada = Record(arxiv_id="2604.00001", title=TITLE, authors=("Ada Lovelace",))
    by_grace = Record(doi="10.1145/1.2", title=TITLE, authors=("Grace Hopper",))
    for new_record in (by_ada, by_grace, Record(title=TITLE, abstract="We need it.")):
        upsert_records([new_record], source="import")

    assert [(paper["identity"], paper["authors"]) for paper in stored_papers()] == [
        ("10.1145/1.2", ["Grace Hopper"]),
        ("2604.00001", ["Ada Lovelace"]),
    ]


def test_a_title_of_punctuation_only_does_not_identify_a_paper():
    upsert_records([Record(arxiv_id="2604.00001", title="???")], source="arxiv")

    result = upsert_records([Record(title="+++")], source="import")

    assert result.rejected == ["no title"]


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31), TODAY + timedelta(days=3)])
def test_an_implausible_date_is_ignored(day):
    upsert_records([record(listed_on=day, published_on=day)], observed_at=NOW)

    paper = Paper.objects.get()
    assert (paper.listed_on, paper.published_on, paper.sort_date) == (None, None, TODAY)


def test_a_paper_is_still_found_by_its_doi_after_it_gets_an_arxiv_id():
    upsert_records([BY_DOI], source="openalex")
    upsert_records([BY_BOTH], source="semanticscholar")

    assert Paper.objects.with_identifier("10.1145/1.2").get().identity == "2604.00001"
    assert (
        Paper.objects.with_identifier("https://doi.org/10.1145/1.2").get().identity == "2604.00001"
    )
