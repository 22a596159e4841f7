"""The dashboards of traffic: what the gateway does, and the runs of the evaluator."""

from __future__ import annotations

from panels import Json, Query, choice, dashboard, lines, number, row, table

_MODEL = 'provider=~"$provider", model=~"$model"'
_GEN_AI = 'gen_ai_provider_name=~"$provider", gen_ai_request_model=~"$model"'
_RUN = 'model=~"$model", suite=~"$suite"'


def _quantile(share: float, series: str, by: str, where: str) -> str:
    return f"histogram_quantile({share}, sum by ({by}, le) (rate({series}_bucket{{{where}}}[$__rate_interval])))"


_REQUESTS = f"genlevel_gateway_requests_total{{{_MODEL}}}"
_FAILED = f'genlevel_gateway_requests_total{{{_MODEL}, outcome="failed"}}'
_DURATION = "gen_ai_client_operation_duration_seconds"
_FIRST = "gen_ai_client_operation_time_to_first_chunk_seconds"
_EACH = "gen_ai_server_time_per_output_token_seconds"
_GATEWAY = [
    number("Calls a second", Query(f"sum(rate({_REQUESTS}[$__rate_interval]))"), unit="reqps"),
    number(
        "Calls that fail",
        Query(f"sum(rate({_FAILED}[$__rate_interval])) / sum(rate({_REQUESTS}[$__rate_interval]))"),
        unit="percentunit",
        warns_at=0.5,
    ),
    number("In flight", Query("sum(genlevel_gateway_in_flight)")),
    number("Cost, last hour", Query(f"sum(genlevel:gateway_cost_usd:increase1h{{{_MODEL}}})"), unit="currencyUSD"),
    number(
        "Calls of unknown cost",
        Query(f"sum(increase(genlevel_gateway_unknown_cost_calls_total{{{_MODEL}}}[$__range]))"),
        note="May be billed, and nobody said how much.",
    ),
    number("Services that answer", Query('sum(up{job=~"genlevel-.*"})')),
    row("Calls"),
    lines("Calls by outcome", Query(f"sum by (outcome) (rate({_REQUESTS}[$__rate_interval]))", "{{outcome}}"), unit="reqps", stacked=True),
    lines(
        "Share that fails",
        Query(f"genlevel:gateway_failed:ratio_rate5m{{{_MODEL}}}", "{{provider}}/{{model}}"),
        unit="percentunit",
        most=1,
    ),
    lines(
        "Failures by class",
        Query(
            'sum by (provider, class) (rate(genlevel_gateway_errors_total{provider=~"$provider"}[$__rate_interval]))',
            "{{provider}} {{class}}",
        ),
        unit="reqps",
        stacked=True,
    ),
    lines("In flight", Query("sum by (instance) (genlevel_gateway_in_flight)", "{{instance}}")),
    row("How long"),
    lines(
        "Duration of a call",
        *(
            Query(_quantile(share, _DURATION, "gen_ai_request_model", _GEN_AI), f"{{{{gen_ai_request_model}}}} p{share * 100:g}")
            for share in (0.5, 0.95, 0.99)
        ),
        unit="s",
    ),
    lines(
        "What the gateway adds",
        Query("genlevel:gateway_overhead_seconds:p95_rate5m", "{{api}} p95"),
        unit="s",
        note="Duration less the time with an upstream call open.",
    ),
    lines(
        "First piece of a stream",
        *(
            Query(_quantile(share, _FIRST, "gen_ai_request_model", _GEN_AI), f"{{{{gen_ai_request_model}}}} p{share * 100:g}")
            for share in (0.5, 0.95)
        ),
        unit="s",
        note="Of answers that came as streams.",
    ),
    lines(
        "Time for each token of a stream",
        *(
            Query(_quantile(share, _EACH, "gen_ai_request_model", _GEN_AI), f"{{{{gen_ai_request_model}}}} p{share * 100:g}")
            for share in (0.5, 0.95)
        ),
        unit="s",
        note="After the first piece.",
    ),
    row("How much"),
    lines(
        "Tokens",
        Query(f"sum by (bucket) (rate(genlevel_gateway_tokens_total{{{_MODEL}}}[$__rate_interval]))", "{{bucket}} a second"),
        stacked=True,
    ),
    lines(
        "Tokens of an answer",
        Query(_quantile(0.5, "gen_ai_client_token_usage", "gen_ai_token_type", _GEN_AI), "{{gen_ai_token_type}} p50"),
        Query(_quantile(0.95, "gen_ai_client_token_usage", "gen_ai_token_type", _GEN_AI), "{{gen_ai_token_type}} p95"),
    ),
    lines(
        "Cost of an hour",
        Query(f"genlevel:gateway_cost_usd:increase1h{{{_MODEL}}}", "{{provider}}/{{model}}"),
        unit="currencyUSD",
        stacked=True,
    ),
    lines(
        "Media that were made",
        Query(f"sum by (model) (increase(genlevel_gateway_output_images_total{{{_MODEL}}}[1h]))", "{{model}}: pictures an hour"),
        Query(f"sum by (model) (increase(genlevel_gateway_output_media_seconds_total{{{_MODEL}}}[1h]))", "{{model}}: seconds an hour"),
    ),
    row("Processes"),
    lines("Ready", Query('genlevel_ready{job=~"genlevel-.*"}', "{{job}} {{instance}}"), note="1 while calls are welcome.", width=6, most=1),
    lines(
        "Calls that were refused",
        Query("sum by (job, reason) (rate(genlevel_refused_calls_total[$__rate_interval]))", "{{job}} {{reason}}"),
        unit="reqps",
        width=6,
    ),
    lines("Memory", Query('process_resident_memory_bytes{job=~"genlevel-.*"}', "{{job}} {{instance}}"), unit="bytes", width=6),
    lines("Processors", Query('rate(process_cpu_seconds_total{job=~"genlevel-.*"}[$__rate_interval])', "{{job}} {{instance}}"), width=6),
]


