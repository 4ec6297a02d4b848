"""Breaks manifests and sees whether the rules notice. A rule that nothing tries is a problem by itself."""

import copy

from chart import against_schema
from mutations import ALL
from rules import RULES


def survivors(rendered):
    for rule, scenario, name, change in ALL:
        if scenario not in rendered:
            continue  # does not render: said already
        manifests = copy.deepcopy(rendered[scenario])
        try:
            change(manifests)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            yield f"{name}: {scenario} has nothing to break that way: {error!r}"
            continue
        if vars(manifests) == vars(rendered[scenario]):
            yield f"{name} changes nothing in {scenario}"
        elif not noticed(rule, manifests):
            yield f"{name}: {rule} does not notice"
    tried = {rule for rule, *_ in ALL}
    yield from (f"nothing tries {rule}" for rule in RULES if rule not in tried)


def noticed(rule, manifests):
    if rule == "kubernetes":
        return any(against_schema(document) for document in manifests.documents)
    return any(True for _ in RULES[rule](manifests))
