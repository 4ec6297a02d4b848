"""Everything that scripts/chart-check checks."""

import sys
from concurrent.futures import ThreadPoolExecutor

import facts
import mutate
import mutations
import readme
import rules_monitoring  # noqa: F401 - each registers its rules
import rules_network  # noqa: F401
import rules_pods  # noqa: F401
import rules_release  # noqa: F401
import rules_settings  # noqa: F401
import values_schema
from chart import Refused, against_schema, run, scenarios
from manifests import Manifests
from rules import RULES


def scenario_problems(scenario):
    """What is wrong with a scenario, and its manifests."""
    try:
        scenario.lint()
        manifests = Manifests(scenario.render(), scenario.values, facts.services())
        notes = scenario.notes().partition("NOTES:")[2]
    except Refused as refused:
        return [str(refused)], None
    found = [problem for document in manifests.documents for problem in against_schema(document)]
    found += [f"{name}: {problem}" for name, check in RULES.items() for problem in check(manifests)]
    found += [] if "helm test" in notes and "<no value>" not in notes else [f"NOTES.txt does not say what to do next: {notes}"]
    return found, manifests


def main():
    print(f"charts: {run('version', '--short').strip()}", flush=True)
    everything = scenarios()
    failed = []
    with ThreadPoolExecutor() as pool:
        results = dict(zip([s.name for s in everything], pool.map(scenario_problems, everything)))
        for scenario in everything:
            found, manifests = results[scenario.name]
            failed += [f"{scenario.name}: {problem}" for problem in found]
            if manifests:
                print(f"charts: {scenario.name}: {len(manifests.documents)} resources, {len(RULES)} rules", flush=True)
        rendered = {name: manifests for name, (_, manifests) in results.items() if manifests}
        failed += [f"schema: {problem}" for problem in values_schema.problems(values_schema.read())]
        small = next(scenario for scenario in everything if scenario.name == "small")
        failed += [f"schema: {problem}" for problem in values_schema.accepted(small)]
        failed += [f"readme: {problem}" for problem in readme.problems(write="--write" in sys.argv)]
        failed += [f"mutation: {problem}" for problem in mutate.survivors(rendered)]
    if failed:
        sys.exit("\n".join([*failed, f"charts: {len(failed)} problems"]))
    print(f"charts: {len(values_schema.REFUSED)} wrong values refused, {len(mutations.ALL)} broken manifests noticed")
    print("charts: ok")


main()
