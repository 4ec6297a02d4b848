"""What a request is about: the kind, the object, the selectors, the patch."""

import re

from kinds import BY_PLURAL
from store import Refused

PATH = re.compile(r"/(?:api/(v1)|apis/([^/]+/[^/]+))(?:/namespaces/([^/]+))?/([a-z]+)(?:/([^/]+))?(?:/([a-z]+))?")
OF_NAMESPACES = re.compile(r"/api/v1/namespaces(?:/([^/]+))?")


class Target:
    """What a path names."""

    def __init__(self, kind, namespace, name, part):
        self.kind, self.namespace, self.name, self.part = kind, namespace, name, part

    @classmethod
    def at(cls, path):
        if found := OF_NAMESPACES.fullmatch(path):
            return cls(BY_PLURAL["v1", "namespaces"], None, found[1], None)
        found = PATH.fullmatch(path)
        kind = found and BY_PLURAL.get((found[1] or found[2], found[4]))
        if not kind:
            raise Refused(404, "NotFound", f"the server could not find {path}")
        return cls(kind, found[3], found[5], found[6])


def laid_over(old, given):
    """RFC 7396; a strategic patch is taken as one, which is enough for maps."""
    if not isinstance(given, dict) or not isinstance(old, dict):
        return given
    out = dict(old)
    for name, value in given.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = laid_over(out.get(name), value)
    return out


def selected(found, labels, fields):
    """Whether the selectors of a request take an object."""
    own = found["metadata"].get("labels", {})
    for term in re.findall(r"[^,(]+(?:\([^)]*\))?", labels or ""):
        if some := re.fullmatch(r"\s*(\S+)\s+(not)?in\s*\(([^)]*)\)\s*", term):
            if (own.get(some[1]) in [value.strip() for value in some[3].split(",")]) == bool(some[2]):
                return False
        elif not equal(term.strip(), own):
            return False
    for term in filter(None, (fields or "").split(",")):
        path, _, value = term.replace("==", "=").partition("=")
        at = found
        for step in path.split("."):
            at = at.get(step, "") if isinstance(at, dict) else ""
        if at != value:
            return False
    return True


def equal(term, own):
    if "!=" in term:
        name, _, value = term.partition("!=")
        return own.get(name) != value
    if "=" in term:
        name, _, value = term.replace("==", "=").partition("=")
        return own.get(name) == value
    return term[1:] not in own if term.startswith("!") else term in own
