"""A pod of the simulated cluster: processes of this machine.

Programs, probes, restarts and the way to end are those of the pod; place.py has what it finds around it.
"""

import signal
import subprocess
import threading
import time

from place import Place

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


class Run(threading.Thread):
    """One pod, from its start to its end."""

    def __init__(self, node, pod):
        super().__init__(daemon=True)
        self.node, self.store = node, node.store
        self.pod, self.spec, self.name = pod, pod["spec"], pod["metadata"]["name"]
        self.place = Place(node, pod)
        self.processes, self.restarts = [], 0

    def run(self):
        with (self.place.directory / "log").open("a") as self.log:
            for container in self.spec.get("initContainers", []):
                if not self.to_the_end(container):
                    return self.tell("Failed")
            if self.spec.get("restartPolicy", "Always") == "Always":
                self.serve(self.spec["containers"][0])
            else:
                ended = [self.to_the_end(container) for container in self.spec["containers"]]
                self.tell("Succeeded" if all(ended) else "Failed")
                self.place.leave()
                while not self.leaving():
                    time.sleep(0.1)

    def tell(self, phase, ready=False):
        """The pod's status. `podIP` holds the port, too: there is one address for all."""
        conditions = [{"type": kind, "status": str(ready)} for kind in ("Ready", "ContainersReady")]
        status = {"phase": phase, "conditions": conditions, "podIP": f"127.0.0.1:{self.place.port}"}
        same = {"ready": ready, "restartCount": self.restarts, "imageID": ""}
        containers = self.spec["containers"]
        status["containerStatuses"] = [{"name": one["name"], "image": one["image"], **same} for one in containers]
        with self.store.changed:
            self.store.status(self.pod_now(), status)

    def pod_now(self):
        found = self.store.objects.get(("Pod", self.pod["metadata"]["namespace"], self.name))
        return found if found and found["metadata"]["uid"] == self.pod["metadata"]["uid"] else self.pod

    def leaving(self):
        """The grace that the pod was given to end in, if it was."""
        with self.store.changed:
            metadata = self.pod_now()["metadata"]
            return metadata if "deletionTimestamp" in metadata else None

    def start_process(self, container):
        command, variables = self.place.command(container)
        process = subprocess.Popen(command, env=variables, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def to_the_end(self, container):
        return self.start_process(container).wait() == 0

    def serve(self, container):
        """Runs, asks, restarts, and ends a container that is not meant to end."""
        while True:
            process = self.start_process(container)
            leaving = self.watch(container, process)
            self.tell("Running")
            if leaving:
                return self.stop(container, process)
            self.kill(process)
            self.restarts += 1
            time.sleep(min(10, self.restarts))

    def watch(self, container, process):
        """Asks the probes in their rhythm until the pod has to go (what it is told) or its process is no good (None)."""
        started, failures, due = False, dict.fromkeys(PROBES, 0), dict.fromkeys(PROBES, 0.0)
        while process.poll() is None:
            if leaving := self.leaving():
                return leaving
            for name in PROBES[1:] if started else PROBES[:1]:
                probe = container[name]
                if time.monotonic() < due[name]:
                    continue
                due[name] = time.monotonic() + probe.get("periodSeconds", 10)
                good = self.ask(container, probe)
                failures[name] = 0 if good else failures[name] + 1
                started = started or good
                if name == "readinessProbe" and (good or failures[name] >= probe["failureThreshold"]):
                    self.tell("Running", good)
                elif failures[name] >= probe["failureThreshold"]:
                    return None
            time.sleep(0.1)
        return self.leaving()

    def ask(self, container, probe):
        question = [self.place.here(part) for part in probe["exec"]["command"]]
        _, variables = self.place.command(container)
        # In an image it is asked inside of the container that runs: see scripts/lib/pod.
        variables["SIMULATED_PROBE"] = "yes"
        try:
            answer = subprocess.run(
                question, env=variables, capture_output=True, timeout=probe.get("timeoutSeconds", 1)
            )
        except subprocess.TimeoutExpired:
            return False
        return answer.returncode == 0

    def stop(self, container, process):
        """preStop, SIGTERM, and SIGKILL when the grace is over; no grace at all is a kill at once."""
        grace = self.leaving()["deletionGracePeriodSeconds"]
        if grace:
            until = time.monotonic() + grace
            sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            while time.monotonic() < until - grace + sleep and self.leaving()["deletionGracePeriodSeconds"]:
                time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            while process.poll() is None and time.monotonic() < until and self.leaving()["deletionGracePeriodSeconds"]:
                time.sleep(0.1)
        if self.kill(process) and grace:
            print(f"node: {self.name} had to be killed", flush=True)
        self.place.leave()

    def kill(self, process):
        """Whether there was something to kill."""
        if process.poll() is not None:
            return False
        if self.node.killer.exists():
            subprocess.run([self.node.killer, self.name], check=False)
        else:
            process.kill()
        process.wait()
        return True

    def end(self):
        for process in self.processes:
            self.kill(process)
