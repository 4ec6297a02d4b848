"""The node of the simulated cluster, on which all pods run."""

from pods import Run

FIRST_PORT = 21800


class Node:
    """Where pods run. `services` knows where a Service is on this machine."""

    def __init__(self, store, programs, directory, services):
        self.store, self.programs, self.directory, self.services = store, programs, directory, services
        # Programs that are not processes of this one's own come with their way to be killed.
        self.killer = programs / "kill"
        self.runs, self.next_port = {}, FIRST_PORT

    def port(self):
        """A port for a pod; by the time that one comes again its pod is long gone."""
        self.next_port = FIRST_PORT + (self.next_port + 1 - FIRST_PORT) % 200
        return self.next_port

    def step(self):
        """Starts pods that are new and forgets those that are over. The store's lock is held."""
        for pod in self.store.of("Pod"):
            uid = pod["metadata"]["uid"]
            if uid not in self.runs and "deletionTimestamp" not in pod["metadata"]:
                self.runs[uid] = Run(self, pod)
                self.runs[uid].start()
            elif uid not in self.runs or not self.runs[uid].is_alive() and "deletionTimestamp" in pod["metadata"]:
                self.store.remove(pod)

    def logs(self, name):
        log = self.directory / name / "log"
        return log.read_text() if log.exists() else ""

    def end(self):
        """Kills what still runs."""
        for run in self.runs.values():
            run.end()
