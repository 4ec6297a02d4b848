"""Rules about pods and their containers."""

import re

import facts
from manifests import matches, quantity, setting, spec_of
from rules import rule

# What telemetry and pool take after the drain: 2 s for traces, logs and metrics each, and a little.
CLOSE = 8


@rule
def images_are_those_of_the_dockerfile(m):
    entries, _ = facts.images()
    for whose, _, container in m.containers():
        found = re.fullmatch(r"(?:.+/)?([a-z-]+)(?::([\w.-]+)|@sha256:[0-9a-f]{64})", container["image"])
        if not found or found[2] == "latest":
            yield f"{whose}: {container['image']} has no fixed tag or digest"
        elif found[1] not in entries:
            yield f"{whose}: no image {found[1]} in the Dockerfile"


@rule
def pods_are_restricted(m):
    """Pod Security "restricted", and more: a read-only root."""
    _, uid = facts.images()
    for whose, _, spec in m.pods():
        wanted = {"runAsNonRoot": True, "runAsUser": uid, "seccompProfile": {"type": "RuntimeDefault"}}
        given = spec.get("securityContext", {})
        yield from (f"{whose}: {key} is {given.get(key)}" for key in wanted if given.get(key) != wanted[key])
        yield from (f"{whose}: {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key))
        for volume in spec.get("volumes", []):
            if set(volume) not in ({"name", "secret"}, {"name", "configMap"}):
                yield f"{whose}: volume {volume['name']} is neither a secret nor a ConfigMap"
    wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    for whose, _, container in m.containers():
        if container.get("securityContext") != wanted:
            yield f"{whose}: securityContext is {container.get('securityContext')}"


@rule
def pods_have_no_token(m):
    for whose, _, spec in m.pods():
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{whose}: has a token of the cluster's API"
        if spec.get("enableServiceLinks") is not False:
            yield f"{whose}: is given variables of other Services"
    for account in m.of("ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"ServiceAccount {account['metadata']['name']} gives tokens"


@rule
def resources_are_bounded(m):
    for whose, _, container in m.containers():
        resources = container.get("resources", {})
        for kind in ("cpu", "memory"):
            pair = [resources.get(bound, {}).get(kind) for bound in ("requests", "limits")]
            if None in pair:
                yield f"{whose}: no request or no limit of {kind}"
            elif quantity(pair[0]) > quantity(pair[1]):
                yield f"{whose}: requests more {kind} than its limit"


@rule
def probes_ask_over_tls(m):
    """Start-up and liveness ask `live`, readiness asks `ready`, each as the image's own program."""
    entries, _ = facts.images()
    for service, deployment in m.services().items():
        container = spec_of(deployment)["containers"][0]
        scheme = "https" if setting(container, "TLS_CERT") else "http"
        port = setting(container, "LISTEN").rsplit(":", 1)[1]
        for probe, asks in {"startupProbe": "live", "livenessProbe": "live", "readinessProbe": "ready"}.items():
            given = container.get(probe, {})
            wanted = [entries[service], "healthcheck", f"{scheme}://localhost:{port}", asks]
            if given.get("exec", {}).get("command") != wanted:
                yield f"{service}: {probe} is {given}, not {wanted}"
            elif given.get("timeoutSeconds", 1) <= 2:
                yield f"{service}: {probe} gives up before the program does, which waits 2 s"
        start = container.get("startupProbe", {})
        if start.get("periodSeconds", 10) * start.get("failureThreshold", 3) < 60:
            yield f"{service}: has less than 60 s to start; it waits 30 s for its database alone"


@rule
def drain_times_add_up(m):
    for service, deployment in m.services().items():
        spec = spec_of(deployment)
        container = spec["containers"][0]
        wait = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        drain = int(setting(container, "DRAIN_SECONDS") or 0)
        grace = spec.get("terminationGracePeriodSeconds", 30)
        if wait < 1:
            yield f"{service}: stops listening before the cluster stops sending"
        if drain < 1 or grace < wait + drain + CLOSE:
            yield f"{service}: killed after {grace} s, but waits {wait} s, drains {drain} s and closes {CLOSE} s"


@rule
def rollouts_take_nothing_away(m):
    for service, deployment in m.services().items():
        strategy = deployment["spec"].get("strategy", {}).get("rollingUpdate", {})
        if strategy.get("maxUnavailable") != 0 or not strategy.get("maxSurge"):
            yield f"{service}: a rollout takes a pod before its successor is ready: {strategy}"
        constraints = spec_of(deployment).get("topologySpreadConstraints", [])
        keys = {constraint["topologyKey"] for constraint in constraints}
        if keys != {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}:
            yield f"{service}: spreads over {sorted(keys)}"
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        for constraint in constraints:
            if not matches(constraint["labelSelector"], labels):
                yield f"{service}: spreads pods that are not its own"
