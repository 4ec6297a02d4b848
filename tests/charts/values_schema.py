"""The schema of the values: closed, as wide as the programs' settings, and it bites."""

import json

import facts
from chart import CHART, Refused

# Settings that the chart computes from other values or from services.yaml.
COMPUTED = {"LISTEN", "METRICS_LISTEN", "DRAIN_SECONDS", "DB_SCHEMA", "ALLOW_PLAINTEXT"}
# Settings that it does not offer: a second name for another one, client certificates, a file of settings.
NOT_OFFERED = {"SERVICE_SECRETS", "TLS_CLIENT_CA"}

REFUSED = {
    "an unknown value": ["--set", "imag.tag=1"],
    "an unknown setting": ["--set", "settings.DB_CONNECTIONS=5"],
    "a setting of another service": ["--set", "services.registry.settings.NPD_URL=http://x"],
    "an unknown service": ["--set", "services.students.replicas=1"],
    "an unknown key of a service": ["--set", "services.registry.replica=1"],
    "an unknown secret": ["--set", "secrets.names.password=x"],
    "a text for a number": ["--set", "defaults.replicas=two"],
    "a number for a switch": ["--set", "redis.enabled=1"],
    "a ConfigMap without the key of the authority": ["--set", "redis.enabled=true,redis.ca.configMap=x"],
    "a setting out of its range": ["--set", "settings.DB_MAX_CONNECTIONS=0"],
    "a job that is gone before helm has seen its end": ["--set", "migrations.keepFailedSeconds=0"],
    "no address of the Ministry": ["--set", "services.ministry-bridge.settings.MINISTRY_URL="],
    "the tag latest": ["--set", "image.tag=latest"],
    "half a digest": ["--set", "services.registry.digest=sha256:12"],
    "resources without a limit": ["--set-json", "defaults.resources.limits=null"],
    "an unknown kind of peer": ["--set-json", 'networkPolicy.clients=[{"pods":{}}]'],
    "a gateway without a domain": ["--set", "external.gateway.enabled=true"],
    "external secrets without a store": ["--set", "externalSecrets.enabled=true,migrations.run=init"],
    "hooks that need the release's database": ["--set", "postgres.cluster.enabled=true"],
    "hooks that need the release's secrets": ["--set", "externalSecrets.enabled=true,externalSecrets.store=vault"],
    "fewer connections than the services may open": [
        "--set", "postgres.cluster.enabled=true,migrations.run=init,postgres.cluster.maxConnections=80",
    ],
    "an autoscaler with its bounds the wrong way round": [
        "--set", "defaults.autoscaling.enabled=true,defaults.autoscaling.minReplicas=9",
    ],
}  # fmt: skip


def read():
    return json.loads((CHART / "values.schema.json").read_text())


def problems(schema):
    yield from open_objects(schema, "")
    yield from names_and_properties(schema)
    yield from settings(schema)


def open_objects(node, path):
    """Objects that take any key. A map of texts names its keys' type instead."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from open_objects(item, f"{path}/{index}")
    if not isinstance(node, dict):
        return
    conditional = any(part in ("if", "then", "anyOf") for part in path.split("/"))
    shared = path in ("/$defs/workload", "/$defs/settings")  # closed where they are used
    closed = node.get("additionalProperties", True) is not True or "propertyNames" in node
    if node.get("type") == "object" and not closed and not conditional and not shared:
        yield f"the schema takes any key at {path or '/'}"
    for key, item in node.items():
        yield from open_objects(item, f"{path}/{key}")


def names_and_properties(schema):
    for kind, names in (("workload", "workloadNames"), ("settings", "settingNames")):
        if sorted(schema["$defs"][kind]["properties"]) != sorted(schema["$defs"][names]["enum"]):
            yield f"$defs.{names} are not the names of $defs.{kind}"


def settings(schema):
    """What the schema offers is what the program reads and the chart does not set by itself."""
    shared = set(schema["$defs"]["settings"]["properties"])
    for service, fact in facts.services()["services"].items():
        offered = shared | set(schema["properties"]["services"]["properties"][service]["properties"]["settings"]["properties"])
        required, optional = facts.settings(service)
        parts = [fact["files"], *(facts.services()[part] for part in ("files", "tlsFiles", "redisFiles")), *fact["authorities"].values()]
        parts += facts.services()["redisAuthority"].values()
        files = {key for part in parts for key in part}
        urls = {f"{facts.services()['services'][callee]['short'].upper()}_URL" for callee in fact["calls"]}
        rest = COMPUTED | NOT_OFFERED | urls | files | {key.removesuffix("_FILE") for key in files}
        yield from (f"{service}: the schema offers no {key}" for key in sorted((required | optional) - rest - offered))
        yield from (f"{service}: the schema offers {key}, which it does not read" for key in sorted(offered - required - optional))


def accepted(scenario):
    """Values that must be refused and are not."""
    for what, arguments in REFUSED.items():
        try:
            scenario.render(*arguments)
            yield f"helm takes {what}: {' '.join(arguments)}"
        except Refused as refused:
            if not any(word in str(refused) for word in ("don't meet the specifications", "execution error")):
                yield f"helm refuses {what} for another reason: {refused}"
