"""What the services are, read where they say it themselves: README, Rust sources, Dockerfile."""

import re
from functools import cache

import yaml

from chart import CHART, REPO

SYSTEMS = {"ministry": r"\bMinistry\b", "population": r"population database"}


@cache
def services():
    return yaml.safe_load((CHART / "services.yaml").read_text())


def names():
    return list(services()["services"])


# --- who calls whom ------------------------------------------------------------------------------------------------


def party(text):
    """The service or system that a label of README names; None for people and their software."""
    for name in names():
        if re.fullmatch(rf"\W*{name}\W*", text.strip()):
            return name
    for system, pattern in SYSTEMS.items():
        if re.search(pattern, text, re.I):
            return system
    return None


def parties(cell):
    """All that a cell of the table names; brackets explain."""
    cell = re.sub(r"\(.*?\)", "", cell)
    return {found for part in re.split(r"[,;]", cell) if (found := party(part))}


def readme():
    """(edges, services that are called from outside) of services/README.md: its table and its drawing."""
    text = (REPO / "services/README.md").read_text()
    edges, public = set(), set()
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and cells[0] in names():
            own, _, calls, called_by = cells
            edges |= {(own, other) for other in parties(calls)}
            edges |= {(caller, own) for caller in parties(called_by)}
            if re.search(r"everybody", called_by):
                edges |= {(caller, own) for caller in names() if caller != own}
    drawing = re.search(r"```mermaid\n(.*?)```", text, re.S)[1]
    for caller, callee in arrows(drawing):
        if caller and callee:
            edges.add((caller, callee))
        elif callee in names():
            public.add(callee)
    return edges, public


def arrows(drawing):
    """The arrows of a mermaid flow chart, each end as a party."""
    labels = dict(re.findall(r"\b(\w+)\[\(?([^\])]+)\)?\]", drawing))
    for line in drawing.splitlines()[1:]:
        groups = re.split(r"\s*<?--(?:[^->]*--)?>\s*", line.strip())
        ends = [[re.match(r"\w+", node.strip())[0] for node in group.split("&")] for group in groups]
        for callers, callees in zip(ends, ends[1:]):
            yield from ((party(labels[a]), party(labels[b])) for a in callers for b in callees)


def called_in_code(service):
    """The services whose URLs a service's configuration demands."""
    short = {fact["short"].upper(): name for name, fact in services()["services"].items()}
    required, _ = settings(service)
    return {short[key.removesuffix("_URL")] for key in required if key.removesuffix("_URL") in short}


# --- settings ------------------------------------------------------------------------------------------------------

REQUIRED = re.compile(r'(?:\br\.(?:required|secret)(?:::<[^(]*>)?\(\s*|Keyring::read\(&mut r, )"([A-Z0-9_]+)"')
OPTIONAL = re.compile(
    r'(?:\br\.(?:optional|optional_secret|optional_bytes|or|or_within|seconds)(?:::<[^(]*>)?\(\s*|millis\(r, )"([A-Z0-9_]+)"'
)


@cache
def settings(service):
    """(required, optional) keys that a service reads, without EDUHUB_; each may instead be KEY_FILE."""
    runtime = REPO / "services/platform/runtime/src"
    sources = [REPO / f"services/{service}/src/config.rs"]
    sources += [runtime / f"config/{part}.rs" for part in ("server", "tls", "db")]
    sources += [REPO / "services/platform/cache/src/settings.rs"]
    code = "\n".join(path.read_text().split("#[cfg(test)]")[0] for path in sources)
    telemetry = "\n".join(path.read_text() for path in sorted((runtime / "telemetry").glob("*.rs")))
    required = set(REQUIRED.findall(code))
    optional = set(OPTIONAL.findall(code)) | set(re.findall(r"EDUHUB_([A-Z_]+[A-Z])", telemetry))
    return required, optional - required


# --- images --------------------------------------------------------------------------------------------------------


@cache
def variables_of_the_cli():
    """What the command line reads from its environment."""
    sources = (REPO / "services/cli/src").rglob("*.rs")
    return {name for path in sources for name in re.findall(r'env = "(EDUHUB_\w+)"', path.read_text())}


@cache
def images():
    """Entry point by image name, and the user, of the Dockerfile."""
    text = (REPO / "Dockerfile").read_text()
    entries = dict(re.findall(r'^FROM base AS (\S+)$.*?^ENTRYPOINT \["(.*?)"\]', text, re.M | re.S))
    return entries, int(re.search(r"^USER (\d+)", text, re.M)[1])
