"""The kinds of the API that the simulated cluster has, and how it tells clients of them."""

from dataclasses import dataclass

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


@dataclass(frozen=True)
class Kind:
    """A kind of objects. `group` is empty for the core."""

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self):
        return f"{self.group}/{self.version}" if self.group else self.version

    def listing(self):
        """Its entry in an APIResourceList."""
        return {
            "name": self.plural,
            "singularName": self.name.lower(),
            "namespaced": self.namespaced,
            "kind": self.name,
            "verbs": VERBS,
        }


KINDS = [
    Kind("", "v1", "Namespace", "namespaces", namespaced=False),
    Kind("", "v1", "Secret", "secrets"),
    Kind("", "v1", "ConfigMap", "configmaps"),
    Kind("", "v1", "ServiceAccount", "serviceaccounts"),
    Kind("", "v1", "Service", "services"),
    Kind("", "v1", "Pod", "pods"),
    Kind("", "v1", "Event", "events"),
    Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    Kind("apps", "v1", "Deployment", "deployments"),
    Kind("apps", "v1", "ReplicaSet", "replicasets"),
    Kind("batch", "v1", "Job", "jobs"),
    Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    Kind("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
    Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
    Kind("networking.k8s.io", "v1", "Ingress", "ingresses"),
    Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
]
BY_PLURAL = {(kind.api_version, kind.plural): kind for kind in KINDS}
BY_NAME = {kind.name: kind for kind in KINDS}


def discovery(path):
    """What stands at a path of discovery, or None."""
    groups = {kind.api_version: kind for kind in KINDS if kind.group}
    if path == "/version":
        return {"major": "1", "minor": "36", "gitVersion": "v1.36.0", "platform": "linux/amd64"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group_of(kind) for kind in groups.values()]}
    if path.startswith("/openapi/v3"):
        return openapi(path.removeprefix("/openapi/v3").lstrip("/"))
    known = {"/api/v1": "v1", **{f"/apis/{name}": name for name in groups}}
    if path in known:
        resources = [kind.listing() for kind in KINDS if kind.api_version == known[path]]
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": known[path], "resources": resources}
    return None


def group_of(kind):
    version = {"groupVersion": kind.api_version, "version": kind.version}
    return {"name": kind.group, "versions": [version], "preferredVersion": version}


def openapi(group):
    """Tells clients that the server validates fields itself, so that they need not."""
    places = {f"apis/{kind.api_version}" if kind.group else "api/v1" for kind in KINDS}
    if not group:
        return {"paths": {place: {"serverRelativeURL": f"/openapi/v3/{place}"} for place in sorted(places)}}
    paths = {}
    for kind in KINDS:
        if group.endswith(kind.api_version):
            where = "/namespaces/{namespace}" if kind.namespaced else ""
            named = {"group": kind.group, "version": kind.version, "kind": kind.name}
            patch = {
                "x-kubernetes-group-version-kind": named,
                "parameters": [{"name": "fieldValidation", "in": "query"}],
                "responses": {},
            }
            paths[f"/{group}{where}/{kind.plural}/{{name}}"] = {"patch": patch}
    return (
        {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.36.0"}, "paths": paths} if paths else None
    )
