"""Services of the simulated cluster: addresses of this machine whose connections go to a pod that is ready."""

import random
import select
import socket
import threading

from target import equal

PORT = 7443


class Services:
    """Each Service has a cluster IP of its own in 127.1.0.0/16 and, for the pods, a port on localhost."""

    def __init__(self, store):
        self.store, self.proxies = store, {}

    def port(self, name):
        return self.proxies[name].port if name in self.proxies else None

    def step(self):
        """Opens and closes. The store's lock is held."""
        found = {service["metadata"]["name"]: service for service in self.store.of("Service")}
        for name, service in found.items():
            if name not in self.proxies:
                address = f"127.1.0.{len(self.proxies) + 1}"
                self.proxies[name] = Proxy(self, service["spec"]["selector"], address)
            if "clusterIP" not in service["spec"]:
                service["spec"]["clusterIP"] = self.proxies[name].address
        for name in set(self.proxies) - set(found):
            self.proxies.pop(name).close()

    def endpoint(self, selector):
        """The address of a ready pod, or None."""
        with self.store.changed:
            ready = [
                pod["status"]["podIP"].split(":")
                for pod in self.store.of("Pod")
                if all(equal(f"{name}={value}", pod["metadata"]["labels"]) for name, value in selector.items())
                and "deletionTimestamp" not in pod["metadata"]
                and {"type": "Ready", "status": "True"} in pod.get("status", {}).get("conditions", [])
            ]
        return random.choice(ready) if ready else None


class Proxy:
    """One Service's listeners."""

    def __init__(self, services, selector, address):
        self.services, self.selector, self.address = services, selector, address
        self.listeners = [socket.create_server(("127.0.0.1", 0)), socket.create_server((address, PORT))]
        self.port = self.listeners[0].getsockname()[1]
        for listener in self.listeners:
            threading.Thread(target=self.accept, args=[listener], daemon=True).start()

    def close(self):
        for listener in self.listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            endpoint = self.services.endpoint(self.selector)
            try:
                pod = socket.create_connection((endpoint[0], int(endpoint[1])), timeout=5) if endpoint else None
            except OSError:
                pod = None
            if pod is None:
                client.close()
                continue
            threading.Thread(target=pump, args=[client, pod], daemon=True).start()


def pump(one, other):
    """Copies both ways until one side ends; a connection outlives the readiness of its pod, as in a cluster."""
    peers = {one: other, other: one}
    with one, other:
        for peer in peers:
            peer.settimeout(None)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            for readable in select.select(list(peers), [], [])[0]:
                try:
                    data = readable.recv(1 << 18)
                    peers[readable].sendall(data)
                except OSError:
                    return
                if not data:
                    return
