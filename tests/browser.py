"""A real browser for the tests, launched once: an installed Chromium, driven from its own thread.

Playwright runs an event loop in the thread that uses it, and Django refuses database access inside
one. So a test passes each action on a page as a function, and queries the database in between.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    sync_playwright,
)

T = TypeVar("T")

CHROMIUM_PATH = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Keep even background requests on this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
# Console messages to ignore: about a status that is not 200 (see _on_response), about a request
# that a navigation cancels, and about a mail in a sandbox, where scripts are blocked.
IGNORED_CONSOLE_ERRORS = (
    "Failed to load resource",
    "Response Status Error Code",
    "htmx:sendAbort",
    "htmx:afterRequest",
    "Blocked script execution",
)
# Generous, for a busy machine.
PAGE_TIMEOUT_MS = 20_000


class Tab:
    """One page, and the errors that it reported."""

    def __init__(self, thread: ThreadPoolExecutor, page: Page) -> None:
        self.errors: list[str] = []
        self._thread, self._page = thread, page

    def __call__(self, action: Callable[[Page], T]) -> T:
        """Run an action on the page in the browser's thread and return its result."""
        return self._thread.submit(action, self._page).result()

    def attach_listeners(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.errors.append(f"error: {error}"))
        page.on("console", self._on_console)
        page.on("request", self._on_request)
        page.on("requestfailed", self._on_request_failed)
        page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(IGNORED_CONSOLE_ERRORS):
            self.errors.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme != "data" and address.hostname not in {"127.0.0.1", "localhost"}:
            self.errors.append(f"request to another host: {request.url}")

    def _on_request_failed(self, request: Request) -> None:
        # A navigation cancels the requests of the page before.
        if request.failure != "net::ERR_ABORTED":
            self.errors.append(f"failed: {request.url} {request.failure}")

    def _on_response(self, response: Response) -> None:
        """Record a failed response: 4xx is expected of pages and htmx requests, not of assets."""
        asked = response.request
        expected = asked.is_navigation_request() or "hx-request" in asked.headers
        if response.status >= (500 if expected else 400):
            self.errors.append(f"{response.status}: {response.url}")


@pytest.fixture(scope="session")
def browser() -> Iterator[tuple[ThreadPoolExecutor, Browser]]:
    """Launch the browser, and return it with the only thread that may use it."""
    if not CHROMIUM_PATH:
        pytest.skip("there is no Chromium on this machine (on Debian: apt install chromium)")
    with ThreadPoolExecutor(1, "browser") as thread:
        playwright: Playwright = thread.submit(sync_playwright().start).result()
        try:
            launch = playwright.chromium.launch
            chromium = thread.submit(
                launch, executable_path=CHROMIUM_PATH, headless=True, args=CHROMIUM_FLAGS
            ).result()
            yield thread, chromium
            thread.submit(chromium.close).result()
        finally:
            thread.submit(playwright.stop).result()


@pytest.fixture
def open_tab(browser: Any, live_server: Any) -> Iterator[Callable[..., Tab]]:
    """Return a function that opens pages, each in its own profile; page errors fail the test."""
    thread, chromium = browser
    tabs: list[Tab] = []

    def new_page(**options: Any) -> Page:
        context = chromium.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(PAGE_TIMEOUT_MS)
        return context.new_page()

    def open_tab(*, scripts: bool = True, width: int = 360, **options: Any) -> Tab:
        options = {"viewport": {"width": width, "height": 800}, **options}
        page = thread.submit(new_page, java_script_enabled=scripts, **options).result()
        tab = Tab(thread, page)
        tabs.append(tab)
        tab(tab.attach_listeners)
        return tab

    yield open_tab
    for tab in tabs:
        with suppress(Exception):  # the test has reported what is wrong with it
            tab(lambda page: page.context.close())
    if errors := [error for tab in tabs for error in tab.errors]:
        pytest.fail("\n".join(errors))
