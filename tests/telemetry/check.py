#!/usr/bin/env python3
"""What must hold between the table of metrics, the dashboards, the alerts, their tests and the runbooks.

A metric that a query names is one of docs/operators/metrics.md (which a contract test keeps equal to the code), with labels that it
has. Each alert has a severity, a summary, a page, and a test; each page has an alert.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = ROOT / "charts/eduhub/files"
# Labels that Prometheus, the operator or the exporter adds.
ADDED = {"namespace", "service_name", "instance", "le"}
NAME = re.compile(r"\b(?:eduhub|rpc|db|otel)_[a-z_]+\b")
SELECTOR = re.compile(r"\b((?:eduhub|rpc|db|otel)_[a-z_]+)\{([^}]*)\}")
BY = re.compile(r"\bby \(([^)]*)\)")
gaps = []


def table():
    rows = {}
    for line in (ROOT / "docs/operators/metrics.md").read_text().splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
            name, kind = cells[0].strip("`"), cells[1]
            labels = {label for label in cells[2].split(", ") if label}
            for ending in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
                rows[name + ending] = labels
    if len(rows) < 25:
        sys.exit(f"docs/operators/metrics.md lists {len(rows)} series only")
    return rows


def check_query(where, query, rows, used):
    every_label = set().union(*rows.values()) | ADDED
    named = set(NAME.findall(query)) - every_label
    if not named:
        gaps.append(f"{where}: no metric of ours in {query}")
    for name in named:
        used.add(name)
        if name not in rows:
            gaps.append(f"{where}: {name} stands in no table")
    for name, inside in SELECTOR.findall(query):
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside):
            if label not in rows.get(name, set()) | ADDED:
                gaps.append(f"{where}: {name} has no label {label}")
    for labels in BY.findall(query):
        for label in filter(None, (label.strip() for label in labels.split(","))):
            if not any(label in rows.get(name, set()) | ADDED for name in named):
                gaps.append(f"{where}: by ({label}), which no metric of it has")


def check_dashboards(rows, used):
    boards = sorted((FILES / "dashboards").glob("*.json"))
    for path in boards:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                check_query(f"{path.name}: {panel['title']}", target["expr"], rows, used)
    return len(boards)


def alerts():
    """Name and text of each alert. The files are checked as YAML by promtool."""
    for path in sorted((FILES / "alerts").glob("*.yaml")):
        parts = re.split(r"^\s*- alert: (\w+)\n", path.read_text(), flags=re.M)
        yield from zip(parts[1::2], parts[2::2])


def check_alerts(rows, used):
    tests = (ROOT / "tests/telemetry/rules_test.yaml").read_text()
    found = set()
    for name, text in alerts():
        found.add(name)
        expression = re.search(r"expr:(.*?)\n\s+(?:for|labels):", text, re.S).group(1)
        check_query(name, expression, rows, used)
        if not re.search(r"severity: (critical|warning|info)\b", text):
            gaps.append(f"{name}: no severity")
        if "summary:" not in text:
            gaps.append(f"{name}: no summary")
        if f"runbook_url: docs/runbooks/{name}.md" not in text:
            gaps.append(f"{name}: no runbook_url")
        if f"alertname: {name}\n" not in tests:
            gaps.append(f"{name}: no test in rules_test.yaml")
        check_page(name)
    for page in (ROOT / "docs/runbooks").glob("Eduhub*.md"):
        if page.stem not in found:
            gaps.append(f"{page.name}: no such alert")
    return len(found)


def check_page(name):
    page = ROOT / f"docs/runbooks/{name}.md"
    text = page.read_text() if page.exists() else ""
    for part in (f"# {name}\n", "\n## Check\n", "\n## Act\n"):
        if part not in text:
            gaps.append(f"docs/runbooks/{name}.md: without {part.strip()!r}")
    for link in re.findall(r"\]\((\w+\.md)\)", text):
        if not (page.parent / link).exists():
            gaps.append(f"docs/runbooks/{name}.md: link to {link}")


def main():
    rows, used = table(), set()
    boards, found = check_dashboards(rows, used), check_alerts(rows, used)
    series = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    for name in {re.sub(r"_(bucket|sum|count)$", "", row) for row in rows} - series:
        gaps.append(f"{name}: on no dashboard and in no alert")
    if gaps:
        sys.exit("\n".join(sorted(set(gaps))))
    print(f"{boards} dashboards and {found} alerts name {len(series)} metrics, each with its labels; every alert has a page and a test")


main()
