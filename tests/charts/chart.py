"""Renders the chart with helm, and validates manifests against Kubernetes' schemas."""

import copy
import os
import subprocess
from pathlib import Path

import kubernetes_validate
import yaml

REPO = Path(__file__).resolve().parents[2]
CHART = REPO / "charts/eduhub"
RELEASE, NAMESPACE = "eduhub", "so-gddt"
KUBERNETES = "1.36"


class Strict(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):
    """Refuses a key that stands twice: the second would win without a word."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"{', '.join(sorted(twice))} twice in one map, line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


class Refused(Exception):
    """What helm said instead of rendering."""


def merged(base, over):
    """Values as helm lays them over each other."""
    out = copy.deepcopy(base)
    for key, value in (over or {}).items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = merged(out[key], value) if both else copy.deepcopy(value)
    return out


class Scenario:
    """A file of ci/: its first line says which values it lies upon."""

    def __init__(self, path):
        self.name = path.stem
        on = path.read_text().splitlines()[0].removeprefix("# on: ").strip()
        self.files = [CHART / on, path]
        values = yaml.safe_load((CHART / "values.yaml").read_text())
        for file in self.files:
            values = merged(values, yaml.safe_load(file.read_text()))
        self.values = values

    def lint(self):
        run("lint", "--strict", "--quiet", str(CHART), *self.arguments())

    def render(self, *more):
        text = run("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *self.arguments(), *more)
        return [document for document in yaml.load_all(text, Strict) if document]

    def notes(self):
        return run("install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--dry-run=client", *self.arguments())

    def arguments(self):
        return [argument for file in self.files for argument in ("--values", str(file))]


def scenarios():
    return [Scenario(path) for path in sorted((CHART / "ci").glob("*.yaml"))]


def run(*arguments):
    helm = subprocess.run([os.environ["HELM"], *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if helm.returncode:
        raise Refused((helm.stdout + helm.stderr).strip())
    return helm.stdout


def against_schema(document):
    """What Kubernetes' schemas have against a document. Kinds of other people's operators have no schema here."""
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        if document["apiVersion"].split("/")[0] in BUILT_IN:
            return [f"no such kind in Kubernetes {KUBERNETES}: {document['apiVersion']} {document['kind']}"]
    except kubernetes_validate.ValidationError as error:
        return [f"{document['kind']} {document['metadata']['name']}: {error.message} at {list(error.path)}"]
    return []


BUILT_IN = {"v1", "apps", "batch", "autoscaling", "policy", "networking.k8s.io"}
