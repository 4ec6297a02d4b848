# shellcheck shell=bash
# A registry schema made from its migration files, filled by SQL, and clients that read and write it. After services.sh.

# number_of FILE: 0011_rules.sql -> 11
number_of() {
  local name
  name=$(basename "$1")
  printf '%d' "$((10#${name%%_*}))"
}

load_files() {
  WORK=$INSTANCE/load
  rm -rf "$WORK"
  mkdir -p "$WORK"
  # Single records by key; a single write takes its school's lock and writes its entry, as the service does.
  cat >"$WORK/mixed.sql" <<'END'
\set n random(1, :rows)
select body from registry.pupil_record where school_code = (37000000 + :n::bigint % 500)::text and record_key = :n::bigint::text;
select body from registry.pupil_record where record_id = lpad(to_hex(:n::bigint), 32, '0')::uuid;
begin;
select pg_advisory_xact_lock(7, (:n::bigint % 500)::int);
update registry.pupil_record set version = version + 1, changed_at = now() where record_id = lpad(to_hex(:n::bigint), 32, '0')::uuid;
insert into registry.change_log (seq, school_code, kind, record_id, record_key, op, version, digest, actor)
  values (:n::bigint, (37000000 + :n::bigint % 500)::text, 5, lpad(to_hex(:n::bigint), 32, '0')::uuid, :n::bigint::text, 1, 2, '\x00', 'drill');
end;
END
}

# Without the password, which would stand in the list of processes.
database_url() {
  printf '%s/%s' "${DATABASE_URL%/*}" "$1"
}

# psql_into DATABASE ARGUMENT...
psql_into() {
  local database=$1 rest=${DATABASE_URL#*@}
  shift
  PGOPTIONS="-c client_min_messages=warning" PGPASSWORD=$(cat "$INSTANCE/postgres.password") "$(postgres_bin)/psql" -XqAt -v ON_ERROR_STOP=1 \
    -d "postgres://eduhub@${rest%%/*}/$database" "$@"
}

# apply_as_migrator FILE: in one transaction with the row that the migrator would have written.
apply_as_migrator() {
  local file=$1 name sum
  name=$(basename "$file" .sql)
  sum=$(sha384sum "$file" | cut -d ' ' -f 1)
  psql_into eduhub_drill --single-transaction -c "set search_path = registry, public" -f "$file" -c "
    create table if not exists _sqlx_migrations (version bigint primary key, description text not null,
      installed_on timestamptz not null default now(), success boolean not null, checksum bytea not null,
      execution_time bigint not null);
    insert into _sqlx_migrations values ($(number_of "$file"), '${name#*_}', now(), true, decode('$sum', 'hex'), 0)" >/dev/null
}

# fill ROWS: pupils of 500 schools, an entry for each, an open finding for every fourth.
fill() {
  psql_into eduhub_drill -c "set synchronous_commit = off" -c "set search_path = registry, public" -c "
    insert into pupil_record (record_id, school_code, school_year, record_key, version, digest, body, withdrawn, xid, seq, changed_at, full_name, birth_date, sex)
    select lpad(to_hex(n), 32, '0')::uuid, (37000000 + n % 500)::text, 2026, n::text, 1, decode(md5(n::text), 'hex'),
      decode(repeat(md5(n::text), 18), 'hex'), false, pg_current_xact_id()::text::bigint, n, now(),
      'Nguyễn Văn ' || n % 5000, date '2010-01-01' + (n % 3000)::int, '1'
    from generate_series(1, $1) n" -c "
    insert into change_log (seq, school_code, kind, record_id, record_key, op, version, digest, actor)
    select n, (37000000 + n % 500)::text, 5, lpad(to_hex(n), 32, '0')::uuid, n::text, 1, 1, decode(md5(n::text), 'hex'), 'drill'
    from generate_series(1, $1) n" -c "
    insert into data_issue (issue_id, school_code, kind, record_key, reason, field, severity, problem)
    select lpad(to_hex(n), 32, '0')::uuid, (37000000 + n % 500)::text, 5, n::text, 20 + (n % 40)::int, 'f', 2, '\\x00'
    from generate_series(1, $1, 4) n" -c "analyze"
}

load_pid=

# load_start ROWS SECONDS: so long, in the background.
load_start() {
  local rest=${DATABASE_URL#*@}
  rm -f "$WORK"/log.*
  (cd "$WORK" && PGPASSWORD=$(cat "$INSTANCE/postgres.password") exec "$(postgres_bin)/pgbench" --no-vacuum --client=8 --jobs=2 \
    --protocol=prepared --rate=400 --time="$2" --define="rows=$1" --file=mixed.sql --log --log-prefix=log \
    "postgres://eduhub@${rest%%/*}/eduhub_drill" >"$WORK/pgbench.log" 2>&1) 8>&- 9>&- &
  load_pid=$!
}

# The load goes on: what was done until now was done under it.
load_lasts() {
  kill -0 "$load_pid" 2>/dev/null || die "$1 took longer than the load: $(tail -n 3 "$WORK/pgbench.log")"
}

# Waits for the clients' end; sets `longest` (ms) and `transactions`.
# shellcheck disable=SC2034
load_end() {
  wait "$load_pid" 2>/dev/null || true
  if grep -q 'ERROR\|aborted' "$WORK/pgbench.log"; then die "a client failed: $(grep -m 1 'ERROR' "$WORK/pgbench.log")"; fi
  # Third the time from when it was due, seventh how late it began (a busy machine): their difference is the transaction's own.
  read -r transactions longest < <(cat "$WORK"/log.* | awk '{ wait = ($3 - $7) / 1000; if (wait > most) most = wait } END { printf "%d %d\n", NR, most }')
  ((transactions > 0)) || die "no client finished anything: $(tail -n 3 "$WORK/pgbench.log")"
}
