"""The API of the simulated cluster over HTTP: what helm and kubectl ask of a real one."""

import copy
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import wire
import yaml
from kinds import discovery
from store import Refused
from target import Target, laid_over, selected

INITIAL_END = {"k8s.io/initial-events-end": "true"}


class Server(ThreadingHTTPServer):
    """Serves a store. `logs` gives what a pod has printed."""

    daemon_threads = True

    def __init__(self, address, store, logs):
        super().__init__(address, Handler)
        self.store, self.logs = store, logs


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer(self.get)

    def do_POST(self):
        self.answer(lambda target: (201, self.store().create(target.kind, target.namespace, self.body())))

    def do_PUT(self):
        self.answer(lambda target: (200, self.store().change(target.kind, target.namespace, target.name, self.body())))

    def do_PATCH(self):
        self.answer(self.patch)

    def do_DELETE(self):
        self.answer(self.delete)

    def store(self):
        return self.server.store

    def answer(self, act):
        """One request: its target is found, and what `act` gives or refuses is sent."""
        split = urlsplit(self.path)
        self.query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        try:
            found = discovery(split.path)
            if found is not None:
                return self.send(200, found)
            target = Target.at(split.path)
            if self.query.get("watch") in ("1", "true"):
                return self.watch(target)
            with self.store().changed:
                status, answer = act(target)
                answer = copy.deepcopy(answer)
            return self.send(status, answer)
        except Refused as refusal:
            status, reason, message = refusal.args
            body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
            return self.send(status, body | {"code": status, "reason": reason, "message": message})

    def send(self, status, answer):
        plain = isinstance(answer, str)
        body = answer.encode() if plain else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if plain else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "protobuf" in self.headers.get("Content-Type", ""):
            try:
                return wire.document(text) if text else {}
            except ValueError as error:
                raise Refused(415, "UnsupportedMediaType", str(error)) from error
        return yaml.safe_load(text) if text else {}

    def get(self, target):
        if target.part == "log":
            return 200, self.server.logs(target.name)
        if target.name:
            return 200, self.store().find(target.kind, target.namespace, target.name)
        items = self.matching(target)
        metadata = {"resourceVersion": str(self.store().version)}
        named = {"kind": f"{target.kind.name}List", "apiVersion": target.kind.api_version}
        return 200, named | {"metadata": metadata, "items": items}

    def matching(self, target):
        found = self.store().of(target.kind.name, target.namespace)
        return [one for one in found if self.wanted(one)]

    def wanted(self, found):
        return selected(found, self.query.get("labelSelector"), self.query.get("fieldSelector"))

    def patch(self, target):
        """An apply puts what is given in the place of all that was; any other patch is laid over it."""
        given, how = self.body(), self.headers.get("Content-Type", "")
        if "apply-patch" in how:
            if (target.kind.name, target.namespace, target.name) in self.store().objects:
                return 200, self.store().change(target.kind, target.namespace, target.name, given)
            return 201, self.store().create(target.kind, target.namespace, given)
        if "json-patch" in how:
            raise Refused(415, "UnsupportedMediaType", "no JSON patches here")
        old = copy.deepcopy(self.store().find(target.kind, target.namespace, target.name))
        return 200, self.store().change(target.kind, target.namespace, target.name, laid_over(old, given))

    def delete(self, target):
        grace = (self.body() | self.query).get("gracePeriodSeconds")
        grace = None if grace is None else int(grace)
        return 200, self.store().delete(target.kind, target.namespace, target.name, grace)

    def watch(self, target):
        """Events since a version, or all that is there and then events, until the client goes."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        store, since = self.store(), self.query.get("resourceVersion") or "0"
        with store.changed:
            position = len(store.events)
            first = [{"type": "ADDED", "object": copy.deepcopy(one)} for one in self.matching(target)]
            version = store.version
            if since != "0" and self.query.get("sendInitialEvents") != "true":
                first, position = [], next((i for i, e in enumerate(store.events) if e[0] > int(since)), position)
        if self.query.get("sendInitialEvents") == "true":
            metadata = {"resourceVersion": str(version), "annotations": INITIAL_END}
            bookmark = {"apiVersion": target.kind.api_version, "kind": target.kind.name, "metadata": metadata}
            first.append({"type": "BOOKMARK", "object": bookmark})
        try:
            for event in first:
                self.chunk(event)
            self.follow(target, position)
        except OSError:
            self.close_connection = True

    def follow(self, target, position):
        store = self.store()
        while True:
            with store.changed:
                if position == len(store.events):
                    store.changed.wait(timeout=1)
                fresh = store.events[position:]
            position += len(fresh)
            for _, what, kind, found in fresh:
                here = target.namespace in (None, found["metadata"].get("namespace"))
                if kind == target.kind and here and self.wanted(found):
                    self.chunk({"type": what, "object": found})

    def chunk(self, event):
        line = json.dumps(event).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.flush()
