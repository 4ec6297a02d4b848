#!/usr/bin/env python3
"""Makes the Grafana dashboards of charts/eduhub/files/dashboards out of a few building blocks.

dashboards.py           writes them
dashboards.py --check   fails when a committed file is another
"""
import json
import pathlib
import sys

OUT = pathlib.Path(__file__).resolve().parents[2] / "charts/eduhub/files/dashboards"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Seconds between two looks of the services at their database: shorter windows show steps.
WINDOW = "$__rate_interval"


# --- queries

def of(metric, *labels):
    """A selector within the chosen namespace; series without a namespace match `.*` as well."""
    return "%s{%s}" % (metric, ",".join(['namespace=~"$namespace"', *labels]))


def rate(metric, *labels, by=""):
    return "sum by (%s) (rate(%s[%s]))" % (by, of(metric, *labels), WINDOW)


def quantile(q, metric, *labels, by=""):
    by = ", ".join(filter(None, ["le", by]))
    return "histogram_quantile(%s, sum by (%s) (rate(%s[%s])))" % (q, by, of(metric + "_bucket", *labels), WINDOW)


def gauge(metric, *labels, by=""):
    """Each replica shows the same figure of the database: the highest is it, the sum would be wrong."""
    return "max by (%s) (%s)" % (by, of(metric, *labels))


def level(metric, *labels, by=""):
    """Each replica shows its own part."""
    return "sum by (%s) (%s)" % (by, of(metric, *labels))


# --- panels

def panel(kind, title, unit, *queries, about="", width=8, options=None, custom=None):
    targets = [
        {"refId": chr(65 + n), "datasource": SOURCE, "expr": expr, "legendFormat": legend}
        for n, (expr, legend) in enumerate(queries)
    ]
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": custom or {}}, "overrides": []},
        "options": options or {},
        "_width": width,
    }


def lines(title, unit, *queries, about="", width=8):
    legend = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel("timeseries", title, unit, *queries, about=about, width=width, options=legend,
                 custom={"fillOpacity": 8, "lineWidth": 1})


def number(title, unit, query, about="", width=4):
    options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "none", "graphMode": "area"}
    return panel("stat", title, unit, (query, ""), about=about, width=width, options=options)


def bars(title, unit, *queries, about="", width=8):
    options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "orientation": "horizontal", "displayMode": "basic"}
    return panel("bargauge", title, unit, *queries, about=about, width=width, options=options)


def row(title, *panels):
    return title, panels


def dashboard(uid, title, about, *rows):
    """Panels from left to right, wrapped at 24 columns."""
    placed, y, number_of = [], 0, 0
    for heading, panels in rows:
        number_of += 1
        placed.append({"type": "row", "id": number_of, "title": heading, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}})
        x, y = 0, y + 1
        for made in panels:
            made = dict(made)
            width = made.pop("_width")
            if x + width > 24:
                x, y = 0, y + 7
            number_of += 1
            placed.append({"id": number_of, "gridPos": {"x": x, "y": y, "w": width, "h": 7}, **made})
            x += width
        y += 7
    variable = {"name": "namespace", "label": "Namespace", "type": "query", "datasource": SOURCE, "refresh": 2,
                "query": {"query": "label_values(db_client_connection_max, namespace)", "refId": "namespace"},
                "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}
    return {
        "uid": uid, "title": title, "description": about, "tags": ["eduhub"], "schemaVersion": 39, "version": 1,
        "editable": True, "timezone": "browser", "refresh": "30s", "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
                                variable]},
        "panels": placed, "annotations": {"list": []}, "links": [],
    }


# --- the dashboards

CALLS = "rpc_server_call_duration_seconds"
UNARY = 'rpc_method!~".*/(Push|Watch|WatchCodeLists|GetExport)"'
PUSH = 'rpc_method=~".*/Push"'
# The codes that are the server's fault; the others are the caller's.
FAULTS = 'rpc_response_status_code=~"UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"'

