"""Manifests broken on purpose: for each, the rule that must notice. A rule without a mutation is a problem by itself."""

import copy

from chart import KUBERNETES, against_schema
from manifests import spec_of
from rules import RULES

ALL = []


def breaks(rule, scenario="small"):
    """Registers a mutation: the rule that must notice it, and the scenario that it is done to."""

    def register(change):
        ALL.append((rule, scenario, change))
        return change

    return register


def survivors(rendered):
    for rule, scenario, change in ALL:
        if scenario not in rendered:
            continue  # does not render: said already
        name = change.__name__
        manifests = copy.deepcopy(rendered[scenario])
        change(manifests)
        if vars(manifests) == vars(rendered[scenario]):
            yield f"{name} changes nothing in {scenario}"
        elif rule == "kubernetes" and not any(against_schema(d) for d in manifests.documents):
            yield f"{name}: the schemas of Kubernetes {KUBERNETES} do not notice"
        elif rule != "kubernetes" and not notices(rule, manifests):
            yield f"{name}: {rule} does not notice"
    yield from (f"nothing tries {rule}" for rule in RULES if rule not in {tried for tried, _, _ in ALL})


def notices(rule, manifests):
    return any(True for _ in RULES[rule](manifests))


# --- what they change ----------------------------------------------------------------------------------------------


def deployment(m, service="registry"):
    return m.named("Deployment", f"eduhub-{service}")


def container(m, service="registry"):
    return spec_of(deployment(m, service))["containers"][0]


def policy(m, service):
    return m.named("NetworkPolicy", f"eduhub-{service}")["spec"]


def variable(m, name, service="registry"):
    return next(entry for entry in container(m, service)["env"] if entry["name"] == f"EDUHUB_{name}")


import mutations_list  # noqa: E402,F401 - registers ALL, with the helpers above
