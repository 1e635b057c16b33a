"""What a flood of signups costs us, and how many mails an attacker gets out of it."""

from __future__ import annotations

import time
from collections import Counter
from statistics import median

import altcha
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

import benchmarks
from papers.web import ratelimit
from subscribers import tasks
from subscribers.signup import abuse_protection, proof_of_work
from subscribers.signup.consent import Form

FLOOD, NETWORKS = 10_000, 200
VICTIM, PERSON = "victim@example.org", "person@example.com"


def press(email: str, ip: str, *, proof: str = "") -> tuple[int, float]:
    """The status, and how long it took."""
    form = {"email": email, "seal": abuse_protection.seal(Form.PAGE, ripe=True), "proof": proof}
    start = time.perf_counter()
    response = Client(REMOTE_ADDR=ip).post("/subscribe/", form)
    return response.status_code, time.perf_counter() - start


def proof() -> str:
    challenge = altcha.Challenge.from_dict(proof_of_work.challenge(now=timezone.now()))
    solution = altcha.solve_challenge(challenge)
    assert solution
    return altcha.Payload(challenge, solution).to_base64()


def report(what: str, pressed: list[tuple[int, float]]) -> None:
    statuses = Counter(status for status, _ in pressed)
    for status, count in sorted(statuses.items()):
        seconds = [each for code, each in pressed if code == status]
        print(f"{what}: {count:,} answered {status}, {median(seconds) * 1000:.1f} ms each")


def one_network() -> None:
    flood = [
        press(f"flood{number}@example.org", f"198.18.0.{number % 254 + 1}")
        for number in range(FLOOD)
    ]
    report(f"{FLOOD:,} from one network", flood)


def one_victim() -> None:
    start = time.perf_counter()
    proofs = [proof() for _ in range(NETWORKS)]
    each = (time.perf_counter() - start) / NETWORKS
    print(f"the work for one request: {each * 1000:.0f} ms of the attacker's processor")
    flood = [press(VICTIM, f"198.19.{number}.1", proof=done) for number, done in enumerate(proofs)]
    report(f"{NETWORKS} networks at one victim", flood)


def main() -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.REDIS_URL = ""
    with benchmarks.empty_database():
        ratelimit.storage(ratelimit.address()).reset()
        mail.outbox = []
        one_network()
        one_victim()
        pressed = time.perf_counter()
        press(PERSON, "203.0.113.9")
        tasks.send_due_confirmations()
        sent = Counter(message.to[0] for message in mail.outbox)
        print(
            f"{sent.total()} mails left: {sent[VICTIM]} to the victim, {sent[PERSON]} to a person"
            f" elsewhere, {time.perf_counter() - pressed:.2f} s after they pressed"
        )