OVERVIEW = dashboard(
    "eduhub-overview", "EduHub: overview", "Is the hub well, and what is it doing",
    row("Calls",
        number("Calls per second", "reqps", rate(CALLS + "_count")),
        number("Server faults", "percentunit",
               "%s / %s" % (rate(CALLS + "_count", FAULTS), rate(CALLS + "_count")),
               about="Share of calls that ended by the hub's own fault"),
        number("Open push streams", "short", level("eduhub_ingest_sessions_open")),
        number("Open watch streams", "short", level("eduhub_feed_streams")),
        number("Records per second", "short", rate("eduhub_ingest_records_total")),
        number("Owed to the Ministry", "short", "sum(%s)" % gauge("eduhub_bridge_ledger_records", by="state")),
        lines("Calls by service", "reqps", (rate(CALLS + "_count", by="service_name"), "{{service_name}}")),
        lines("Calls by code, without OK", "reqps",
              (rate(CALLS + "_count", 'rpc_response_status_code!="OK"', by="rpc_response_status_code"),
               "{{rpc_response_status_code}}")),
        lines("99th percentile by service, without streams", "s",
              (quantile(0.99, CALLS, UNARY, by="service_name"), "{{service_name}}"))),
    row("Slowest and failing methods",
        bars("99th percentile, ten slowest", "s",
             ("topk(10, %s)" % quantile(0.99, CALLS, UNARY, by="rpc_method"), "{{rpc_method}}"), width=12),
        bars("Server faults per second, ten worst", "reqps",
             ("topk(10, %s)" % rate(CALLS + "_count", FAULTS, by="rpc_method, rpc_response_status_code"),
              "{{rpc_method}} {{rpc_response_status_code}}"), width=12)),
    row("What waits",
        lines("Persons to verify", "short", (gauge("eduhub_verification_backlog"), "backlog")),
        lines("Behind the log", "s", (gauge("eduhub_verification_lag_seconds"), "verification"),
              (gauge("eduhub_feed_subscription_lag_seconds", by="subscription"), "{{subscription}}"),
              (gauge("eduhub_feed_held_back_seconds", by="service_name"), "held back in {{service_name}}")),
        lines("Oldest transfer, oldest review", "s", (gauge("eduhub_bridge_ledger_age_seconds"), "transfer"),
              (gauge("eduhub_approval_review_age_seconds", by="dataset"), "review {{dataset}}"))),
    row("Access",
        lines("Sign-ins by outcome", "reqps", (rate("eduhub_identity_sign_ins_total", by="outcome"), "{{outcome}}"),
              about="BAD_CREDENTIALS that do not stop: somebody guesses, or a client has an old secret"),
        bars("Grants in force", "short", (gauge("eduhub_identity_grants", by="kind, ends"), "{{kind}}, ends {{ends}}")),
        number("Age of the token key", "s", gauge("eduhub_identity_key_age_seconds"), width=8,
               about="By the date that its file is named after; a year is old")),
)

FLOW = dashboard(
    "eduhub-flow", "EduHub: pushes and feed", "What comes in from the schools' software, and how soon consumers have it",
    row("Pushes",
        lines("Records by outcome", "short", (rate("eduhub_ingest_records_total", by="outcome"), "{{outcome}}")),
        lines("Records by kind", "short", (rate("eduhub_ingest_records_total", by="kind"), "{{kind}}")),
        lines("Refused share by kind", "percentunit",
              ("%s / %s" % (rate("eduhub_ingest_records_total", 'outcome="rejected"', by="kind"),
                            rate("eduhub_ingest_records_total", by="kind")), "{{kind}}")),
        lines("Open push streams", "short", (level("eduhub_ingest_sessions_open", by="service_name"), "{{service_name}}")),
        lines("Time of a batch", "s", (quantile(0.5, "eduhub_ingest_batch_duration_seconds"), "median"),
              (quantile(0.95, "eduhub_ingest_batch_duration_seconds"), "95th percentile")),
        lines("Wait for a turn at the database", "s", (quantile(0.5, "eduhub_ingest_turn_duration_seconds"), "median"),
              (quantile(0.95, "eduhub_ingest_turn_duration_seconds"), "95th percentile"),
              about="Long waits mean more pushes than the database takes; clients are asked to slow down"),
        lines("How pushes end", "reqps", (rate(CALLS + "_count", PUSH, by="rpc_response_status_code"),
                                           "{{rpc_response_status_code}}"))),
    row("Feed",
        lines("Open watch streams", "short", (level("eduhub_feed_streams", by="service_name"), "{{service_name}}")),
        lines("Delay of delivery at the head", "s", (quantile(0.5, "eduhub_feed_delivery_delay_seconds"), "median"),
              (quantile(0.99, "eduhub_feed_delivery_delay_seconds"), "99th percentile")),
        lines("Stored subscriptions: behind", "s",
              (gauge("eduhub_feed_subscription_lag_seconds", by="service_name, owner, subscription"),
               "{{subscription}} ({{service_name}})")),
        lines("Held back by an open transaction", "s", (gauge("eduhub_feed_held_back_seconds", by="service_name"),
                                                          "{{service_name}}"),
              (gauge("eduhub_feed_oldest_transaction_seconds"), "oldest transaction"))),
    row("Reads",
        lines("Single records by source", "reqps", (rate("eduhub_reads_records_total", by="source"), "{{source}}")),
        lines("Caches by source", "reqps", (rate("eduhub_cache_reads_total", by="cache, source"), "{{cache}} {{source}}"))),
)

