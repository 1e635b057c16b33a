"""newsletter/api/routes.py: the editions, and what the API says of itself."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from papers.models import Paper
from tests import factories

pytestmark = pytest.mark.django_db

EDITIONS = "/api/v1/editions"
DESCRIPTION = "/api/v1/openapi.json"


@pytest.fixture(autouse=True)
def addresses(settings: Any) -> None:
    settings.SITE_URL = "https://papers.example.org"
    settings.API_URL = "https://papers.example.org/api/v1"


def read(client: Client, address: str = EDITIONS) -> Any:
    response = client.get(address)
    assert response.status_code == 200
    return response.json()


def test_editions_come_newest_first_a_page_at_a_time(client: Client) -> None:
    for days in (2, 0, 1):
        factories.edition(
            day=factories.TODAY - timedelta(days=days), papers=[factories.paper()] * (days == 0)
        )

    first = read(client, f"{EDITIONS}?limit=2")
    second = read(client, first["next"])

    assert first["items"][0] == {
        "date": "2026-05-12",
        "published_at": "2026-05-12T04:00:00Z",
        "url": "https://papers.example.org/editions/2026-05-12/",
        "entries_url": "https://papers.example.org/api/v1/editions/2026-05-12",
        "papers": 1,
    }
    assert [each["date"] for each in first["items"]] == ["2026-05-12", "2026-05-11"]
    assert [each["date"] for each in second["items"]] == ["2026-05-10"]
    assert second["next"] is None


def test_an_edition_says_why_each_paper_is_in_it(client: Client) -> None:
    first, second = (
        factories.paper(title="First", topics=["robotics"]),
        factories.paper(title="Second"),
    )
    edition = factories.edition()
    factories.entry(edition=edition, paper=second, rank=2, gain=None)
    factories.entry(
        edition=edition,
        paper=first,
        rank=1,
        score=4.5,
        upvotes=12,
        gain=-3,
        topic_ranks={"robotics": 1},
    )

    answer = read(client, f"{EDITIONS}/2026-05-12")

    assert (answer["date"], answer["papers"]) == ("2026-05-12", 2)
    assert [each["paper"]["title"] for each in answer["entries"]] == ["First", "Second"]
    why = {name: value for name, value in answer["entries"][0].items() if name != "paper"}
    assert why == {
        "rank": 1,
        "score": 4.5,
        "upvotes": 12,
        "gain": -3,
        "topic_ranks": {"robotics": 1},
    }
    assert answer["entries"][0]["paper"] == read(client, f"/api/v1/papers/{first.arxiv_id}")


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("2026-05-11", 404),
        ("0001-01-01", 404),
        ("9999-12-31", 404),
        ("2026-02-30", 422),
        ("1747008000", 422),
        ("today", 422),
        ("%00", 422),
        ("2026-05-12/x", 404),
    ],
)
def test_an_edition_that_is_not_there_is_a_problem(client: Client, day: str, status: int) -> None:
    factories.edition()
    response = client.get(f"{EDITIONS}/{day}")

    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(("address", "queries"), [(EDITIONS, 1), (f"{EDITIONS}/2026-05-12", 3)])
def test_more_rows_need_no_more_queries(
    client: Client, django_assert_num_queries: Any, settings: Any, address: str, queries: int
) -> None:
    counted = 0 if settings.REDIS_URL else 2
    client.get(EDITIONS)
    edition = factories.edition()
    for number in (1, 4):
        for rank in range(number):
            paper = factories.paper(topics=["robotics", f"topic-{number}"])
            factories.entry(edition=edition, paper=paper, rank=10 * number + rank)
        factories.edition(day=factories.TODAY - timedelta(days=number))
        with django_assert_num_queries(queries + counted):
            assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", [EDITIONS, f"{EDITIONS}/2026-05-12"])
def test_who_has_it_already_is_told_so(client: Client, address: str) -> None:
    factories.edition(papers=[factories.paper()])
    Paper.objects.update(added_at=factories.NOW)
    first = client.get(address)

    by_tag = client.get(address, headers={"If-None-Match": first["ETag"]})
    by_date = client.get(address, headers={"If-Modified-Since": first["Last-Modified"]})

    assert (by_tag.status_code, by_date.status_code) == (304, 304)


def test_the_description_names_licence_contact_and_server(client: Client) -> None:
    answer = read(client, DESCRIPTION)

    assert answer["openapi"] == "3.1.0"
    assert {"title", "version", "description", "license", "contact"} <= answer["info"].keys()
    assert len(answer["servers"]) == 1
    assert sorted(answer["paths"]) == [
        "/api/v1/editions",
        "/api/v1/editions/{day}",
        "/api/v1/papers",
        "/api/v1/papers/{identity}",
        "/api/v1/topics",
        "/api/v1/topics/{slug}",
    ]


def test_every_operation_is_described_and_every_error_has_a_schema(client: Client) -> None:
    for path in read(client, DESCRIPTION)["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert all(each["description"] for each in operation["parameters"])
            assert {"200", "304", "400", "429", "500"} <= operation["responses"].keys()
            for status, said in operation["responses"].items():
                assert said["description"]
                if int(status) >= 400:
                    assert list(said["content"]) == ["application/problem+json"]


def test_every_example_is_as_its_schema_demands(client: Client) -> None:
    components = read(client, DESCRIPTION)["components"]
    shown = {name: each.get("examples", []) for name, each in components["schemas"].items()}

    assert {name for name, examples in shown.items() if not examples} == {
        "TopicName",
        "EntrySchema",
        "FieldError",
    }
    for name, examples in shown.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": components}
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        assert [str(error) for each in examples for error in validator.iter_errors(each)] == []
        required = set(components["schemas"][name].get("required", []))
        assert all(required <= each.keys() for each in examples)


def test_a_sample_call_is_one_that_is_answered(client: Client) -> None:
    factories.paper(arxiv_id="1706.03762", topics=["robotics"])
    factories.edition(papers=[factories.paper()])
    paths = read(client, DESCRIPTION)["paths"].values()
    calls = [path["get"]["x-codeSamples"][0]["source"].split("'")[1] for path in paths]

    statuses = [
        client.get(call.removeprefix("http://localhost:8000")).status_code for call in calls
    ]
    assert statuses == [200] * 6


def test_the_site_says_where_the_api_is(client: Client) -> None:
    assert '<a href="/api/v1/">' in client.get("/topics/").content.decode()


def test_the_description_is_json_that_any_program_reads(client: Client) -> None:
    answer = client.get(DESCRIPTION)

    assert answer["Content-Type"] == "application/json"
    assert json.loads(answer.content)["info"]["title"] == "Trending Papers API"
    assert client.get(DESCRIPTION, headers={"If-None-Match": answer["ETag"]}).status_code == 304
