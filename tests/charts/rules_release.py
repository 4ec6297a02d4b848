"""Rules about the release as a whole: what belongs to whom, and what is left behind."""

import facts
from chart import NAMESPACE, RELEASE
from manifests import annotation, component, hooks, matches, spec_of, title
from rules import rule

BEFORE = {"pre-install", "pre-upgrade"}
# Kinds that need somebody's controller, and the value that turns them on.
OPTIONAL = {
    "Cluster": "postgres.cluster.enabled",
    "Certificate": "tls.mode",
    "ExternalSecret": "externalSecrets.enabled",
    "GRPCRoute": "external.gateway.enabled",
    "BackendTLSPolicy": "external.gateway.enabled",
    "Ingress": "external.ingress.enabled",
    "ServiceMonitor": "monitoring.scrape.serviceMonitor",
    "PrometheusRule": "monitoring.prometheusRule.enabled",
    "NetworkPolicy": "networkPolicy.enabled",
}
PLAIN = {"Deployment", "Service", "ServiceAccount", "Job", "Pod", "PodDisruptionBudget", "HorizontalPodAutoscaler", "ConfigMap"}


def value(m, path):
    found = m.values
    for key in path.split("."):
        found = found[key]
    return found


@rule
def only_wanted_controllers(m):
    for document in m.documents:
        kind = document["kind"]
        path = OPTIONAL.get(kind)
        if path and value(m, path) in (False, "secret", "mesh"):
            yield f"{title(document)}: though {path} is off"
        if not path and kind not in PLAIN:
            yield f"{title(document)}: a kind that the chart has no business with"
    if m.of("Secret"):
        yield "a Secret is rendered: its content would be in the release and in values"


@rule
def uninstall_leaves_nothing(m):
    """Helm deletes what it owns; hooks only by their delete policy."""
    seen = set()
    for document in m.documents:
        metadata, whose = document["metadata"], title(document)
        labels = metadata.get("labels", {})
        if (document["kind"], metadata["name"]) in seen:
            yield f"{whose}: twice"
        seen.add((document["kind"], metadata["name"]))
        if metadata.get("namespace") != NAMESPACE or labels.get("app.kubernetes.io/instance") != RELEASE:
            yield f"{whose}: not the release's: {metadata.get('namespace')} {labels}"
        if len(metadata["name"]) > 63:
            yield f"{whose}: its name is too long"
        policies = set(annotation(document, "helm.sh/hook-delete-policy").split(","))
        if hooks(document) and not {"before-hook-creation", "hook-succeeded"} <= policies:
            yield f"{whose}: a hook that stays behind"
        if document["kind"] == "Job" and "ttlSecondsAfterFinished" not in document["spec"]:
            yield f"{whose}: stays for ever when it fails"
        kept = annotation(document, "helm.sh/resource-policy") == "keep"
        if kept and document["kind"] != "Cluster":
            yield f"{whose}: kept at uninstall"


@rule
def hooks_need_nothing_of_the_release(m):
    owned = {(d["kind"], d["metadata"]["name"]) for d in m.documents if not hooks(d)}
    # These make the secrets of their names later.
    later = {d["metadata"]["name"] for d in m.of("ExternalSecret")}
    later |= {d["spec"]["secretName"] for d in m.of("Certificate")}
    for document in m.of("Job"):
        spec, whose = document["spec"]["template"]["spec"], title(document)
        if hooks(document) != BEFORE:
            yield f"{whose}: runs at {sorted(hooks(document))}"
        if spec["restartPolicy"] != "Never" or not document["spec"].get("backoffLimit"):
            yield f"{whose}: is not tried again in pods of their own, whose logs stay"
        if document["spec"].get("activeDeadlineSeconds", 1e9) >= 300:
            yield f"{whose}: may take longer than helm waits"
        if ("ServiceAccount", spec.get("serviceAccountName")) in owned or later & secrets_of(spec) or m.of("Cluster"):
            yield f"{whose}: needs what comes with the release, after it"


@rule
def every_service_migrates_under_its_own_role(m):
    jobs = {d["spec"]["template"]["spec"]["containers"][0]["image"]: d["spec"]["template"]["spec"] for d in m.of("Job")}
    for service, deployment in m.services().items():
        spec = spec_of(deployment)
        container = spec["containers"][0]
        migrates = spec["initContainers"][0] if "initContainers" in spec else None
        if container["image"] in jobs:
            migrates = jobs[container["image"]]["containers"][0]
        if not migrates or migrates["args"] != ["migrate"]:
            yield f"{service}: nothing migrates its schema with its image"
            continue
        mounts = {mount["name"] for mount in migrates["volumeMounts"]}
        if mounts != {f"{service}-migrate"} or mounts & {mount["name"] for mount in container["volumeMounts"]}:
            yield f"{service}: its migration uses {sorted(mounts)}; the role that owns the schema is for migrations alone"


@rule
def selectors_find_their_pods(m):
    if set(m.services()) != set(facts.names()):
        yield f"deployments of {sorted(m.services())}"
    for deployment in m.of("Deployment"):
        selector = deployment["spec"]["selector"]
        if not matches(selector, deployment["spec"]["template"]["metadata"]["labels"]):
            yield f"{title(deployment)}: does not select its own pods"
        if m.selected(selector) != [title(deployment)]:
            yield f"{title(deployment)}: selects {m.selected(selector)}"
        account = spec_of(deployment).get("serviceAccountName")
        if not m.named("ServiceAccount", account):
            yield f"{title(deployment)}: no ServiceAccount {account}"
    for document in m.of("Service") + m.of("PodDisruptionBudget"):
        selector = document["spec"]["selector"]
        selector = {"matchLabels": selector} if document["kind"] == "Service" else selector
        wanted = [f"Deployment {document['metadata']['name']}"]
        if m.selected(selector) != wanted:
            yield f"{title(document)}: selects {m.selected(selector)}"
    for document in m.of("Service"):
        pod = spec_of(m.services()[component(document)])
        ports = {port["name"] for port in pod["containers"][0]["ports"]}
        yield from (
            f"{title(document)}: no port {port['targetPort']} in its pods"
            for port in document["spec"]["ports"]
            if port["targetPort"] not in ports
        )
    for kind in ("Service", "PodDisruptionBudget"):
        if {component(d) for d in m.of(kind)} != set(facts.names()):
            yield f"not one {kind} per service"


@rule
def one_thing_sets_the_replicas(m):
    scaled = {d["spec"]["scaleTargetRef"]["name"]: d for d in m.of("HorizontalPodAutoscaler")}
    for deployment in m.of("Deployment"):
        fixed, scaler = "replicas" in deployment["spec"], scaled.pop(deployment["metadata"]["name"], None)
        if fixed == bool(scaler):
            yield f"{title(deployment)}: {'two things set' if fixed else 'nothing sets'} its replicas"
        if scaler and scaler["spec"]["minReplicas"] > scaler["spec"]["maxReplicas"]:
            yield f"{title(scaler)}: bounds the wrong way round"
    yield from (f"{title(scaler)}: scales nothing" for scaler in scaled.values())
    for budget in m.of("PodDisruptionBudget"):
        if budget["spec"].get("maxUnavailable", 0) < 1:
            yield f"{title(budget)}: no node could be drained"


def secrets_of(spec):
    return {volume["secret"]["secretName"] for volume in spec.get("volumes", []) if "secret" in volume}
