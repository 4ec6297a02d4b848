# shellcheck shell=bash
# A containerd of its own, which holds the images of target/images as a node would. Wants root; installs nothing.

# Sets NODE_TOOLS: Debian's containerd and runc, unpacked once.
ensure_containerd() {
  local package
  NODE_TOOLS=$EDUHUB_STATE/containerd
  [[ ! -x $NODE_TOOLS/usr/bin/ctr ]] || return 0
  mkdir -p "$NODE_TOOLS"
  chmod 777 "$NODE_TOOLS" # apt-get downloads as a user of its own
  (cd "$NODE_TOOLS" && apt-get -q download containerd runc) >"$NODE_TOOLS/apt.log" 2>&1 ||
    die "containerd and runc cannot be had from the distribution; the log is $NODE_TOOLS/apt.log"
  chmod 755 "$NODE_TOOLS"
  for package in "$NODE_TOOLS"/*.deb; do dpkg --extract "$package" "$NODE_TOOLS"; done
}

# node_up PLACE PROGRAMS: imports the images, and makes PROGRAMS/eduhub-<service> run in its image; PROGRAMS/kill POD ends one.
node_up() {
  local place=$1 programs=$2 archive image service
  ((EUID == 0)) || die "containers want root"
  [[ -f $REPO/target/images/digests ]] || die "no images in target/images: run scripts/image first"
  mkdir -p "$place" "$programs"
  NODE_SOCKET=$place/grpc.sock
  cat >"$place/config.toml" <<END
version = 2
root = "$place/root"
state = "$place/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$NODE_SOCKET"
[ttrpc]
  address = "$place/ttrpc.sock"
END
  PATH=$NODE_TOOLS/usr/bin:$NODE_TOOLS/usr/sbin:$PATH
  containerd --config "$place/config.toml" >"$place/log" 2>&1 8>&- 9>&- </dev/null &
  node_job=$!
  for _ in {1..50}; do
    ! ctr --address "$NODE_SOCKET" version >/dev/null 2>&1 || break
    sleep 0.2
  done
  for archive in "$REPO"/target/images/eduhub-*.oci.tar; do
    ctr --address "$NODE_SOCKET" --namespace k8s.io images import "$archive" >/dev/null
  done
  while read -r image _; do
    service=${image##*/} service=${service%:*}
    printf '#!/bin/sh\nexec %s %s %s %s %s "$@"\n' "$REPO/scripts/lib/pod" "$NODE_TOOLS" "$NODE_SOCKET" "$image" "$service" \
      >"$programs/eduhub-$service"
  done <"$REPO/target/images/digests"
  mv "$programs/eduhub-cli" "$programs/eduhub"
  # shellcheck disable=SC2016 # for the script that is written
  printf '#!/bin/sh\nPATH=%s/usr/bin:$PATH exec ctr --address %s --namespace k8s.io task kill --signal SIGKILL "$1"\n' \
    "$NODE_TOOLS" "$NODE_SOCKET" >"$programs/kill"
  chmod 755 "$programs"/*
}

node_down() {
  [[ -n ${node_job:-} ]] || return 0
  kill "$node_job" 2>/dev/null || true
  wait "$node_job" 2>/dev/null || true
}
