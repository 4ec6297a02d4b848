"""README.md of the chart, made from the comments of values.yaml."""

import json

import yaml

import facts
from chart import CHART

HEAD = """# Values of the chart `eduhub`

Made from the comments of [values.yaml](values.yaml) by `scripts/chart-check --write`; how to install is in
[charts/README.md](../README.md). `values-small.yaml` is for one node, `values-ha.yaml` for a province.

| value | default | what it is |
|---|---|---|
"""


SETTINGS = """
## Settings
Of every service (`settings`, or `services.<name>.settings` for one alone), then of single ones. Defaults and reasons stand beside
each in the sources: `services/platform/runtime/src/config`, `services/<name>/src/config.rs`. What a setting names is taken as
`EDUHUB_<SETTING>`; addresses of services, ports, drain and paths of secrets are computed.

| service | setting | takes |
|---|---|---|
"""


def text():
    source = (CHART / "values.yaml").read_text()
    return HEAD + "".join(rows(yaml.compose(source), source.splitlines(), "")) + SETTINGS + "".join(settings())


def settings():
    schema = json.loads((CHART / "values.schema.json").read_text())
    of = {"all": schema["$defs"]["settings"]["properties"]}
    for name in facts.names():
        of[name] = schema["properties"]["services"]["properties"][name]["properties"]["settings"]["properties"]
    for service, keys in of.items():
        yield from (f"| {service} | `{key}` | {takes(kind)} |\n" for key, kind in keys.items())


def takes(kind):
    if "enum" in kind:
        return " or ".join(kind["enum"])
    if "maximum" in kind:
        return f"{kind['minimum']} to {kind['maximum']}"
    return {"boolean": "true or false"}.get(kind["type"]) or (f"`{kind['pattern']}`" if "pattern" in kind else "a text").replace("|", "\\|")


def rows(node, lines, path):
    for key, value in node.value:
        name = f"{path}{key.value}"
        about = comment(lines, key.start_mark.line)
        nested = isinstance(value, yaml.MappingNode) and value.value and not value.flow_style
        if about or not nested:
            default = "" if nested else f"`{plain(value)}`"
            yield f"| `{name}` | {default} | {about} |\n"
        if nested:
            yield from rows(value, lines, f"{name}.")


def comment(lines, line):
    """The comment lines directly above."""
    above = []
    while line > 0 and lines[line - 1].strip().startswith("#"):
        line -= 1
        above.insert(0, lines[line].strip().removeprefix("#").strip())
    return " ".join(above).replace("|", "\\|").replace("<", "&lt;")


def plain(node):
    value = yaml.safe_load(yaml.serialize(node))
    return yaml.safe_dump(value, default_flow_style=True, width=1000).strip().removesuffix("\n...")


def problems(write):
    for line in text().splitlines():
        if line.startswith("| `") and line.endswith("` |  |"):
            yield f"values.yaml says nothing about {line.split('`')[1]}"
    path = CHART / "README.md"
    if write:
        path.write_text(text())
    elif not path.exists() or path.read_text() != text():
        yield "charts/eduhub/README.md is not what values.yaml says: run scripts/chart-check --write"
