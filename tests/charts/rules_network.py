"""Network policies, read as the cluster reads them, against the calls that the services make."""

import facts
from manifests import matches
from rules import rule

DNS = 53


def allows(m, direction, labels, peer, port):
    """Whether the policies over a pod let it talk to (or be called by) another pod of the release."""
    side, key = ("Ingress", "from") if direction == "ingress" else ("Egress", "to")
    policies = [p["spec"] for p in m.of("NetworkPolicy") if matches(p["spec"]["podSelector"], labels)]
    policies = [policy for policy in policies if side in policy["policyTypes"]]
    if not policies:
        return True
    for entry in (entry for policy in policies for entry in policy.get(direction) or []):
        ports = [p["port"] for p in entry.get("ports", [])]
        peers = entry.get(key)
        near = peers is None or any("podSelector" in p and "namespaceSelector" not in p and matches(p["podSelector"], peer) for p in peers)
        if near and (not ports or port in ports):
            return True
    return False


@rule
def policies_are_the_edges(m):
    """A call goes through exactly where services/README.md and the services' own settings have one."""
    if not m.values["networkPolicy"]["enabled"]:
        return
    expected, _ = facts.readme()
    port = facts.services()["port"]
    pods = {labels["app.kubernetes.io/component"]: labels for _, labels, _ in m.pods()}
    for caller, labels in pods.items():
        for callee in facts.names():
            if caller == callee:
                continue
            wanted = (caller, callee) in expected or caller == "test"
            out = allows(m, "egress", labels, pods[callee], port)
            inward = allows(m, "ingress", pods[callee], labels, "grpc")
            if out != wanted:
                yield f"{caller} {'can not' if wanted else 'can'} call out to {callee}"
            if inward != wanted:
                yield f"{callee} {'can not' if wanted else 'can'} be called by {caller}"


@rule
def services_yaml_says_what_the_readme_says(m):
    expected, _ = facts.readme()
    listed = set()
    for name, fact in m.facts["services"].items():
        listed |= {(name, callee) for callee in fact["calls"] + fact["outside"]}
        if facts.called_in_code(name) != set(fact["calls"]):
            yield f"{name}: its settings name {sorted(facts.called_in_code(name))}, services.yaml {sorted(fact['calls'])}"
    yield from (f"{edge}: in services.yaml alone" for edge in sorted(listed - expected))
    yield from (f"{edge}: in services/README.md alone" for edge in sorted(expected - listed))


@rule
def nothing_else_is_open(m):
    """Default deny for every pod; beyond the release only the named systems, DNS and clients."""
    if not m.values["networkPolicy"]["enabled"]:
        return
    deny = [p["spec"] for p in m.of("NetworkPolicy") if not p["spec"].get("ingress") and not p["spec"].get("egress")]
    for whose, labels, _ in m.pods():
        sides = {side for policy in deny if matches(policy["podSelector"], labels) for side in policy["policyTypes"]}
        if sides != {"Ingress", "Egress"}:
            yield f"{whose}: no default deny"
    to, redis = m.values["networkPolicy"]["to"], []
    if m.values["redis"]["enabled"]:
        redis = ["redis", "sentinel"] if m.values["redis"]["sentinel"] else ["redis"]
    for policy in m.of("NetworkPolicy"):
        name = policy["metadata"]["labels"]["app.kubernetes.io/component"]
        systems = {"migrate": ["postgres"]}.get(name, [])
        if name in facts.names():
            systems = ["postgres", *facts.services()["services"][name]["outside"], *redis]
            own = m.values["services"][name].get("settings", {})
            systems += ["collector"] if {**m.values["settings"], **own}.get("OTLP_ENDPOINT") else []
        wanted = {to[system]["port"] for system in systems} | ({DNS} if name != "default-deny" else set())
        found = set()
        for entry in policy["spec"].get("egress") or []:
            if not all("podSelector" in peer and "namespaceSelector" not in peer for peer in entry.get("to") or [{}]):
                found |= {port["port"] for port in entry.get("ports") or [{"port": "any"}]}
        if found != wanted:
            yield f"{name}: may go out to ports {found}, should to {wanted}"
        clients = m.values["networkPolicy"]["clients"]
        for entry in policy["spec"].get("ingress") or []:
            strangers = [peer for peer in entry.get("from") or ["anybody"] if not is_ours(peer)]
            scraped = entry.get("ports") == [{"port": "metrics"}]
            if strangers != (m.values["monitoring"]["scrape"]["from"] if scraped else clients):
                yield f"{name}: may be called by {strangers}"


def is_ours(peer):
    labels = peer.get("podSelector", {}).get("matchLabels", {}) if isinstance(peer, dict) else {}
    return "app.kubernetes.io/instance" in labels
