"""A verdict as the scorer says it, of scores that no store has."""

from __future__ import annotations

from genlevel.v1 import scorer_pb2 as sc
from scorer.certify import certify
from scorer.runs.certified import RunCertificate, certificate_message
from scorer.runs.verdict import Verdict, verdict_message
from scorer.store.records import StoredRun


def said_of(verdict: Verdict) -> sc.GetVerdictResponse:
    """With the certificates of scores of whose error nothing is known."""
    published, specialists = certify(verdict.results, []), certify(verdict.results, [], specialists={})
    messages = [certificate_message(RunCertificate(found, {}, ())) for found in (published, specialists)]
    return verdict_message(StoredRun("r", "m", "s", "b"), verdict, *messages)
