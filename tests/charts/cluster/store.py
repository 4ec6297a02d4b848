"""The objects of the simulated cluster, their versions, and what happened to them."""

import copy
import threading
import time
import uuid

import kubernetes_validate

from kinds import BY_NAME

VERSION = "1.36"


class Refused(Exception):
    """What the API answers instead: (HTTP status, reason, message)."""


class Store:
    """All objects by (kind, namespace, name). `changed` is notified of every change, and its lock guards everything."""

    def __init__(self):
        self.objects, self.events, self.version = {}, [], 0
        self.changed = threading.Condition()

    def now(self):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def record(self, what, kind, stored):
        self.version += 1
        if what != "DELETED":
            stored["metadata"]["resourceVersion"] = str(self.version)
        self.events.append((self.version, what, kind, copy.deepcopy(stored)))
        self.changed.notify_all()

    def find(self, kind, namespace, name):
        found = self.objects.get((kind.name, namespace if kind.namespaced else None, name))
        if found is None:
            raise Refused(404, "NotFound", f'{kind.plural} "{name}" not found')
        return found

    def of(self, kind_name, namespace=None):
        return [
            found
            for (kind, where, _), found in self.objects.items()
            if kind == kind_name and namespace in (None, where)
        ]

    def create(self, kind, namespace, given):
        metadata = given.setdefault("metadata", {})
        if "name" not in metadata:
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
        key = (kind.name, namespace if kind.namespaced else None, metadata["name"])
        if key in self.objects:
            raise Refused(409, "AlreadyExists", f'{kind.plural} "{metadata["name"]}" already exists')
        if kind.namespaced and ("Namespace", None, namespace) not in self.objects:
            raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')
        validate(kind, given)
        made = copy.deepcopy(given)
        made |= {"apiVersion": kind.api_version, "kind": kind.name}
        made["metadata"] |= {"uid": str(uuid.uuid4()), "generation": 1, "creationTimestamp": self.now()}
        if kind.namespaced:
            made["metadata"]["namespace"] = namespace
        self.objects[key] = made
        self.record("ADDED", kind, made)
        return made

    def change(self, kind, namespace, name, given):
        """Puts `given` in the place of what is there; what the cluster itself has set stays."""
        old = self.find(kind, namespace, name)
        expected = given.get("metadata", {}).get("resourceVersion")
        if expected not in (None, "", old["metadata"]["resourceVersion"]):
            raise Refused(409, "Conflict", f'{kind.plural} "{name}": the object has been modified')
        validate(kind, given)
        new = copy.deepcopy(given) | {"apiVersion": kind.api_version, "kind": kind.name}
        for field in ("uid", "creationTimestamp", "generation", "resourceVersion", "namespace"):
            if field in old["metadata"]:
                new["metadata"][field] = old["metadata"][field]
        if "status" in old:
            new.setdefault("status", old["status"])
        if kind.name == "Service":
            new["spec"].setdefault("clusterIP", old["spec"].get("clusterIP"))
        if new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] += 1
        if new != old:
            self.objects[(kind.name, old["metadata"].get("namespace"), name)] = new
            self.record("MODIFIED", kind, new)
        return new

    def status(self, found, status):
        """What the cluster says of an object."""
        if found.get("status") != status:
            found["status"] = status
            self.record("MODIFIED", BY_NAME[found["kind"]], found)

    def delete(self, kind, namespace, name, grace=None):
        """A pod is only marked: the node removes it when its process has ended."""
        found = self.find(kind, namespace, name)
        if kind.name != "Pod":
            return self.remove(found)
        before = found["metadata"].get("deletionGracePeriodSeconds")
        grace = found["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
        if before is None or grace < before:
            found["metadata"] |= {"deletionTimestamp": self.now(), "deletionGracePeriodSeconds": grace}
            self.record("MODIFIED", kind, found)
        return found

    def remove(self, found):
        """Forgets an object and deletes what it owns."""
        self.objects.pop((found["kind"], found["metadata"].get("namespace"), found["metadata"]["name"]), None)
        self.record("DELETED", BY_NAME[found["kind"]], found)
        for pod in self.owned(found):
            self.delete(BY_NAME["Pod"], pod["metadata"]["namespace"], pod["metadata"]["name"])
        return found

    def owned(self, owner):
        """The pods of a deployment or a job."""
        uid = owner["metadata"]["uid"]
        return [
            pod for pod in self.of("Pod") if any(o["uid"] == uid for o in pod["metadata"].get("ownerReferences", []))
        ]


def validate(kind, given):
    """By Kubernetes' own schemas, strictly, as a server does that is asked for strict validation."""
    try:
        kubernetes_validate.validate({"apiVersion": kind.api_version, "kind": kind.name} | given, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        raise Refused(
            422, "Invalid", f"{kind.name} {given['metadata'].get('name')}: {error.message} at {list(error.path)}"
        ) from error
