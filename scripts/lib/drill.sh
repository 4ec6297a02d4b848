# shellcheck shell=bash
# What the drills of an operator need: a stack that is started and ended, people with credentials, a push and a copy; and
# PostgreSQL with archived WAL, base backup and restore to a point. After services.sh and build.sh.

# The files of a run, below the instance; what the server's user must reach, below VAULT.
drill_files() {
  WORK=$INSTANCE/work
  rm -rf "$WORK"
  mkdir -p "$WORK"
  VAULT=$(as_postgres mktemp -d "${TMPDIR:-/tmp}/eduhub-drill.XXXXXX")
  as_postgres mkdir "$VAULT/archive"
  EDUHUB=$BIN/eduhub
  YEAR=$(date +%Y)
  if (($(date +%-m) < 8)); then YEAR=$((YEAR - 1)); fi
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

as_admin() {
  EDUHUB_USER=admin EDUHUB_PASSWORD_FILE=$WORK/stack/secrets/admin-password "$EDUHUB" "$@"
}

# A school of 50 learners with its officer and vendor, and an operations centre.
drill_people() {
  local application grant today next
  today=$(date +%F) next=$(date -d '+300 days' +%F)
  "$EDUHUB" generate --out "$WORK/province" --schools 1 --school-year "$YEAR" >/dev/null
  SCHOOL=$(basename "$(dirname "$(ls "$WORK"/province/*/registry.jsonl)")")
  as_admin admin import-schools "$WORK/province/province.json" >/dev/null
  as_admin admin create-officer --login truong.tap --name "Cán bộ dữ liệu" --role school --schools "$SCHOOL" |
    awk '$1 == "password" { printf "%s", $2 }' >"$WORK/officer.secret"
  "$EDUHUB" access apply --example | sed -E "s/(\"school_code\": \")[0-9]+/\1$SCHOOL/
    s/(\"(issued_on|signed_on|valid_from)\": \")[0-9-]+/\1$today/; s/(\"valid_to\": \")[0-9-]+/\1$next/" >"$WORK/form1.json"
  application=$(EDUHUB_USER=truong.tap EDUHUB_PASSWORD_FILE=$WORK/officer.secret \
    "$EDUHUB" access apply --form "$WORK/form1.json" | awk '{ print $2 }')
  grant=$(as_admin access decide "$application" --approve | awk '{ print $3 }')
  VENDOR=$(as_admin access credential "$grant" --secret-file "$WORK/vendor.secret" | awk '/^client id/ { print $3 }')
  CENTRE=$(as_admin admin create-consumer --name "Trung tâm điều hành" --contract 03/QC --secrecy-clause "Điều 5" \
    --class sensitive --from "$today" --until "$next" --secret-file "$WORK/centre.secret" | awk '/^client id/ { print $3 }')
  [[ -n $VENDOR && -n $CENTRE ]] || die "a vendor or a consumer has no credential"
}

# push_part PERCENT: the first part of the school's file. That some records are refused is meant: the generator plants mistakes.
push_part() {
  local file=$WORK/province/$SCHOOL/registry.jsonl lines status=0
  lines=$(wc -l <"$file")
  head -n $((lines * $1 / 100)) "$file" >"$WORK/part.jsonl"
  EDUHUB_CLIENT_ID=$VENDOR EDUHUB_CLIENT_SECRET_FILE=$WORK/vendor.secret "$EDUHUB" push --school "$SCHOOL" --year "$YEAR" \
    --file "$WORK/part.jsonl" >"$WORK/push.log" 2>&1 || status=$?
  ((status == 0 || status == 3)) || die "the push failed: $(tail -n 3 "$WORK/push.log")"
}

# The centre's copy catches up and is compared with the hub.
follow() {
  EDUHUB_CLIENT_ID=$CENTRE EDUHUB_CLIENT_SECRET_FILE=$WORK/centre.secret "$EDUHUB" watch --to "file:$WORK/copy" --once --verify \
    >"$WORK/follow.log" 2>&1 || die "the copy failed: $(tail -n 3 "$WORK/follow.log")"
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
