"""A report as one HTML file: style and pictures inside, nothing loaded, no script."""

from __future__ import annotations

from genlevel.report.examples import example_of
from genlevel.report.sections import Report
from genlevel.views.environment import make_environment


def report_html(report: Report) -> str:
    """The file's text."""
    environment = make_environment("genlevel.report")
    environment.filters["example"] = example_of
    return environment.get_template("report.html").render(report=report)
