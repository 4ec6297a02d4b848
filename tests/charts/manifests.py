"""The rendered resources, and questions about them."""

import re

WORKLOADS = {"Deployment", "Job", "Pod"}
HOOK = "helm.sh/hook"


class Manifests:
    def __init__(self, documents, values, facts):
        """`values` as helm merged them; `facts` are services.yaml."""
        self.documents, self.values, self.facts = documents, values, facts

    def of(self, kind):
        return [document for document in self.documents if document["kind"] == kind]

    def named(self, kind, name):
        return next((document for document in self.of(kind) if document["metadata"]["name"] == name), None)

    def pods(self):
        """Every pod as (whose, labels, spec)."""
        for document in self.documents:
            if document["kind"] in WORKLOADS:
                pod = document if document["kind"] == "Pod" else document["spec"]["template"]
                yield title(document), pod["metadata"].get("labels", {}), pod["spec"]

    def containers(self):
        """Every container as (whose, pod spec, container)."""
        for whose, _, spec in self.pods():
            for container in spec.get("initContainers", []) + spec["containers"]:
                yield f"{whose} {container['name']}", spec, container

    def services(self):
        """Each service's Deployment by the service's name."""
        return {component(document): document for document in self.of("Deployment")}

    def selected(self, selector):
        """Titles of the pods that matchLabels select."""
        return [whose for whose, labels, _ in self.pods() if matches(selector, labels)]


def title(document):
    return f"{document['kind']} {document['metadata']['name']}"


def component(document):
    return document["metadata"]["labels"]["app.kubernetes.io/component"]


def hooks(document):
    return set(filter(None, annotation(document, HOOK).split(",")))


def annotation(document, name):
    return document["metadata"].get("annotations", {}).get(name, "")


def matches(selector, labels):
    wanted = (selector or {}).get("matchLabels", {})
    return all(labels.get(key) == value for key, value in wanted.items())


def spec_of(deployment):
    return deployment["spec"]["template"]["spec"]


def environment(container):
    """Variables with a plain value."""
    return {entry["name"]: entry["value"] for entry in container.get("env", []) if "value" in entry}


def setting(container, key):
    return environment(container).get(f"EDUHUB_{key}")


def secret_volumes(spec):
    """Secret by volume name."""
    return {volume["name"]: volume["secret"]["secretName"] for volume in spec.get("volumes", []) if "secret" in volume}


def config_volumes(spec):
    """ConfigMap by volume name."""
    return {volume["name"]: volume["configMap"]["name"] for volume in spec.get("volumes", []) if "configMap" in volume}


def mounted(container, volumes):
    """What `volumes` say by mount path, and None for other mounts."""
    return {mount["mountPath"]: volumes.get(mount["name"]) for mount in container.get("volumeMounts", [])}


def quantity(text):
    """A resource quantity as a number."""
    number, unit = re.fullmatch(r"([0-9.]+)(m|Ki|Mi|Gi|Ti|)", str(text)).groups()
    factor = {"m": 1e-3, "": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}[unit]
    return float(number) * factor
