"""Assembles the images of a Dockerfile as OCI archives, without an engine.

The directory given as BUILD stands for the file system of the Dockerfile's build stage: BUILD/out has the programs,
BUILD/rootfs the files that all images share. One archive per image: an OCI image layout 1.0 with one image, which
containerd (`ctr images import`), nerdctl, podman and skopeo read; a manifest.json beside it serves `docker load`.
"""

from __future__ import annotations

import argparse
import io
import json
import tarfile
from datetime import datetime, timezone
from pathlib import Path

from dockerfile import Image, images
from layer import Layer, digest, layer

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ARCHITECTURES = {62: "amd64", 183: "arm64"}


def encoded(value: object) -> bytes:
    """JSON with one way to write it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def descriptor(media_type: str, data: bytes) -> dict[str, object]:
    """How one blob names another."""
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def architecture(program: Path) -> str:
    """The machine that an ELF program is for, in OCI's words."""
    machine = int.from_bytes(program.read_bytes()[18:20], "little")
    if machine not in ARCHITECTURES:
        raise ValueError(f"{program}: ELF machine {machine} is not known")
    return ARCHITECTURES[machine]


def write_tar(path: Path, files: dict[str, bytes]) -> None:
    """The archive itself: sorted, no owner, no time."""
    directories = {str(parent) for name in files for parent in Path(name).parents if str(parent) != "."}
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(directories | files.keys()):
            info = tarfile.TarInfo(name)
            if name in files:
                info.mode, info.size = 0o644, len(files[name])
                tar.addfile(info, io.BytesIO(files[name]))
            else:
                info.mode, info.type = 0o755, tarfile.DIRTYPE
                tar.addfile(info)


def assemble(
    image: Image, layers: list[Layer], name: str, machine: str, created: str
) -> tuple[dict[str, bytes], str]:
    """The files of an archive with one image, and the digest of its manifest. `name` is HOST/PATH:TAG."""
    config = encoded({
        "architecture": machine,
        "os": "linux",
        "created": created,
        "config": image.config(),
        "rootfs": {"type": "layers", "diff_ids": [each.diff_id for each in layers]},
        "history": [
            {"created": created, "created_by": step.text} | ({} if step.copy else {"empty_layer": True})
            for step in image.steps
        ],
    })
    manifest = encoded({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, config),
        "layers": [descriptor(LAYER, each.blob) for each in layers],
        "annotations": image.labels | {"org.opencontainers.image.created": created},
    })
    tag = name.rpartition(":")[2]
    entry = descriptor(MANIFEST, manifest) | {
        "platform": {"architecture": machine, "os": "linux"},
        "annotations": {
            "io.containerd.image.name": name,
            "org.opencontainers.image.created": created,
            "org.opencontainers.image.ref.name": tag,
        },
    }
    blobs = {blob_path(data): data for data in (config, manifest, *(each.blob for each in layers))}
    docker = {
        "Config": blob_path(config),
        "RepoTags": [name.removeprefix("docker.io/")],
        "Layers": [blob_path(each.blob) for each in layers],
    }
    files = blobs | {
        "oci-layout": encoded({"imageLayoutVersion": "1.0.0"}),
        "index.json": encoded({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}),
        "manifest.json": encoded([docker]),
    }
    return files, digest(manifest)


def blob_path(data: bytes) -> str:
    """Where a blob lies in the layout."""
    return "blobs/" + digest(data).replace(":", "/")


def main() -> None:
    """Writes OUTPUT/eduhub-NAME.oci.tar of every image, and prints `name digest bytes program` of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dockerfile", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True, help="stands for the build stage's file system")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--repository", default="docker.io/eduhub", help="the images are REPOSITORY/NAME:VERSION")
    parser.add_argument("--version", required=True)
    parser.add_argument("--revision", required=True)
    parser.add_argument("--epoch", type=int, required=True, help="seconds since 1970: the time of the commit")
    args = parser.parse_args()

    created = datetime.fromtimestamp(args.epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    made: dict[str, Layer] = {}
    for short, image in images(args.dockerfile, {"VERSION": args.version, "REVISION": args.revision}).items():
        copies = [step.copy for step in image.steps if step.copy]
        for copy in copies:
            if copy.text not in made:
                made[copy.text] = layer(args.build / copy.source.lstrip("/"), copy.target)
        program = args.build / copies[-1].source.lstrip("/")
        name = f"{args.repository}/{short}:{args.version}"
        layers = [made[copy.text] for copy in copies]
        files, manifest_digest = assemble(image, layers, name, architecture(program), created)
        archive = args.output / f"eduhub-{short}.oci.tar"
        write_tar(archive, files)
        print(name, manifest_digest, archive.stat().st_size, program.name)


if __name__ == "__main__":
    main()
