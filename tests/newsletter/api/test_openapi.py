"""newsletter/api/openapi.py: the OpenAPI document. test_api_description.py tries the API against it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db

DOCUMENT = "/api/v1/openapi.json"


def get_document(client: Client) -> Any:
    response = client.get(DOCUMENT)
    assert response.status_code == 200
    return response.json()


def test_the_document_has_licence_contact_server_and_all_paths(client: Client) -> None:
    document = get_document(client)

    assert document["openapi"] == "3.1.0"
    assert {"title", "version", "description", "license", "contact"} <= document["info"].keys()
    assert len(document["servers"]) == 1
    assert sorted(document["paths"]) == [
        "/api/v1/editions",
        "/api/v1/editions/{day}",
        "/api/v1/papers",
        "/api/v1/papers/{identity}",
        "/api/v1/topics",
        "/api/v1/topics/{slug}",
    ]


def test_operations_parameters_and_errors_are_described(client: Client) -> None:
    for path in get_document(client)["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert all(parameter["description"] for parameter in operation["parameters"])
            assert {"200", "304", "400", "429", "500"} <= operation["responses"].keys()
            for status, response in operation["responses"].items():
                assert response["description"]
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"]


def test_every_example_is_valid_against_its_schema(client: Client) -> None:
    components = get_document(client)["components"]
    examples_by_name = {
        name: schema.get("examples", []) for name, schema in components["schemas"].items()
    }

    assert {name for name, examples in examples_by_name.items() if not examples} == {
        "TopicName",
        "EntrySchema",
        "FieldError",
    }
    for name, examples in examples_by_name.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": components}
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        errors = [str(error) for example in examples for error in validator.iter_errors(example)]
        assert errors == []
        required = set(components["schemas"][name].get("required", []))
        assert all(required <= example.keys() for example in examples)


def test_the_sample_calls_work(client: Client) -> None:
    factories.paper(arxiv_id="1706.03762", topics=["robotics"])
    factories.edition(papers=[factories.paper()])
    paths = get_document(client)["paths"].values()
    urls = [path["get"]["x-codeSamples"][0]["source"].split("'")[1] for path in paths]

    statuses = [client.get(url.removeprefix("http://localhost:8000")).status_code for url in urls]

    assert statuses == [200] * 6


def test_the_document_is_plain_json_with_an_etag(client: Client) -> None:
    response = client.get(DOCUMENT)

    assert response["Content-Type"] == "application/json"
    assert json.loads(response.content)["info"]["title"] == "Trending Papers API"
    assert client.get(DOCUMENT, headers={"If-None-Match": response["ETag"]}).status_code == 304
