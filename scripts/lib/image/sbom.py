"""Writes what is in an image as CycloneDX 1.5 JSON: the crates that the program links, Rust's own library, and the
packages of the base layer.

The crates come from `cargo tree` (normal dependencies for the image's target, without procedural macros, with the
features of the build), their checksums from Cargo.lock, the packages from var/lib/dpkg/status.d of the base layer.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

Component = dict[str, Any]
# Serial numbers are made of the image's digest within this name space, so that one image has one list.
NAMESPACE = uuid.UUID("6f1b0c52-53f1-5c4e-9a51-8a3c7f0a7d11")


@dataclass
class Crate:
    """A crate with what it links."""

    name: str
    version: str
    licence: str
    repository: str
    own: bool
    needs: set[str] = field(default_factory=set)

    @property
    def purl(self) -> str:
        """Its package URL; also its reference in the list."""
        return f"pkg:cargo/{self.name}@{self.version}"


def read_tree(lines: list[str]) -> dict[str, Crate]:
    """The crates by package URL, from `cargo tree --prefix depth -f '|{p}|{l}|{r}'`."""
    crates: dict[str, Crate] = {}
    path: list[Crate] = []
    for line in lines:
        if not line.strip():
            continue
        depth, package, licence, rest = line.split("|", 3)
        name, version, *where = package.split(" ")
        new = Crate(name, version.removeprefix("v"), licence, rest.removesuffix(" (*)").strip(), bool(where))
        crate = crates.setdefault(new.purl, new)
        path[int(depth):] = [crate]
        if int(depth) > 0:
            path[-2].needs.add(crate.purl)
    return crates


def linked(crates: dict[str, Crate], root: str) -> list[Crate]:
    """What `root` links, itself included, by name."""
    found, waiting = set(), [root]
    while waiting:
        purl = waiting.pop()
        if purl not in found:
            found.add(purl)
            waiting.extend(crates[purl].needs)
    return [crates[purl] for purl in sorted(found)]


def checksums(lock: str) -> dict[str, str]:
    """SHA-256 of the published crates, by package URL. Python 3.10 has no TOML parser; the file is a simple one."""
    entry = re.compile(r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"')
    return {f"pkg:cargo/{name}@{version}": checksum for name, version, checksum in entry.findall(lock)}


def licences(expression: str) -> list[Component]:
    """A crate's licence; a slash is how old crates write OR."""
    return [{"expression": re.sub(r"\s*/\s*", " OR ", expression)}] if expression else []


def library(purl: str, name: str, version: str) -> Component:
    """A component that something else uses."""
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def crate_component(crate: Crate, sums: dict[str, str]) -> Component:
    """One crate of the list."""
    component = library(crate.purl, crate.name, crate.version)
    if crate.licence:
        component["licenses"] = licences(crate.licence)
    if crate.purl in sums:
        component["hashes"] = [{"alg": "SHA-256", "content": sums[crate.purl]}]
    if crate.repository:
        component["externalReferences"] = [{"type": "vcs", "url": crate.repository}]
    return component


def debian_components(rootfs: Path) -> list[Component]:
    """The packages of the base layer."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', (rootfs / "etc/os-release").read_text(), re.M))
    found = []
    for path in sorted((rootfs / "var/lib/dpkg/status.d").iterdir()):
        status = dict(re.findall(r"^([\w-]+): (.*)$", path.read_text(), re.M))
        system, number = release["ID"], release["VERSION_ID"]
        version = status["Version"].replace("+", "%2B").replace(":", "%3A")
        purl = f"pkg:deb/{system}/{status['Package']}@{version}"
        purl += f"?arch={status['Architecture']}&distro={system}-{number}"
        found.append(library(purl, status["Package"], status["Version"]))
    return found


def bill(image: str, digest: str, program: Path, crates: list[Crate], given: argparse.Namespace) -> Component:
    """The list of one image."""
    repository, _, tag = image.rpartition(":")
    short = repository.rpartition("/")[2]
    top = f"pkg:oci/{short}@{digest}?repository_url={repository}&tag={tag}"
    application = {
        "type": "application",
        "bom-ref": program.name,
        "name": program.name,
        "version": tag,
        "licenses": licences("Apache-2.0"),
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(program.read_bytes()).hexdigest()}],
    }
    std = f"pkg:generic/rust-std@{given.rust}"
    rust = library(std, "rust-std", given.rust) | {"licenses": licences("MIT OR Apache-2.0")}
    packages = debian_components(given.rootfs)
    sums = checksums(given.lock.read_text())
    root = next(each for each in crates if each.own and each.name in (program.name, f"{program.name}-cli"))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, digest)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(given.epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "container", "bom-ref": top, "name": repository, "version": tag, "purl": top},
        },
        "components": [application, rust, *packages, *(crate_component(each, sums) for each in crates)],
        "dependencies": [
            {"ref": top, "dependsOn": [program.name, *(each["bom-ref"] for each in packages)]},
            {"ref": program.name, "dependsOn": [std, root.purl]},
            *({"ref": each.purl, "dependsOn": sorted(each.needs)} for each in crates),
        ],
    }


def main() -> None:
    """Reads what the assembler printed, `name digest bytes program`; writes OUTPUT/eduhub-NAME.cdx.json of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, required=True, help="what cargo tree printed")
    parser.add_argument("--lock", type=Path, required=True)
    parser.add_argument("--rootfs", type=Path, required=True)
    parser.add_argument("--programs", type=Path, required=True)
    parser.add_argument("--rust", required=True, help="version of the compiler")
    parser.add_argument("--epoch", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    crates = read_tree(given.tree.read_text().splitlines())
    for line in sys.stdin:
        image, digest, _, program = line.split()
        package = next(purl for purl, each in crates.items() if each.own and each.name in (program, f"{program}-cli"))
        made = bill(image, digest, given.programs / program, linked(crates, package), given)
        short = image.rpartition("/")[2].partition(":")[0]
        text = json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False)
        (given.output / f"eduhub-{short}.cdx.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
