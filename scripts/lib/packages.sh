# shellcheck shell=bash
# Installs distribution packages where that is allowed; where not, names the command that would.

apt_updated=

# apt_install WHAT PACKAGE...: WHAT is the thing that is missing, for the message.
apt_install() {
  local what=$1 log="$EDUHUB_STATE/apt.log"
  shift
  command -v apt-get >/dev/null ||
    die "$what is missing and this is no Debian or Ubuntu machine; install it with your package manager"
  local -a root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      die "$what is missing; install it with: sudo apt-get update && sudo apt-get install -y $*"
    fi
    root=(sudo -n)
  fi
  say "installing $* with apt-get (log: $log)"
  # A package index that is half out of reach may still have what is wanted, so only the install decides.
  if [[ -z $apt_updated ]]; then
    "${root[@]}" apt-get update >>"$log" 2>&1 8>&- 9>&- </dev/null || true
    apt_updated=yes
  fi
  # A busy dpkg (unattended upgrades on a new machine) is waited for.
  if ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 8>&- 9>&- </dev/null; then
    tail -n 15 "$log" >&2
    die "apt-get could not install $*; the full log is $log"
  fi
}

# Rust links with the C compiler, and the TLS library has C in it.
ensure_compiler() {
  command -v cargo >/dev/null || die "cargo is missing; install Rust 1.94 or newer from https://rustup.rs"
  command -v cc >/dev/null || apt_install "a C compiler" gcc libc6-dev
}
