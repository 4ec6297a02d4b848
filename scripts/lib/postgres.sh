# shellcheck shell=bash
# A private PostgreSQL on a free loopback port, for one profile of use (test, demo, dev).
#
# State in $INSTANCE: postgres.home (where its files are), postgres.url (mode 600, holds the password).
# PostgreSQL refuses to run as root, so root runs it as the user `postgres`; where that user cannot reach the
# repository, the files live in a directory of their own under $TMPDIR.

# The directory with the server binaries of the newest PostgreSQL from 15 on; nothing when there is none.
postgres_bin() {
  local dir version best='' best_version=14
  for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin "$(dirname "$(command -v postgres || echo /none/x)")"; do
    [[ -x $dir/postgres && -x $dir/initdb && -x $dir/pg_ctl ]] || continue
    version=$("$dir/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
    if ((version > best_version)); then
      best=$dir best_version=$version
    fi
  done
  printf '%s' "$best"
}

# Runs a command as the user who owns the database files. From /, which every user may enter.
as_postgres() {
  if ((EUID == 0)); then
    (cd / && runuser -u postgres -- "$@")
  else
    (cd / && "$@")
  fi
}

# A directory that the server's user owns and can reach, mode 700.
postgres_make_home() {
  local home=$INSTANCE/postgres
  if ((EUID != 0)); then
    mkdir -p "$home"
  elif runuser -u postgres -- test -x "$INSTANCE" 2>/dev/null; then
    mkdir -p "$home"
    chown postgres: "$home"
  else
    home=$(runuser -u postgres -- mktemp -d "${TMPDIR:-/tmp}/eduhub-postgres.XXXXXX" 2>/dev/null) ||
      home=$(cd / && runuser -u postgres -- mktemp -d /tmp/eduhub-postgres.XXXXXX)
  fi
  chmod 700 "$home"
  printf '%s' "$home" >"$INSTANCE/postgres.home"
}

postgres_init() {
  local bin=$1 home=$2 password=$3
  # Written by the server's user, who could not read a file of root's; the directory has mode 700.
  printf '%s\n' "$password" | as_postgres tee "$home/initial-password" >/dev/null
  as_postgres "$bin/initdb" --pgdata="$home/data" --username=eduhub --pwfile="$home/initial-password" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$INSTANCE/initdb.log" 2>&1 || {
    tail -n 10 "$INSTANCE/initdb.log" >&2
    die "initdb failed; its log is $INSTANCE/initdb.log"
  }
  as_postgres rm "$home/initial-password"
  {
    echo "listen_addresses = '127.0.0.1'"
    echo "unix_socket_directories = ''" # TCP only: a socket's path is limited to 107 bytes
    echo "max_connections = 300"
    if [[ $PROFILE == bench ]]; then
      echo "shared_buffers = 2GB" # what is measured stays in memory
      echo "max_wal_size = 8GB"   # no checkpoint within a round
    else
      echo "shared_buffers = 512MB"
      echo "max_wal_size = 2GB"
    fi
    echo "log_timezone = 'UTC'"
    echo "timezone = 'UTC'"
    if [[ $PROFILE == test ]]; then
      echo "fsync = off" # a test's data outlives no crash of the machine
      echo "full_page_writes = off"
    fi
  } | as_postgres tee -a "$home/data/postgresql.conf" >/dev/null
  (umask 077 && printf '%s' "$password" >"$INSTANCE/postgres.password")
}

postgres_is_up() {
  local home url port
  home=$(cat "$INSTANCE/postgres.home" 2>/dev/null) && url=$(cat "$INSTANCE/postgres.url" 2>/dev/null) || return 1
  port=${url##*:} port=${port%%/*}
  as_postgres "$1/pg_ctl" status --pgdata="$home/data" >/dev/null 2>&1 &&
    as_postgres "$1/pg_isready" -q -h 127.0.0.1 -p "$port"
}

postgres_start() {
  local bin=$1 home port
  [[ -f $INSTANCE/postgres.home ]] || postgres_make_home
  home=$(cat "$INSTANCE/postgres.home")
  if ! as_postgres test -f "$home/data/PG_VERSION" || [[ ! -f $INSTANCE/postgres.password ]]; then
    as_postgres rm -rf "$home/data"
    postgres_init "$bin" "$home" "$(random_secret)"
  fi
  for _ in {1..5}; do
    port=$(free_port)
    if as_postgres "$bin/pg_ctl" start --pgdata="$home/data" --log="$home/postgres.log" --timeout=60 --wait \
      --silent --options="-p $port" >/dev/null 2>&1 8>&- 9>&- </dev/null; then
      (umask 077 && printf 'postgres://eduhub:%s@127.0.0.1:%d/postgres' \
        "$(cat "$INSTANCE/postgres.password")" "$port" >"$INSTANCE/postgres.url")
      return
    fi
  done
  as_postgres tail -n 10 "$home/postgres.log" >&2 || true
  die "PostgreSQL does not start; its log is $home/postgres.log"
}

# Ends the server by the pid in its own data directory.
postgres_stop() {
  local bin home
  bin=$(postgres_bin)
  home=$(cat "$INSTANCE/postgres.home" 2>/dev/null) || return 0
  [[ -n $bin && -n $home ]] || return 0
  as_postgres "$bin/pg_ctl" stop --pgdata="$home/data" --mode=fast --timeout=30 --silent >/dev/null 2>&1 ||
    as_postgres "$bin/pg_ctl" stop --pgdata="$home/data" --mode=immediate --silent >/dev/null 2>&1 || true
  rm -f "$INSTANCE/postgres.url"
}

# Tests and demos start from nothing; a developer's databases stay.
postgres_discard() {
  local home
  [[ $PROFILE != dev ]] || return 0
  home=$(cat "$INSTANCE/postgres.home" 2>/dev/null) || return 0
  [[ -n $home ]] || return 0
  rm -rf "$home"
  rm -f "$INSTANCE/postgres.home" "$INSTANCE/postgres.password"
}

# Leaves DATABASE_URL as it is when set, else points it at the private instance, as its superuser.
ensure_postgres() {
  local bin
  [[ -z ${DATABASE_URL:-} ]] || return 0
  bin=$(postgres_bin)
  if [[ -z $bin ]]; then
    apt_install "PostgreSQL 15 or newer" postgresql
    bin=$(postgres_bin)
    [[ -n $bin ]] || die "this distribution's PostgreSQL is older than 15; install a newer one from \
https://wiki.postgresql.org/wiki/Apt or set DATABASE_URL to a server of your own (superuser)"
  fi
  if ! postgres_is_up "$bin"; then
    postgres_stop
    postgres_discard
    postgres_start "$bin"
  fi
  DATABASE_URL=$(cat "$INSTANCE/postgres.url")
  export DATABASE_URL
}
