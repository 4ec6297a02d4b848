"""A cluster of one node, simulated: an API for helm and kubectl, the controllers that matter, pods as processes.

simulate.py PROGRAMS DIRECTORY. PROGRAMS has the programs of the images; logs go below DIRECTORY, and so does the
kubeconfig, which is there when the cluster is. Ends on SIGTERM, and everything in it with it. Not simulated: scheduling,
networks and their policies, quotas, admission; the checks of tests/charts look after what concerns those.
"""

import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import controllers
from api import Server
from node import Node
from services import Services
from store import Store

# Where scripts/chart-rehearse tells the services that their collector is.
COLLECTOR = ("127.0.0.1", 21742)
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: simulated
clusters: [{name: simulated, cluster: {server: "http://127.0.0.1:%d"}}]
users: [{name: simulated, user: {}}]
contexts: [{name: simulated, context: {cluster: simulated, user: simulated}}]
"""


def main():
    programs, directory = (Path(argument).absolute() for argument in sys.argv[1:3])
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, mode=0o700)
    store = Store()
    services = Services(store)
    node = Node(store, programs, directory, services)
    server = Server(("127.0.0.1", 0), store, node.logs)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    # A collector that takes connections and never answers: nothing may wait for it.
    with socket.create_server(COLLECTOR):
        (directory / "kubeconfig").write_text(KUBECONFIG % server.server_port)
        while not over.is_set():
            with store.changed:
                services.step()
                controllers.step(store)
                node.step()
            time.sleep(0.1)
        node.end()


main()
