"""What makes pods of deployments and jobs in the simulated cluster, and says how far they are."""

import copy
import hashlib
import json

from kinds import BY_NAME

POD = BY_NAME["Pod"]


def step(store):
    """One look at everything. The store's lock is held."""
    for deployment in store.of("Deployment"):
        roll(store, deployment)
    for job in store.of("Job"):
        work(store, job)
    for budget in store.of("PodDisruptionBudget"):
        seen = {"observedGeneration": budget["metadata"]["generation"], "currentHealthy": 1, "desiredHealthy": 0}
        store.status(budget, seen | {"disruptionsAllowed": 1, "expectedPods": 1})


def make_pod(store, owner, template, name, labels):
    metadata = copy.deepcopy(template["metadata"]) | {"generateName": f"{name}-"}
    metadata["labels"] = metadata.get("labels", {}) | labels
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
    metadata["ownerReferences"] = [reference | {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}]
    store.create(POD, owner["metadata"]["namespace"], {"metadata": metadata, "spec": copy.deepcopy(template["spec"])})


def is_ready(pod):
    return {"type": "Ready", "status": "True"} in pod.get("status", {}).get("conditions", [])


def roll(store, deployment):
    """So many more pods than wanted as maxSurge says, and so many fewer that are ready as maxUnavailable says."""
    spec, metadata = deployment["spec"], deployment["metadata"]
    template, wanted = spec["template"], spec.get("replicas", 1)
    strategy = {"maxSurge": 1, "maxUnavailable": 0} | spec.get("strategy", {}).get("rollingUpdate", {})
    stamp = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
    alive = [pod for pod in store.owned(deployment) if "deletionTimestamp" not in pod["metadata"]]
    new = [pod for pod in alive if pod["metadata"]["labels"]["pod-template-hash"] == stamp]
    old = [pod for pod in alive if pod not in new]
    enough = wanted - strategy["maxUnavailable"]
    if len(new) < wanted and len(alive) < wanted + strategy["maxSurge"]:
        make_pod(store, deployment, template, f"{metadata['name']}-{stamp}", {"pod-template-hash": stamp})
    elif old and (len([pod for pod in alive if is_ready(pod)]) > enough or not is_ready(old[0])):
        store.delete(POD, metadata["namespace"], old[0]["metadata"]["name"])
    elif len(new) > wanted:
        store.delete(POD, metadata["namespace"], new[-1]["metadata"]["name"])
    ready, all_ready = len([pod for pod in new if is_ready(pod)]), len([pod for pod in alive if is_ready(pod)])
    done = ready == wanted and not old
    store.status(deployment, {
        "observedGeneration": metadata["generation"],
        "replicas": len(alive), "updatedReplicas": len(new), "readyReplicas": all_ready, "availableReplicas": all_ready,
        "conditions": [
            {"type": "Available", "status": str(all_ready >= wanted)},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable" if done else "ReplicaSetUpdated"},
        ],
    })  # fmt: skip


def work(store, job):
    """One pod after the other until one succeeds or there were too many."""
    pods = store.owned(job)
    phases = [pod.get("status", {}).get("phase") for pod in pods]
    failed = phases.count("Failed")
    status = {"active": len(pods) - failed, "failed": failed, "startTime": job["metadata"]["creationTimestamp"]}
    if "Succeeded" in phases:
        status |= {
            "active": 0,
            "succeeded": 1,
            "completionTime": job.get("status", {}).get("completionTime") or store.now(),
        }
        status["conditions"] = [{"type": kind, "status": "True"} for kind in ("SuccessCriteriaMet", "Complete")]
    elif failed > job["spec"]["backoffLimit"]:
        status["conditions"] = [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]
    elif failed == len(pods):
        make_pod(store, job, job["spec"]["template"], job["metadata"]["name"], {"job-name": job["metadata"]["name"]})
    store.status(job, status)
