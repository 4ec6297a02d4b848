"""Reads an archive of scripts/image as a stranger would, compares it with what the images promise, and unpacks it.

DIR/rootfs is then the image's file system, DIR/env and DIR/entrypoint what a runtime would start.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import ssl
import sys
import tarfile
from pathlib import Path
from typing import Any

# A few tens of MiB: what a node has to pull, and to keep.
MOST_PACKED, MOST_UNPACKED = 40 << 20, 80 << 20
EXPECTED = re.compile(
    r"etc/(group|nsswitch\.conf|os-release|passwd|ssl/certs/ca-certificates\.crt)"
    r"|lib(64)?/([\w-]+/)?(ld-linux-[\w-]+\.so\.\d|libc\.so\.6|libm\.so\.6|libgcc_s\.so\.1)"
    r"|usr/share/doc/([\w.+-]+/copyright|eduhub/(LICENSE|THIRD-PARTY)|rust/COPYRIGHT-library\.html)"
    r"|var/lib/dpkg/status\.d/[\w.+-]+"
)
Json = dict[str, Any]


def need(holds: object, what: str) -> None:
    """Ends the check, saying what is wrong."""
    if not holds:
        sys.exit(f"error: {what}")


def read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """The bytes of a file in a tar archive."""
    file = tar.extractfile(member)
    return file.read() if file else b""


class Archive:
    """An OCI image layout in a tar archive; every blob that is read is compared with its digest and size."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            self.files = {each.name: read(tar, each) for each in members if each.isfile()}
        names = [each.name for each in members]
        need(names == sorted(names), f"{path}: the entries are not sorted")
        plain = all(each.mtime == each.uid == each.gid == 0 for each in members)
        need(plain, f"{path}: an entry has an owner or a time")
        self.used = {"oci-layout", "index.json", "manifest.json"}

    def json(self, name: str) -> Any:
        """A file of the layout that is no blob."""
        need(name in self.files, f"{self.path}: {name} is missing")
        return json.loads(self.files[name])

    def blob(self, descriptor: Json) -> bytes:
        """The blob that a descriptor names."""
        name = "blobs/" + descriptor["digest"].replace(":", "/")
        need(name in self.files, f"{self.path}: {name} is missing")
        data = self.files[name]
        need(len(data) == descriptor["size"], f"{name}: {len(data)} bytes, the descriptor says {descriptor['size']}")
        need(hashlib.sha256(data).hexdigest() == descriptor["digest"].partition(":")[2], f"{name}: another digest")
        self.used.add(name)
        return data


def check_config(config: Json, program: str) -> None:
    """How the image runs."""
    run = config["config"]
    need(run["User"] == "65532:65532", f"{program}: User is {run['User']}")
    need(run["Entrypoint"] == [f"/usr/bin/{program}"], f"{program}: Entrypoint is {run['Entrypoint']}")
    need(run["StopSignal"] == "SIGTERM" and run["WorkingDir"] == "/", f"{program}: StopSignal or WorkingDir")
    need(config["os"] == "linux" and config["architecture"] in ("amd64", "arm64"), f"{program}: platform")
    for label in ("licenses", "revision", "title", "version"):
        need(run["Labels"].get(f"org.opencontainers.image.{label}"), f"{program}: label {label} is missing")


def unpack(layer: bytes, root: Path, program: str) -> int:
    """Puts a layer on top of `root`, and tells how many bytes of files it has."""
    total = 0
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        for member in tar:
            name, mode = member.name, member.mode
            need(not name.startswith("/") and ".." not in Path(name).parts, f"{name}: leaves the image")
            need(member.uid == member.gid == member.mtime == 0, f"{name}: has an owner or a time")
            need(not mode & 0o6000, f"{name}: setuid or setgid")
            open_to_all = mode & 0o004 if member.isfile() else mode & 0o005 == 0o005
            need(open_to_all, f"{name}: mode {mode:o} shuts the user out")
            if member.isdir():
                need(not mode & 0o022 or (name, mode) == ("tmp", 0o1777), f"{name}: others may write")
                (root / name).mkdir(parents=True, exist_ok=True)
                continue
            need(member.isfile(), f"{name}: neither file nor directory")
            need(not mode & 0o022, f"{name}: others may write")
            need(EXPECTED.fullmatch(name) or name == f"usr/bin/{program}", f"{name}: does not belong into the image")
            (root / name).write_bytes(read(tar, member))
            (root / name).chmod(mode)
            total += member.size
    return total


