"""The service as it really runs: worker and beat processes, a real broker, kill -9."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings

from tests import servers

pytestmark = [pytest.mark.slow, pytest.mark.services]

TIMEOUT_SECONDS = 60
READERS = 120


class Service:
    """One deployment: its environment, its commands, its processes."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder),
            "DISPATCH_SECONDS": "1",
            # No network: the sources cannot be reached.
            "HUGGINGFACE_URL": "http://127.0.0.1:9",
            **environment,
        }

    def manage(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

    @contextmanager
    def celery(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A Celery process in a session of its own, ended with all its children."""
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "newsletter", *arguments]
        with (self.folder / f"celery-{uuid4().hex}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            kill(process)

    def worker(self) -> Any:
        queues = "default,delivery,confirmations"
        return self.celery("worker", "--queues", queues, "--concurrency", "2", "--loglevel", "info")

    def beat(self) -> Any:
        return self.celery("beat")

    def receipt(self) -> dict[str, Any]:
        receipt: dict[str, Any] = json.loads(self.run("edition_receipt", "--json").stdout)
        return receipt

    def count_deliveries(self) -> Counter[str]:
        """Count deliveries by state in the database: starting a command takes two CPU seconds."""
        with self.connect() as connection:
            rows = connection.execute("SELECT state, count(*) FROM newsletter_delivery GROUP BY 1")
            return Counter(dict(rows.fetchall()))

    def connect(self) -> Any:
        if url := self.environment.get("DATABASE_URL"):
            return psycopg.connect(url)
        return closing(sqlite3.connect(self.folder / "db.sqlite3"))

    def count_ticks(self) -> int:
        return len(re.findall(r"newsletter\.tasks\.dispatch\[\S+\] succeeded", self.logs()))

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in self.folder.glob("celery-*.log"))


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9 of a process and its children, which share its session."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(service: Service, happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not happened():
        assert time.monotonic() < deadline, service.logs()[-6000:]
        time.sleep(0.1)


SET_UP = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("fetch_papers", sample=True)
call_command("publish_edition")
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A migrated deployment with today's edition; on PostgreSQL a database of its own."""
    with ExitStack() as stack:
        environment = {"REDIS_URL": stack.enter_context(servers.valkey_server())}
        if database_url := os.environ.get("DATABASE_URL"):
            environment["DATABASE_URL"] = stack.enter_context(own_database(database_url))
        service = Service(tmp_path, **environment)
        # In one process: starting Django takes longer than all of this.
        service.manage("shell", "--no-imports", "--command", SET_UP)
        yield service


@contextmanager
def own_database(url: str) -> Iterator[str]:
    name = f"service_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield url.rpartition("/")[0] + f"/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def test_beat_and_a_worker_deliver_the_digest_of_a_reader_who_is_due(service: Service) -> None:
    hour = time.gmtime().tm_hour
    service.manage("add_subscriber", "ada@example.org", "--hour", str(hour), "--confirmed")
    mailbox = service.folder / "mailbox"

    with service.worker(), service.beat():
        wait_for(service, lambda: list(mailbox.glob("digest-*.eml")))
        ticks = service.count_ticks()
        wait_for(service, lambda: service.count_ticks() >= ticks + 3)  # they must send nothing

    [email] = mailbox.glob("digest-*.eml")
    assert b"To: ada@example.org" in email.read_bytes()
    assert service.receipt()["handed_over"] == 1


class Provider(ThreadingHTTPServer):
    """Postmark's send API: counts what it accepts, with a delay of 20 ms each."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.recipients: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet: else each response waits for an acknowledgement

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.recipients[message["To"]] += 1
        time.sleep(0.02)
        body = {"To": message["To"], "MessageID": uuid4().hex, "ErrorCode": 0, "Message": "OK"}
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


AGE_CLAIMS = """
from datetime import timedelta
from django.db.models import F
from newsletter.delivery import handover
from newsletter.models import Batch
Batch.objects.update(claimed_at=F("claimed_at") - handover.BATCH_LEASE - timedelta(seconds=1))
"""


def test_nobody_gets_two_when_the_worker_is_killed_in_the_middle(
    service: Service, provider: Provider
) -> None:
    service.environment |= {
        "EMAIL_PROVIDER": "postmark",
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": provider.url,
    }
    readers = service.folder / "readers.csv"
    hour = time.gmtime().tm_hour
    rows = (f"reader{number}@example.org,,UTC,{hour}\n" for number in range(READERS))
    readers.write_text("email,topics,timezone,hour\n" + "".join(rows))
    service.manage("import_subscribers", str(readers), "--confirmed")

    with service.worker() as worker, service.beat():
        wait_for(service, lambda: provider.recipients.total() > READERS // 4)
        kill(worker)
    sent_before = provider.recipients.total()
    assert sent_before < READERS
    service.manage("shell", "--command", AGE_CLAIMS)  # a minute passes

    with service.worker(), service.beat():
        wait_for(service, lambda: is_settled(service.count_deliveries()))

    receipt = service.receipt()
    assert set(provider.recipients.values()) == {1}
    assert receipt["balances"]
    assert receipt["handed_over"] + receipt["unknown"] == READERS
    # At most one message that each of the two processes was handing over.
    assert receipt["unknown"] <= 2
    assert provider.recipients.total() >= READERS - receipt["unknown"]


def is_settled(counts: Counter[str]) -> bool:
    return counts.total() == READERS and not counts["pending"] and not counts["claimed"]
