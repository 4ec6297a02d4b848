"""What a pod finds around it on the simulated node: its secrets, its environment, the addresses of others.

All as in the manifest but for what a machine has one of: a pod's port is one of its own on 127.0.0.1, and addresses and
places of files are written accordingly.
"""

import base64
import re
import shutil

from kinds import BY_NAME

PORT = 7443


class Place:
    """A directory that stands for a pod's root, and a port."""

    def __init__(self, node, pod):
        self.node, self.store, self.pod = node, node.store, pod
        self.spec, self.name = pod["spec"], pod["metadata"]["name"]
        self.port, self.directory = node.port(), node.directory / self.name
        self.directory.mkdir(parents=True, exist_ok=True)

    def leave(self):
        """Removes the secrets; the log stays."""
        shutil.rmtree(self.directory / "run", ignore_errors=True)

    def command(self, container):
        """What the kubelet would run: (command, environment). Secrets are written where they are mounted."""
        self.mount(container)
        program = re.search(r"([a-z-]+)[:@][^/]*$", container["image"])[1]
        name = "eduhub" if program == "cli" else f"eduhub-{program}"
        variables = {}
        for entry in container.get("env", []):
            value = entry.get("value", self.name)  # the one that is not plain is the pod's name
            for known, text in variables.items():
                value = value.replace(f"$({known})", text)
            variables[entry["name"]] = value
        arguments = [self.here(argument) for argument in container["args"]]
        variables = {name: self.here(value) for name, value in variables.items()}
        return [f"{self.node.programs}/{name}", *arguments], variables

    def mount(self, container):
        volumes = {volume["name"]: volume for volume in self.spec.get("volumes", [])}
        for mount in container.get("volumeMounts", []):
            folder = self.directory / mount["mountPath"].lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
            for key, content in self.content(volumes[mount["name"]]):
                if not (folder / key).exists():
                    (folder / key).write_bytes(content)

    def content(self, volume):
        """Files of a secret or a ConfigMap."""
        source = volume.get("secret") or volume["configMap"]
        kind, name = ("Secret", source["secretName"]) if "secret" in volume else ("ConfigMap", source["name"])
        with self.store.changed:
            data = self.store.find(BY_NAME[kind], self.pod["metadata"]["namespace"], name).get("data", {})
        wanted = [item["key"] for item in source.get("items", [])] or list(data)
        return [(key, base64.b64decode(data[key]) if kind == "Secret" else data[key].encode()) for key in wanted]

    def here(self, text):
        """An argument or a variable with this machine's addresses and places."""
        port = self.node.services.port
        text = re.sub(rf"//([a-z-]+):{PORT}", lambda found: f"//localhost:{port(found[1]) or PORT}", text)
        text = text.replace(f"//localhost:{PORT}", f"//localhost:{self.port}")
        text = text.replace(f"0.0.0.0:{PORT}", f"127.0.0.1:{self.port}")
        return text.replace("/usr/bin/", f"{self.node.programs}/").replace("/run/", f"{self.directory}/run/")
