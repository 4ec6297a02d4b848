# shellcheck shell=bash
# What the drills of an operator need: a stack that is started and ended; PostgreSQL with archived WAL, base backup and
# restore to a point. After services.sh, build.sh and people.sh.

# The files of a run, below the instance; what the server's user must reach, below VAULT.
drill_files() {
  WORK=$INSTANCE/work
  rm -rf "$WORK"
  mkdir -p "$WORK"
  VAULT=$(as_postgres mktemp -d "${TMPDIR:-/tmp}/eduhub-drill.XXXXXX")
  as_postgres mkdir "$VAULT/archive"
  # shellcheck disable=SC2034 # for people.sh
  EDUHUB=$BIN/eduhub
  # shellcheck disable=SC2034
  ADMIN_PASSWORD_FILE=$WORK/stack/secrets/admin-password
}

stack_pid=
restored=

# Ends what a drill has started, whatever way the script ends.
drill_down() {
  local status=$?
  set +e
  stack_down
  if [[ -n $restored ]]; then
    as_postgres "$(postgres_bin)/pg_ctl" stop --pgdata="$restored" --mode=immediate --silent >/dev/null 2>&1 || true
  fi
  if [[ -n ${VAULT:-} ]]; then as_postgres rm -rf "$VAULT"; fi
  (exit "$status") # services_down ends with this
  services_down
}

# stack_up DATABASE_URL: the five services and the simulators, on the kept database of that server.
stack_up() {
  local log=$WORK/stack.log
  : >"$log"
  DATABASE_URL=$1 "$BIN/eduhub-stack" up --keep-data --dir "$WORK/stack" >"$log" 2>&1 8>&- 9>&- </dev/null &
  stack_pid=$!
  for _ in {1..600}; do
    if grep -q 'ctrl-C ends all' "$log"; then
      EDUHUB_IDENTITY_URL=$(service_url identity) EDUHUB_REGISTRY_URL=$(service_url registry)
      EDUHUB_FACILITY_URL=$(service_url facility) EDUHUB_APPROVAL_URL=$(service_url approval)
      EDUHUB_BRIDGE_URL=$(service_url bridge) EDUHUB_TLS_CA=$WORK/stack/certs/ca.pem
      export EDUHUB_IDENTITY_URL EDUHUB_REGISTRY_URL EDUHUB_FACILITY_URL EDUHUB_APPROVAL_URL EDUHUB_BRIDGE_URL EDUHUB_TLS_CA
      return
    fi
    kill -0 "$stack_pid" 2>/dev/null || die "the services do not start: $(tail -n 5 "$log")"
    sleep 0.2
  done
  die "the services are not ready within two minutes; see $log"
}

service_url() {
  sed -n "s/.*[^a-z]$1 .*\(https:\/\/localhost:[0-9]*\).*/\1/p" "$WORK/stack.log" | head -n 1
}

stack_down() {
  [[ -n $stack_pid ]] || return 0
  kill -TERM "$stack_pid" 2>/dev/null || true
  wait "$stack_pid" 2>/dev/null || true
  stack_pid=
}

# database_of NAME: the server's address with another database.
database_of() {
  printf '%s/%s' "${DATABASE_URL%/*}" "$1"
}

# sql STATEMENT [DATABASE]
sql() {
  PGPASSWORD=$(cat "$INSTANCE/postgres.password") "$(postgres_bin)/psql" -XqAt -v ON_ERROR_STOP=1 \
    -d "$(without_password)/${2:-postgres}" -c "$1"
}

log_entries() {
  sql "select count(*) from registry.change_log" eduhub_dev
}

# Every finished piece of WAL is copied away at once.
archive_on() {
  local home
  home=$(cat "$INSTANCE/postgres.home")
  printf '%s\n' "archive_mode = on" "archive_command = 'test ! -f $VAULT/archive/%f && cp %p $VAULT/archive/%f'" |
    as_postgres tee -a "$home/data/postgresql.conf" >/dev/null
  postgres_stop
  postgres_start "$(postgres_bin)"
  DATABASE_URL=$(cat "$INSTANCE/postgres.url")
}

# await_archive FILE: a piece of WAL that is finished.
await_archive() {
  for _ in {1..150}; do
    if as_postgres test -f "$VAULT/archive/$1"; then return; fi
    sleep 0.1
  done
  die "the WAL was not archived: $(sql "select last_failed_wal from pg_stat_archiver")"
}

# take_base_backup: with the server running.
take_base_backup() {
  PGPASSWORD=$(cat "$INSTANCE/postgres.password") as_postgres "$(postgres_bin)/pg_basebackup" \
    --pgdata="$VAULT/base" --checkpoint=fast --wal-method=none --no-password --dbname="$(without_password)" \
    >"$WORK/backup.log" 2>&1 ||
    die "the base backup failed: $(tail -n 3 "$WORK/backup.log")"
}

# The server's address; a password would stand in the list of processes.
without_password() {
  local rest=${DATABASE_URL#*@}
  printf 'postgres://eduhub@%s' "${rest%%/*}"
}

# restore_to POINT: the base backup as a server of its own, with the archived WAL up to the named point. DATABASE_URL is its.
restore_to() {
  local bin port password
  bin=$(postgres_bin)
  restored=$VAULT/base
  printf '%s\n' "restore_command = 'cp $VAULT/archive/%f %p'" "recovery_target_name = '$1'" \
    "recovery_target_action = 'promote'" "archive_mode = off" | as_postgres tee -a "$restored/postgresql.conf" >/dev/null
  as_postgres touch "$restored/recovery.signal"
  port=$(free_port)
  as_postgres "$bin/pg_ctl" start --pgdata="$restored" --log="$VAULT/restored.log" --timeout=120 --wait --silent \
    --options="-p $port" >/dev/null 2>&1 8>&- 9>&- </dev/null || die "the restore failed: $(as_postgres tail -n 5 "$VAULT/restored.log")"
  password=$(cat "$INSTANCE/postgres.password")
  DATABASE_URL="postgres://eduhub:$password@127.0.0.1:$port/postgres"
  for _ in {1..300}; do
    if [[ $(sql "select pg_is_in_recovery()") == f ]]; then return; fi
    sleep 0.2
  done
  die "the restored server does not leave recovery: $(as_postgres tail -n 5 "$VAULT/restored.log")"
}

# What a cache remembers of the time after the point never happened.
flush_redis() {
  local url=${REDIS_URL:-} password
  [[ -n $url ]] || return 0
  password=${url#redis://:}
  REDISCLI_AUTH=${password%%@*} redis-cli -h 127.0.0.1 -p "$(sed -E 's/.*:([0-9]+).*/\1/' <<<"$url")" flushall >/dev/null
}
