"""Reads the stages of a Dockerfile that stand on `FROM scratch`: what is copied, and the image's configuration.

Only the instructions that those stages need are known; any other ends the reading with an error, so that an image
made from here never differs silently from one that an engine makes.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template


class DockerfileError(Exception):
    """The Dockerfile says something that this reader does not know."""


@dataclass
class Copy:
    """One COPY --from=STAGE, which makes one layer."""

    stage: str
    source: str
    target: str
    text: str


@dataclass
class Step:
    """One line of the image's history: a layer, or a change of the configuration alone."""

    text: str
    copy: Copy | None = None


@dataclass
class Image:
    """What a stage has come to, the stages it stands on included."""

    args: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    user: str = ""
    workdir: str = ""
    stop_signal: str = ""
    entrypoint: list[str] = field(default_factory=list)
    cmd: list[str] = field(default_factory=list)

    def copy(self) -> Image:
        """The start of a stage on top of this one; its ARGs end with the stage."""
        return Image(
            {}, dict(self.env), dict(self.labels), list(self.steps), self.user, self.workdir,
            self.stop_signal, list(self.entrypoint), list(self.cmd),
        )  # fmt: skip

    def config(self) -> dict[str, object]:
        """The `config` object of an OCI image configuration."""
        return {
            "User": self.user,
            "Env": [f"{name}={value}" for name, value in self.env.items()],
            "Entrypoint": self.entrypoint,
            "Cmd": self.cmd,
            "WorkingDir": self.workdir,
            "Labels": dict(sorted(self.labels.items())),
            "StopSignal": self.stop_signal,
        }


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """The instructions with their arguments, continued lines joined, comments left out."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\n", " ", kept).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), rest.strip()


def images(path: Path, build_args: dict[str, str]) -> dict[str, Image]:
    """The final stages by name: those that stand on scratch and have an ENTRYPOINT."""
    stages: dict[str, Image] = {"scratch": Image()}
    current: Image | None = None
    for word, rest in instructions(path.read_text()):
        if word == "FROM":
            base, _, name = (part.strip() for part in re.sub(r"\s+AS\s+", " AS ", rest, flags=re.I).partition(" AS "))
            current = stages[base].copy() if base in stages else None
            if current is not None:
                stages[name] = current
        elif current is not None:
            apply(current, word, rest, build_args)
    return {name: image for name, image in stages.items() if image.entrypoint}


def apply(image: Image, word: str, rest: str, build_args: dict[str, str]) -> None:
    """Carries out one instruction."""
    if word == "ARG":
        name, _, default = rest.partition("=")
        image.args[name] = build_args.get(name, default)
        return
    if word == "COPY":
        parts = shlex.split(rest)
        if len(parts) != 3 or not parts[0].startswith("--from="):
            raise DockerfileError(f"only COPY --from=STAGE SOURCE TARGET is known: {rest}")
        image.steps.append(Step(f"COPY {rest}", Copy(parts[0].removeprefix("--from="), parts[1], parts[2], rest)))
        return
    if word in ("ENV", "LABEL"):
        target = image.env if word == "ENV" else image.labels
        for pair in shlex.split(rest):
            name, equals, value = pair.partition("=")
            if not equals:
                raise DockerfileError(f"{word} without '=': {rest}")
            target[name] = Template(value).substitute(image.args)
        return
    if word in ("ENTRYPOINT", "CMD"):
        setattr(image, word.lower(), json.loads(rest))
    elif word in ("USER", "WORKDIR"):
        setattr(image, word.lower(), rest)
    elif word == "STOPSIGNAL":
        image.stop_signal = rest
    else:
        raise DockerfileError(f"{word} is not known after FROM scratch")
    image.steps.append(Step(f"{word} {rest}"))
