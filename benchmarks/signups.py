"""Measure what a flood of sign-ups costs, and how many mails it causes."""

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
from subscribers.signup.consent import FormKind

FLOOD_REQUESTS, NETWORK_COUNT = 10_000, 200
VICTIM_EMAIL, LEGITIMATE_EMAIL = "victim@example.org", "person@example.com"


def post_signup(email: str, ip: str, *, proof: str = "") -> tuple[int, float]:
    """Return the status and the duration in seconds."""
    form = {
        "email": email,
        "seal": abuse_protection.form_token(FormKind.PAGE, skip_min_age=True),
        "proof": proof,
    }
    start = time.perf_counter()
    response = Client(REMOTE_ADDR=ip).post("/subscribe/", form)
    return response.status_code, time.perf_counter() - start


def solve_proof_of_work() -> str:
    challenge = altcha.Challenge.from_dict(proof_of_work.create_challenge(now=timezone.now()))
    solution = altcha.solve_challenge(challenge)
    assert solution
    return altcha.Payload(challenge, solution).to_base64()


def print_latencies(label: str, responses: list[tuple[int, float]]) -> None:
    statuses = Counter(status for status, _ in responses)
    for status, count in sorted(statuses.items()):
        durations = [seconds for code, seconds in responses if code == status]
        print(f"{label}: {count:,} × status {status}, {median(durations) * 1000:.1f} ms (median)")


def flood_from_one_network() -> None:
    flood = [
        post_signup(f"flood{number}@example.org", f"198.18.0.{number % 254 + 1}")
        for number in range(FLOOD_REQUESTS)
    ]
    print_latencies(f"{FLOOD_REQUESTS:,} requests from one network", flood)


def flood_one_victim() -> None:
    start = time.perf_counter()
    proofs = [solve_proof_of_work() for _ in range(NETWORK_COUNT)]
    seconds_per_proof = (time.perf_counter() - start) / NETWORK_COUNT
    print(f"proof of work: {seconds_per_proof * 1000:.0f} ms of the attacker's CPU per request")
    flood = [
        post_signup(VICTIM_EMAIL, f"198.19.{number}.1", proof=proof)
        for number, proof in enumerate(proofs)
    ]
    print_latencies(f"{NETWORK_COUNT} networks against one victim", flood)


def main() -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.REDIS_URL = ""
    with benchmarks.empty_database():
        ratelimit.get_storage(ratelimit.storage_url()).reset()
        mail.outbox = []
        flood_from_one_network()
        flood_one_victim()
        start = time.perf_counter()
        post_signup(LEGITIMATE_EMAIL, "203.0.113.9")
        tasks.send_due_confirmations()
        sent = Counter(message.to[0] for message in mail.outbox)
        print(
            f"{sent.total()} mails sent: {sent[VICTIM_EMAIL]} to the victim,"
            f" {sent[LEGITIMATE_EMAIL]} to a legitimate reader,"
            f" {time.perf_counter() - start:.2f} s after their request"
        )
