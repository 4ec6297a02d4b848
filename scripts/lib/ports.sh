# shellcheck shell=bash
# Free loopback ports, below the range from which the kernel takes the ports of outgoing connections.

port_is_free() {
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

free_port() {
  local port
  for _ in {1..50}; do
    port=$((20000 + RANDOM % 12000))
    if port_is_free "$port"; then
      printf '%d' "$port"
      return
    fi
  done
  die "found no free port between 20000 and 31999 on 127.0.0.1"
}

random_secret() {
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}
