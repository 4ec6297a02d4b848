# shellcheck shell=bash
# The servers that EduHub needs around it, private to this checkout and to one profile of use.
#
#   services_up test|demo|dev|bench|...    exports DATABASE_URL and REDIS_URL, and ends at exit what it started
#
# Two scripts of one profile may run at once: they share the instances, and the last one out ends them. An
# instance that a killed script left behind is used again when it answers and replaced when not.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
EDUHUB_STATE=$REPO/.eduhub
export EDUHUB_STATE
mkdir -p "$EDUHUB_STATE"

for piece in say packages ports postgres redis; do
  # shellcheck source=/dev/null
  source "$REPO/scripts/lib/$piece.sh"
done

services_up() {
  PROFILE=$1
  INSTANCE=$EDUHUB_STATE/$PROFILE
  mkdir -p "$INSTANCE"
  # Root's PostgreSQL user must be able to pass through, not to look; every secret in it has mode 600.
  if ((EUID == 0)); then chmod 711 "$INSTANCE"; else chmod 700 "$INSTANCE"; fi
  command -v flock >/dev/null || die "flock is missing; install it with: apt-get install -y util-linux"
  exec 8>"$INSTANCE/setup.lock" 9>"$INSTANCE/users.lock"
  flock 8
  flock --shared 9
  trap services_down EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  ensure_postgres
  ensure_redis
  flock --unlock 8
}

# Ends the instances unless another script is still using them.
services_down() {
  local status=$?
  trap '' INT TERM HUP
  if [[ -n ${build_job:-} ]]; then kill "$build_job" 2>/dev/null || true; fi
  flock 8
  if flock --nonblock 9; then
    postgres_stop
    postgres_discard
    redis_stop
  fi
  flock --unlock 8
  exit "$status"
}

# Runs a long-lived program that ends cleanly by itself on a signal: a terminal's ctrl-C reaches it directly, a
# signal to this script alone is passed on. Returns the program's status.
run_program() {
  local program status=0
  [[ -x $1 ]] || die "$1 is missing though the build went well; is its crate in the workspace?"
  "$@" <&0 8>&- 9>&- &
  program=$!
  trap : INT
  # shellcheck disable=SC2064 # the pid of now is meant
  trap "kill -TERM $program 2>/dev/null || true" TERM HUP
  while :; do
    wait "$program" && status=0 || status=$?
    kill -0 "$program" 2>/dev/null || break
  done
  return "$status"
}
