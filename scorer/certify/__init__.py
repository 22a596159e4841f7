"""Verdicts with their error controlled: per task an interval and a test, per level attained, not attained or undecided.

The paper's point rule calls noise a win; what is certified here is wrong with at most a stated probability.
"""

from __future__ import annotations

from scorer.certify.bootstrap import MOST_DRAWS, TaskStatistics, bootstrap_intervals
from scorer.certify.certificate import LEAST_ALPHA, Certificate, LevelCertificate, Status, TaskCertificate, certify
from scorer.certify.claims import Reading
from scorer.certify.ends import Ends, Estimate
from scorer.certify.evidence import TaskEvidence, evidence_from_workbook
from scorer.certify.measured import evidence_from_statistics
from scorer.certify.obstacles import obstacle_of
from scorer.certify.shares import Shares

__all__ = [
    "LEAST_ALPHA",
    "MOST_DRAWS",
    "Certificate",
    "Ends",
    "Estimate",
    "LevelCertificate",
    "Reading",
    "Shares",
    "Status",
    "TaskCertificate",
    "TaskEvidence",
    "TaskStatistics",
    "bootstrap_intervals",
    "certify",
    "evidence_from_statistics",
    "evidence_from_workbook",
    "obstacle_of",
]
