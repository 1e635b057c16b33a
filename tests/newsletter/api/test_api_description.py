"""The API conforms to its OpenAPI document: generated requests with schemathesis.

To run it by hand against a running service, with more examples:
    schemathesis run http://localhost:8000/api/v1/openapi.json --rate-limit 100/m
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from newsletter.api.routes import api
from papers.search import engine
from tests import factories

DOCUMENT: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
address_numbers = itertools.count(1)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """Call the service from a new IP address each time, to stay below the rate limit."""
    number = next(address_numbers)
    environ["REMOTE_ADDR"] = f"10.0.{number // 250 % 250}.{number % 250}"
    return WSGIHandler()(environ, start_response)


def load_schema() -> Any:
    """Load the document, to generate valid and invalid requests."""
    config = SchemathesisConfig.from_dict(
        {"generation": {"mode": "all", "deterministic": True, "max-examples": 20}}
    )
    loaded_schema = schemathesis.openapi.from_dict(DOCUMENT, config=config)
    loaded_schema.app = app
    return loaded_schema


schema = load_schema()

pytestmark = pytest.mark.slow


@pytest.fixture
def open_connection() -> Iterator[None]:
    """Keep Django from closing, after a request, the connection that the test's transaction uses."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def stored_papers(db: None, open_connection: None) -> None:
    papers = [
        factories.paper(
            arxiv_id="1706.03762", title="A robot hand", topics=["robotics"], score=9.0
        ),
        factories.paper(arxiv_id="math/0309136", topics=["theory"], authors=[], abstract=""),
        factories.paper(
            title="<script>&\x0b", listed_on=factories.TODAY - timedelta(days=90), stars=3
        ),
    ]
    engine.update_index(papers)
    for day, paper in enumerate(papers):
        factories.edition(day=factories.TODAY - timedelta(days=day), papers=[paper])


@schema.parametrize()
@settings(max_examples=20, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
@pytest.mark.usefixtures("stored_papers")
def test_every_response_conforms_to_the_document(case: Any) -> None:
    case.call_and_validate()