def gateway() -> Json:
    """Calls of models: how many, how long, how dear, and which fail."""
    requests_series = "genlevel_gateway_requests_total"
    choices = [choice("provider", requests_series), choice("model", requests_series)]
    return dashboard("genlevel-gateway", "genlevel: gateway traffic", "Calls of models through the gateway.", choices, _GATEWAY)


_BY_RUN = "model, suite, suite_hash"
_NAME = "{{model}} on {{suite}} {{suite_hash}}"
_RUNS = [
    number("Instances left", Query(f"sum(genlevel_evaluator_pending{{{_RUN}}})"), width=6),
    number("Answers a second", Query(f"sum(genlevel:evaluator_answers:rate5m{{{_RUN}}})"), width=6),
    number("Calls in flight", Query(f"sum(genlevel_evaluator_in_flight{{{_RUN}}})"), width=6),
    number("Instances that wait", Query(f"sum(genlevel_evaluator_waiting{{{_RUN}}})"), width=6),
    row("Progress"),
    lines("Instances left", Query(f"sum by ({_BY_RUN}) (genlevel_evaluator_pending{{{_RUN}}})", _NAME)),
    lines("Answers a second", Query(f"genlevel:evaluator_answers:rate5m{{{_RUN}}}", _NAME), unit="reqps"),
    lines(
        "Answers by outcome",
        Query(f"sum by (outcome) (rate(genlevel_evaluator_answers_total{{{_RUN}}}[$__rate_interval]))", "{{outcome}}"),
        unit="reqps",
        stacked=True,
    ),
    lines(
        "Time left",
        Query(f"sum by ({_BY_RUN}) (genlevel_evaluator_pending{{{_RUN}}}) / (genlevel:evaluator_answers:rate5m{{{_RUN}}} > 0)", _NAME),
        unit="s",
        note="At the pace of the last five minutes.",
    ),
    row("What holds them up"),
    lines("Instances that wait, by what for", Query(f"sum by (reason) (genlevel_evaluator_waiting{{{_RUN}}})", "{{reason}}"), stacked=True),
    lines(
        "Calls that are repeated, by the failure",
        Query(
            'sum by (model, error_class) (rate(genlevel_evaluator_retries_total{model=~"$model"}[$__rate_interval]))',
            "{{model}} {{error_class}}",
        ),
        unit="reqps",
        stacked=True,
    ),
    lines(
        "Calls",
        Query('sum by (model) (rate(genlevel_evaluator_calls_total{model=~"$model"}[$__rate_interval]))', "{{model}}"),
        unit="reqps",
    ),
    lines("Calls in flight", Query(f"sum by ({_BY_RUN}) (genlevel_evaluator_in_flight{{{_RUN}}})", _NAME)),
    lines("Batches at providers", Query(f"sum by ({_BY_RUN}) (genlevel_evaluator_batches{{{_RUN}}})", _NAME)),
    lines("Instances in batches", Query(f"sum by (state) (genlevel_evaluator_batch_instances{{{_RUN}}})", "{{state}}"), stacked=True),
    row("What accounts allow"),
    lines(
        "Pace",
        Query("max by (account) (genlevel_account_pace)", "{{account}}"),
        unit="reqps",
        note="Calls a second that the limiter lets through.",
    ),
    lines("Slots", Query("max by (account) (genlevel_account_concurrency_limit)", "{{account}}"), note="Calls that may be in flight."),
    lines(
        "Parts of shared limits",
        Query("sum by (account, kind) (genlevel_account_slice)", "{{account}} {{kind}}"),
        note="Of limits that are stated, of all processes that share a database together: never above what is stated.",
    ),
    row("Queue"),
    lines(
        "Messages that are not done",
        Query("max by (kind, state) (genlevel_queue_messages)", "{{kind}} {{state}}"),
        note="Parts of shared runs to ask, and tasks to score.",
        width=12,
        stacked=True,
    ),
    lines("Messages that were given up", Query("max(genlevel_queue_dead_letters)", "dead letters"), width=6),
    lines("The queue can be used", Query("genlevel_queue_up", "{{instance}}"), width=6, most=1),
    row("Judges"),
    lines(
        "Ratings",
        Query(
            'sum by (judge, outcome) (rate(genlevel_evaluator_judgements_total{suite=~"$suite"}[$__rate_interval]))',
            "{{judge}} {{outcome}}",
        ),
        unit="reqps",
    ),
    table(
        "Alerts",
        Query('ALERTS{alertname=~"Genlevel.*"}'),
        columns=("alertname", "alertstate", "severity", "model", "suite", "instance"),
    ),
]


def runs() -> Json:
    """Runs that go on: what is left, what they wait for, what is made again."""
    answers = "genlevel_evaluator_answers_total"
    choices = [choice("model", answers), choice("suite", answers)]
    return dashboard("genlevel-runs", "genlevel: runs", "Runs of the evaluator while they go on.", choices, _RUNS)
