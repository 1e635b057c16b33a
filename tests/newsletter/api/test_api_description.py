"""The API does what its description says, whatever is asked: tried by schemathesis.

By hand, with a running service and more examples:
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

DESCRIPTION: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
addresses = itertools.count(1)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """The service, called from a new address each time: the limit is tried elsewhere."""
    environ["REMOTE_ADDR"] = f"10.0.{next(addresses) // 250 % 250}.{next(addresses) % 250}"
    return WSGIHandler()(environ, start_response)


def description() -> Any:
    """Positive and negative data, in every phase."""
    config = SchemathesisConfig.from_dict(
        {"generation": {"mode": "all", "deterministic": True, "max-examples": 20}}
    )
    loaded = schemathesis.openapi.from_dict(DESCRIPTION, config=config)
    loaded.app = app
    return loaded


schema = description()

pytestmark = pytest.mark.slow


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """A server closes what a request has left in a transaction: here that is the test's own."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def something_to_find(db: None, kept_connection: None) -> None:
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
@pytest.mark.usefixtures("something_to_find")
def test_every_answer_is_one_that_is_described(case: Any) -> None:
    case.call_and_validate()