def check_notices(bill: Json, notices: str) -> None:
    """Every crate from outside has its licence texts in the image."""
    named = set(re.findall(r"^==== (\S+ \S+) \(", notices, re.M))
    crates = [each for each in bill["components"] if "purl" in each and "hashes" in each]
    outside = {f"{each['name']} {each['version']}" for each in crates}
    need(len(outside) > 100 and outside <= named, f"the image has no licence texts of {sorted(outside - named)}")


def check_bill(path: Path, name: str, digest: str, program: Path) -> int:
    """The bill of materials: about this image, whole in itself, with every crate of which the program speaks."""
    bill = json.loads(path.read_text())
    about = bill["metadata"]["component"]
    need(f"@{digest}?" in about["purl"] and name.startswith(about["name"]), f"{path}: is about another image")
    known = {each["bom-ref"] for each in bill["components"]}
    for edge in bill["dependencies"]:
        need(known.issuperset(edge["dependsOn"]), f"{path}: {edge['ref']} needs what is not listed")
    content = program.read_bytes()
    hashes = [each["hashes"][0]["content"] for each in bill["components"] if each["bom-ref"] == program.name]
    need(hashes == [hashlib.sha256(content).hexdigest()], f"{path}: is about another {program.name}")
    # Panic messages name source files: /cargo/registry/src/<index>/tokio-1.54.1/src/...
    spoken = set(re.findall(rb"registry/src/[\w.-]+/([\w-]+?)-(\d+\.\d+\.\d+[\w.+-]*)/", content))
    crates = {f"pkg:cargo/{crate.decode()}@{version.decode()}" for crate, version in spoken}
    need(len(crates) > 30, f"{program.name} names only {len(crates)} crates: the comparison says nothing")
    need(crates <= known, f"{path}: {program.name} has code of {sorted(crates - known)}")
    check_notices(bill, (program.parents[2] / "usr/share/doc/eduhub/THIRD-PARTY").read_text())
    return len(known)


def main() -> None:
    """check.py ARCHIVE BILL DIR"""
    path, bill, into = (Path(each) for each in sys.argv[1:])
    archive = Archive(path)
    need(path.stat().st_size < MOST_PACKED, f"{path}: {path.stat().st_size >> 20} MiB")
    need(archive.json("oci-layout") == {"imageLayoutVersion": "1.0.0"}, "oci-layout")
    (entry,) = archive.json("index.json")["manifests"]
    name = entry["annotations"]["io.containerd.image.name"]
    need(name.endswith(":" + entry["annotations"]["org.opencontainers.image.ref.name"]), f"{name}: another tag")
    manifest = json.loads(archive.blob(entry))
    config = json.loads(archive.blob(manifest["config"]))
    program = config["config"]["Entrypoint"][0].rpartition("/")[2]
    check_config(config, program)

    root = into / "rootfs"
    root.mkdir(parents=True)
    size, diffs = 0, []
    for each in manifest["layers"]:
        layer = gzip.decompress(archive.blob(each))
        diffs.append("sha256:" + hashlib.sha256(layer).hexdigest())
        size += unpack(layer, root, program)
    need(diffs == config["rootfs"]["diff_ids"], f"{name}: the layers are not those of the configuration")
    made = [step for step in config["history"] if not step.get("empty_layer")]
    need(len(made) == len(diffs), f"{name}: the history tells of {len(made)} layers")
    stray = sorted(archive.files.keys() - archive.used)
    need(not stray, f"{path}: {stray} belong to nothing")
    need(size < MOST_UNPACKED, f"{name}: {size >> 20} MiB unpacked")
    roots = ssl.create_default_context(cafile=str(root / "etc/ssl/certs/ca-certificates.crt")).cert_store_stats()
    need(roots["x509_ca"] > 50, f"{name}: {roots['x509_ca']} roots of TLS")
    listed = check_bill(bill, name, entry["digest"], root / "usr/bin" / program)

    (into / "env").write_text("".join(f"{each}\n" for each in config["config"]["Env"]))
    (into / "entrypoint").write_text(config["config"]["Entrypoint"][0] + "\n")
    (into / "base").write_text(manifest["layers"][0]["digest"] + "\n")
    print(f"{name}: {path.stat().st_size / 1048576:.1f} MiB, unpacked {size / 1048576:.1f} MiB, {listed} components")


if __name__ == "__main__":
    main()
