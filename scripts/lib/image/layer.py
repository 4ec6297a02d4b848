"""Layers of an image: a tree of files as a tar archive that depends on the files' names, bytes and modes alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Layer:
    """A layer as it lies in the archive."""

    blob: bytes
    """The gzipped tar archive."""
    diff_id: str
    """Digest of the tar archive before compression: what the image's identity is made of."""


def digest(data: bytes) -> str:
    """The digest of `data` as OCI writes it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(source: Path, target: str) -> Layer:
    """The layer that `COPY source target` makes: a file, or what is in a directory.

    Owner root, times 1970: neither the build's machine nor its hour shows.
    """
    base = PurePosixPath(target.strip("/"))
    entries: dict[str, Path | None] = {}
    if source.is_dir():
        for path in source.rglob("*"):
            entries[str(base / path.relative_to(source))] = path
    else:
        name = base / source.name if target.endswith("/") else base
        entries[str(name)] = source
    for name in list(entries):
        for parent in PurePosixPath(name).parents:
            if str(parent) != ".":
                entries.setdefault(str(parent), None)

    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, path in sorted(entries.items()):
            add(tar, name, path)
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=9, mtime=0) as zipped:
        zipped.write(raw.getbuffer())
    return Layer(packed.getvalue(), digest(raw.getvalue()))


def add(tar: tarfile.TarFile, name: str, path: Path | None) -> None:
    """Adds a file, a directory, or (no path) a directory that only leads to one."""
    info = tarfile.TarInfo(name)
    if path is None or (path.is_dir() and not path.is_symlink()):
        info.type = tarfile.DIRTYPE
        info.mode = 0o755 if path is None else stat.S_IMODE(path.stat().st_mode)
        tar.addfile(info)
    elif path.is_symlink():
        info.type, info.linkname = tarfile.SYMTYPE, str(path.readlink())
        info.mode = 0o777
        tar.addfile(info)
    elif path.is_file():
        content = path.read_bytes()
        info.mode, info.size = stat.S_IMODE(path.stat().st_mode), len(content)
        tar.addfile(info, io.BytesIO(content))
    else:
        raise ValueError(f"{path} is neither file nor directory")