REVIEW = dashboard(
    "eduhub-review", "EduHub: review and transfer", "How far the campaign is, and what the Ministry says",
    row("Campaign",
        bars("Submissions by state", "short",
             (gauge("eduhub_approval_submissions", by="dataset, period, state"), "{{dataset}} {{period}} {{state}}"), width=12),
        bars("Complete", "percentunit",
             ("sum by (dataset, period) (%s) / on () group_left () sum(%s)" % (
                 gauge("eduhub_approval_submissions", 'state=~"APPROVED|TRANSFERRED"', by="dataset, period, state"),
                 gauge("eduhub_registry_schools", by="level")), "{{dataset}} {{period}}"),
             about="Approved or transferred submissions in each registered school", width=6),
        lines("Oldest submission under review", "s", (gauge("eduhub_approval_review_age_seconds", by="dataset"), "{{dataset}}"),
              width=6)),
    row("Verification of persons",
        lines("Waiting", "short", (gauge("eduhub_verification_backlog"), "persons")),
        lines("Behind the log", "s", (gauge("eduhub_verification_lag_seconds"), "verification"))),
    row("Ministry",
        lines("Ledger without final answer", "short", (gauge("eduhub_bridge_ledger_records", by="state"), "{{state}}")),
        lines("Oldest transfer", "s", (gauge("eduhub_bridge_ledger_age_seconds"), "age")),
        lines("Answers", "short", (rate("eduhub_bridge_records_settled_total", by="outcome"), "{{outcome}}")),
        lines("Calls", "reqps", (rate("eduhub_bridge_ministry_calls_total", by="outcome"), "{{outcome}}")),
        lines("Circuit open", "short", (gauge("eduhub_bridge_breaker_open"), "open"),
              about="1: calls to the Ministry are paused after failures")),
)

SATURATION = dashboard(
    "eduhub-saturation", "EduHub: Postgres and saturation", "What is full, what is shed, what of the telemetry itself is lost",
    row("Connections",
        lines("Pool use", "percentunit",
              ("%s / %s" % (level("db_client_connection_count", 'db_client_connection_state="used"', by="service_name"),
                            level("db_client_connection_max", by="service_name")), "{{service_name}}")),
        lines("Connections by state", "short",
              (level("db_client_connection_count", by="service_name, db_client_connection_state"),
               "{{service_name}} {{db_client_connection_state}}")),
        lines("Oldest transaction that writes", "s", (gauge("eduhub_feed_oldest_transaction_seconds"), "age"))),
    row("Admission",
        lines("Open calls by service", "short", (level("eduhub_rpc_server_open", by="service_name"), "{{service_name}}")),
        lines("Calls shed", "reqps", (rate("eduhub_rpc_server_refused_total", by="service_name, place"),
                                        "{{service_name}} {{place}}")),
        lines("RESOURCE_EXHAUSTED by method", "reqps",
              (rate(CALLS + "_count", 'rpc_response_status_code="RESOURCE_EXHAUSTED"', by="rpc_method"), "{{rpc_method}}")),
        lines("Wait for a turn at the database, 95th percentile", "s",
              (quantile(0.95, "eduhub_ingest_turn_duration_seconds", by="service_name"), "{{service_name}}"))),
    row("Telemetry",
        lines("Log records", "short", (rate("otel_sdk_log_created_total", by="service_name"), "made by {{service_name}}"),
              (level("otel_sdk_processor_log_queue_capacity", by="service_name"), "may wait in {{service_name}}")),
        lines("Spans and records dropped at a full queue", "short",
              (rate("otel_sdk_processor_span_processed_total", 'error_type="queue_full"', by="service_name"), "spans {{service_name}}"),
              (rate("otel_sdk_processor_log_processed_total", 'error_type="queue_full"', by="service_name"), "logs {{service_name}}")),
        lines("Spans and records that the collector did not take", "short",
              (rate("otel_sdk_exporter_span_exported_total", 'error_type!=""', by="service_name"), "spans {{service_name}}"),
              (rate("otel_sdk_exporter_log_exported_total", 'error_type!=""', by="service_name"), "logs {{service_name}}"))),
)

FILES = {"overview": OVERVIEW, "flow": FLOW, "review": REVIEW, "saturation": SATURATION}


def main():
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, board in FILES.items():
        path, text = OUT / f"{name}.json", json.dumps(board, indent=1, sort_keys=True) + "\n"
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    stale += sorted(path.name for path in OUT.glob("*.json") if path.stem not in FILES)
    if stale:
        sys.exit(f"not as tests/telemetry/dashboards.py makes them: {', '.join(stale)}")


main()
