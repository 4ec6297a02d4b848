"""Rules about settings, secrets and addresses."""

import re

import facts
from manifests import component, config_volumes, environment, mounted, secret_volumes, setting, spec_of
from rules import rule

# Settings whose value is a secret: only ever a file.
SECRET = re.compile(r"(SECRET|PASSWORD|_KEY|CREDENTIALS|DATABASE_URL|REDIS_URL)$")


@rule
def settings_are_those_that_the_program_reads(m):
    for service, deployment in m.services().items():
        required, optional = facts.settings(service)
        container = spec_of(deployment)["containers"][0]
        given = {name.removeprefix("EDUHUB_") for name in environment(container) if name.startswith("EDUHUB_")}
        known = required | optional
        for key in given:
            if key not in known and key.removesuffix("_FILE") not in known:
                yield f"{service}: reads no setting {key}"
        for key in required:
            if not given & {key, f"{key}_FILE"}:
                yield f"{service}: wants {key}"
        names = [entry["name"] for entry in container["env"]]
        yield from (f"{service}: {name} twice" for name in set(names) if names.count(name) > 1)
        for name, value in environment(container).items():
            if re.fullmatch(r"[0-9.]+e\+?[0-9]+", value) or value == "":
                yield f"{service}: {name} is {value!r}"


@rule
def the_doctor_is_told_everything(m):
    for whose, _, container in m.containers():
        if "/cli:" in container["image"]:
            given = {name for name in environment(container) if name.startswith("EDUHUB_")}
            urls = {f"EDUHUB_{fact['short'].upper()}_URL" for fact in m.facts["services"].values()}
            yield from (f"{whose}: is not told {name}" for name in sorted(urls - given))
            yield from (f"{whose}: reads no {name}" for name in sorted(given - facts.variables_of_the_cli()))


@rule
def secrets_come_by_reference(m):
    """As files of a secret that is mounted into this container, and of no other. Authorities are no secrets."""
    for whose, spec, container in m.containers():
        mounts = mounted(container, secret_volumes(spec))
        public = mounted(container, config_volumes(spec))
        named = {value: name for name, value in environment(container).items() if value.startswith("/run/")}
        paths = list(named)
        for path in paths:
            if not any(path == mount or path.startswith(f"{mount}/") for mount in mounts):
                yield f"{whose}: {path} is mounted nowhere"
        for mount, secret in mounts.items():
            inside = [name for path, name in named.items() if path.startswith(f"{mount}/")]
            if not secret and not (public[mount] and all(name.endswith("_CA") for name in inside)):
                yield f"{whose}: {mount} is no secret"
            if not any(path == mount or path.startswith(f"{mount}/") for path in paths):
                yield f"{whose}: {mount} is mounted for nothing"
        for entry in container.get("env", []):
            key = entry["name"].removeprefix("EDUHUB_")
            if "secretKeyRef" in entry.get("valueFrom", {}) or (SECRET.search(key) and not key.startswith("TLS_")):
                yield f"{whose}: {entry['name']} is in the environment, where every child process and dump shows it"
    for whose, _, spec in m.pods():
        for volume in spec.get("volumes", []):
            mode = (volume.get("secret") or volume.get("configMap") or {}).get("defaultMode")
            if mode != 0o440 or not spec.get("securityContext", {}).get("fsGroup"):
                yield f"{whose}: the user of the image can't read {volume['name']}, or everybody can"


@rule
def what_makes_secrets_makes_all(m):
    made = {d["metadata"]["name"] for d in m.of("ExternalSecret")}
    made |= {d["spec"]["secretName"] for d in m.of("Certificate")}
    if m.of("ExternalSecret"):
        used = {secret for _, _, spec in m.pods() for secret in secret_volumes(spec).values()}
        yield from (f"nobody makes the secret {name}" for name in sorted(used - made))
        yield from (f"nobody uses the secret {name}" for name in sorted(made - used))
    for certificate in m.of("Certificate"):
        names = certificate["spec"]["dnsNames"]
        if certificate["metadata"]["name"] not in names or "localhost" not in names:
            yield f"the certificate of {component(certificate)} is for {names}"
    for cluster in m.of("Cluster"):
        roles = {role["name"] for role in cluster["spec"]["managed"]["roles"]}
        shorts = [fact["short"] for fact in facts.services()["services"].values()]
        if roles != {f"eduhub_{short}{end}" for short in shorts for end in ("", "_migrate")}:
            yield f"roles of the database are {sorted(roles)}"
        sql = next(iter(m.named("ConfigMap", cluster["metadata"]["name"])["data"].values()))
        yield from (f"no schema {short}" for short in shorts if f"create schema if not exists {short} " not in sql)


@rule
def addresses_lead_to_services(m):
    ports = {d["metadata"]["name"]: {port["port"] for port in d["spec"]["ports"]} for d in m.of("Service")}
    tls = all(setting(spec_of(d)["containers"][0], "TLS_CERT") for d in m.of("Deployment"))
    asked = []
    for whose, _, container in m.containers():
        asked += [(whose, value) for name, value in environment(container).items() if name.endswith("_URL")]
        asked += [(whose, value) for value in container["args"] if "://" in value]
    for whose, url in asked:
        scheme, host, port = re.fullmatch(r"(\w+)://([^:/]+)(?::(\d+))?.*", url).groups()
        if "." in host:
            continue  # the Ministry's, the population database's
        if int(port or 0) not in ports.get(host, ()):
            yield f"{whose}: nothing at {url}"
        elif (scheme == "https") != tls:
            yield f"{whose}: {url} though the services speak {'TLS' if tls else 'in the clear'}"
    for route in m.of("GRPCRoute"):
        for backend in route["spec"]["rules"][0]["backendRefs"]:
            if backend["port"] not in ports.get(backend["name"], ()):
                yield f"GRPCRoute {route['metadata']['name']} leads to {backend}"
    for ingress in m.of("Ingress"):
        hosts = {host for tls in ingress["spec"].get("tls", []) for host in tls["hosts"]}
        for entry in ingress["spec"]["rules"]:
            backend = entry["http"]["paths"][0]["backend"]["service"]["name"]
            if entry["host"] not in hosts or backend not in ports:
                yield f"Ingress {ingress['metadata']['name']}: {entry['host']} without TLS, or leads to {backend}"
    for kind in ("GRPCRoute", "Ingress"):
        if m.of(kind) and {component(d) for d in m.of(kind)} != set(facts.names()):
            yield f"not one {kind} per service"
