"""A real browser for the tests, launched once: Debian's Chromium, driven from a thread of its own.

Playwright runs an event loop where it is used, and Django refuses its database within one. So what
is done with a page is handed over as a function, and the test asks the database between two.
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
    # Even what it might do behind our back stays on this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
# Of an answer that is not 200 (see _response), of a page that is left while it asks something, and
# of a mail, shown in a sandbox, where this very driver may run nothing.
IGNORED_CONSOLE_ERRORS = (
    "Failed to load resource",
    "Response Status Error Code",
    "htmx:sendAbort",
    "htmx:afterRequest",
    "Blocked script execution",
)
# Milliseconds: of a machine that is busy with other things.
PAGE_TIMEOUT_MS = 20_000


class Tab:
    """One page, and what it had to complain about."""

    def __init__(self, thread: ThreadPoolExecutor, page: Page) -> None:
        self.errors: list[str] = []
        self._thread, self._page = thread, page

    def __call__(self, action: Callable[[Page], T]) -> T:
        """Do something with the page, and bring back what it returns."""
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
            self.errors.append(f"to a stranger: {request.url}")

    def _on_request_failed(self, request: Request) -> None:
        # A page that is left takes its questions with it.
        if request.failure != "net::ERR_ABORTED":
            self.errors.append(f"failed: {request.url} {request.failure}")

    def _on_response(self, response: Response) -> None:
        """A page may say no, also to htmx, which shows it; a part of a page must be there."""
        asked = response.request
        expected = asked.is_navigation_request() or "hx-request" in asked.headers
        if response.status >= (500 if expected else 400):
            self.errors.append(f"{response.status}: {response.url}")


@pytest.fixture(scope="session")
def browser() -> Iterator[tuple[ThreadPoolExecutor, Browser]]:
    """The browser, and the only thread that may touch it."""
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
    """Opens pages of the live server, each in a profile of its own; complaints fail the test."""
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
        with suppress(Exception):  # what is wrong with it was said by the test
            tab(lambda page: page.context.close())
    if complaints := [complaint for tab in tabs for complaint in tab.errors]:
        pytest.fail("\n".join(complaints))
