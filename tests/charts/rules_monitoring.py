"""Rules about what the Prometheus operator and Grafana are given."""

import json
import re

from chart import REPO
from manifests import title
from rules import rule

# A ConfigMap takes 1 MiB; so does a release of helm, which has the dashboards too, compressed.
MOST = 900 * 1024


@rule
def alerts_and_dashboards_are_whole(m):
    monitoring = m.values["monitoring"]
    for document in m.of("PrometheusRule"):
        alerts = [entry for group in document["spec"]["groups"] or [] for entry in group["rules"] if "alert" in entry]
        if not alerts:
            yield f"{title(document)}: no alerts"
        for alert in alerts:
            page = alert["annotations"]["runbook_url"]
            base = monitoring["prometheusRule"]["runbooks"]
            if not page.startswith(base) or not (REPO / page.removeprefix(base)).is_file():
                yield f"{alert['alert']}: no page at {page}"
    if monitoring["dashboards"]["enabled"]:
        config = m.named("ConfigMap", "eduhub-dashboards")
        if not config or not config.get("data") or monitoring["dashboards"]["label"] not in config["metadata"]["labels"]:
            yield "no dashboards that Grafana would find"
            return
        if sum(len(text.encode()) for text in config["data"].values()) > MOST:
            yield "dashboards are too large for one ConfigMap"
        for name, text in config["data"].items():
            board = json.loads(text)
            if not re.fullmatch(r"[\w.-]+\.json", name) or not board.get("title") or not board.get("panels"):
                yield f"{name} is no dashboard"


@rule
def scraped_ports_are_there(m):
    for monitor in m.of("ServiceMonitor"):
        for service in m.of("Service"):
            labels, wanted = service["metadata"]["labels"], monitor["spec"]["selector"]["matchLabels"]
            ports = {port["name"] for port in service["spec"]["ports"]}
            if any(labels.get(key) != value for key, value in wanted.items()):
                yield f"{title(service)} is not scraped"
            if not {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports:
                yield f"{title(service)} has no port for figures"
