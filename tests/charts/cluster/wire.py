"""Kubernetes' protobuf, as far as helm sends it: its releases are secrets, and deletions have options.

The envelope is runtime.Unknown after four magic bytes; field numbers are those of k8s.io/api's generated.proto.
"""

import base64

MAGIC = b"k8s\x00"


def document(body):
    """The object in a protobuf body, as its JSON would be. Kinds but Secret and DeleteOptions are refused with a ValueError."""
    if not body.startswith(MAGIC):
        raise ValueError("not Kubernetes' protobuf")
    envelope = fields(body[len(MAGIC) :])
    kind = text(fields(envelope[1][0]), 2)
    message = fields(envelope[2][0])
    if kind == "DeleteOptions":
        return {"gracePeriodSeconds": message[1][0]} if 1 in message else {}
    if kind != "Secret":
        raise ValueError(f"no protobuf for {kind} here")
    metadata = fields(message[1][0])
    names = {1: "name", 2: "generateName", 3: "namespace", 6: "resourceVersion"}
    out = {"metadata": {name: text(metadata, number) for number, name in names.items() if text(metadata, number)}}
    out["metadata"] |= {"labels": pairs(metadata, 11, bytes.decode), "annotations": pairs(metadata, 12, bytes.decode)}
    return out | {
        "data": pairs(message, 2, lambda value: base64.b64encode(value).decode()),
        "type": text(message, 3) or "Opaque",
    }


def pairs(message, number, value):
    entries = [fields(entry) for entry in message.get(number, [])]
    return {text(entry, 1): value(entry.get(2, [b""])[0]) for entry in entries}


def text(message, number):
    return message[number][0].decode() if number in message else ""


def fields(body):
    """The values of a message by field number: numbers, or bytes."""
    out, at = {}, 0
    while at < len(body):
        tag, at = varint(body, at)
        if tag & 7 == 0:
            value, at = varint(body, at)
        elif tag & 7 == 2:
            length, at = varint(body, at)
            value, at = body[at : at + length], at + length
        else:
            raise ValueError(f"wire type {tag & 7}")
        out.setdefault(tag >> 3, []).append(value)
    return out


def varint(body, at):
    value = shift = 0
    while True:
        value |= (body[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if body[at - 1] < 0x80:
            return value, at
