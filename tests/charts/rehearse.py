"""Runs the rendered chart as processes of this machine: the same programs, arguments, environments and secret files.

rehearse.py MANIFESTS SECRETS PROGRAMS DIRECTORY. Only what a machine has one of differs: addresses and the place of files.
"""

import base64
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import yaml

from chart import RELEASE
from manifests import Manifests, environment, secret_volumes, spec_of

FIRST_PORT = 21743
# Where scripts/chart-rehearse tells the services that their collector is.
COLLECTOR = ("127.0.0.1", 21742)
# From the start of the processes until all are ready.
PATIENCE = 60


class Stage:
    """Where the processes find what their pods would."""

    def __init__(self, secrets, programs, directory):
        self.secrets, self.programs, self.directory = secrets, programs, directory
        self.ports = {}

    def port(self, service):
        return self.ports.setdefault(service, FIRST_PORT + len(self.ports))

    def mount(self, spec, container, place):
        """Writes the secrets' keys where the container mounts them; gives the directory that stands for its root."""
        root = self.directory / place
        names = secret_volumes(spec)
        items = {v["name"]: [item["key"] for item in v["secret"].get("items", [])] for v in spec["volumes"]}
        for mount in container["volumeMounts"]:
            folder = root / mount["mountPath"].lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
            for key, content in self.secrets[names[mount["name"]]].items():
                if not items[mount["name"]] or key in items[mount["name"]]:
                    (folder / key).write_bytes(base64.b64decode(content))
        return root

    def here(self, text, root, service=None):
        """An argument or a variable with this machine's addresses and places."""
        text = re.sub(rf"//{RELEASE}-([a-z-]+):7443", lambda found: f"//localhost:{self.port(found[1])}", text)
        if service:
            text = text.replace("//localhost:7443", f"//localhost:{self.port(service)}")
            text = text.replace("0.0.0.0:7443", f"127.0.0.1:{self.port(service)}")
        return text.replace("/usr/bin/", f"{self.programs}/").replace("/run/", f"{root}/run/")

    def command(self, spec, container, place, service=None):
        """What the kubelet would run: (command, environment)."""
        root = self.mount(spec, container, place)
        program = re.search(r"([a-z-]+)[:@][^/]*$", container["image"])[1]
        arguments = [self.here(argument, root, service) for argument in container["args"]]
        variables = {name: self.here(value, root, service) for name, value in environment(container).items()}
        name = "eduhub" if program == "cli" else f"eduhub-{program}"
        return [f"{self.programs}/{name}", *arguments], variables


def succeed(what, command, variables):
    """Runs to the end, which must be a good one."""
    done = subprocess.run(command, env=variables, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"{what}: {' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")


def ask(stage, probe, spec, container, service):
    root = stage.directory / service
    _, variables = stage.command(spec, container, service, service)
    question = [stage.here(part, root, service) for part in container[probe]["exec"]["command"]]
    patience = container[probe]["timeoutSeconds"]
    try:
        asked = subprocess.run(question, env=variables, capture_output=True, stdin=subprocess.DEVNULL, timeout=patience)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


def rehearse(manifests, stage):
    for job in manifests.of("Job"):
        spec = job["spec"]["template"]["spec"]
        succeed(job["metadata"]["name"], *stage.command(spec, spec["containers"][0], job["metadata"]["name"]))
    print(f"rehearsal: {len(manifests.of('Job'))} migrations under the roles that own the schemas", flush=True)
    running = {}
    try:
        for service, deployment in manifests.services().items():
            spec = spec_of(deployment)
            command, variables = stage.command(spec, spec["containers"][0], service, service)
            log = (stage.directory / f"{service}.log").open("w")
            running[service] = subprocess.Popen(command, env=variables, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        for service, deployment in manifests.services().items():
            spec = spec_of(deployment)
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                while not ask(stage, probe, spec, spec["containers"][0], service):
                    if running[service].poll() is not None or time.monotonic() > until:
                        raise SystemExit(f"{service}: {probe} fails\n{(stage.directory / f'{service}.log').read_text()}")
                    time.sleep(0.2)
        print(f"rehearsal: {len(running)} services start, live and ready, under the roles that only use them", flush=True)
        for test in (pod["spec"] for pod in manifests.of("Pod")):
            for container in test["containers"]:
                succeed(f"helm test {container['name']}", *stage.command(test, container, f"test-{container['name']}"))
        print("rehearsal: helm test, with the doctor", flush=True)
    finally:
        for process in running.values():
            process.terminate()
        grace = max(spec_of(deployment)["terminationGracePeriodSeconds"] for deployment in manifests.of("Deployment"))
        codes = {service: process.wait(timeout=grace) for service, process in running.items()}
    if any(codes.values()):
        raise SystemExit(f"not all ended well on SIGTERM: {codes}")


def main():
    rendered, secrets, programs, directory = (Path(argument) for argument in sys.argv[1:])
    documents = [document for document in yaml.safe_load_all(rendered.read_text()) if document]
    made = [document for document in yaml.safe_load_all(secrets.read_text()) if document["kind"] == "Secret"]
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, mode=0o700)
    stage = Stage({secret["metadata"]["name"]: secret["data"] for secret in made}, programs, directory)
    # A collector that takes connections and never answers: nothing may wait for it.
    with socket.create_server(COLLECTOR):
        rehearse(Manifests(documents, {}, {}), stage)
    shutil.rmtree(directory)
    print("rehearsal: ok")


main()
