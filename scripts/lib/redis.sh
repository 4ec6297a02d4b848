# shellcheck shell=bash
# A private Redis on a free loopback port: a cache, so nothing of it is written to disk.
#
# State in $INSTANCE: redis.pid, redis.url (mode 600, holds the password).

redis_is_up() {
  local pid url
  pid=$(cat "$INSTANCE/redis.pid" 2>/dev/null) && url=$(cat "$INSTANCE/redis.url" 2>/dev/null) || return 1
  kill -0 "$pid" 2>/dev/null && redis_answers "$url"
}

redis_answers() {
  local port=${1##*:} password=${1#redis://:}
  [[ $(REDISCLI_AUTH=${password%%@*} redis-cli -h 127.0.0.1 -p "${port%%/*}" ping 2>/dev/null) == PONG ]]
}

redis_start() {
  local port password url
  password=$(random_secret)
  for _ in {1..5}; do
    port=$(free_port)
    url="redis://:$password@127.0.0.1:$port/0"
    # The settings come on standard input: the password is in no argument list.
    redis-server - >/dev/null 2>&1 8>&- 9>&- <<END
bind 127.0.0.1
port $port
requirepass $password
save ""
appendonly no
maxmemory 256mb
maxmemory-policy allkeys-lru
dir "$INSTANCE"
pidfile "$INSTANCE/redis.pid"
logfile "$INSTANCE/redis.log"
daemonize yes
END
    for _ in {1..50}; do
      if redis_answers "$url"; then
        (umask 077 && printf '%s' "$url" >"$INSTANCE/redis.url")
        return
      fi
      sleep 0.1
    done
  done
  tail -n 10 "$INSTANCE/redis.log" >&2 || true
  die "Redis does not start; its log is $INSTANCE/redis.log"
}

# Ends the server by its own pid, and only if that pid still is a Redis.
redis_stop() {
  local pid
  pid=$(cat "$INSTANCE/redis.pid" 2>/dev/null) || return 0
  if [[ $(cat "/proc/$pid/comm" 2>/dev/null) == redis-server* ]]; then
    kill "$pid" 2>/dev/null || true
    for _ in {1..50}; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
  fi
  rm -f "$INSTANCE/redis.pid" "$INSTANCE/redis.url"
}

# Leaves REDIS_URL as it is when set, else points it at the private instance.
ensure_redis() {
  [[ -z ${REDIS_URL:-} ]] || return 0
  if ! command -v redis-server >/dev/null || ! command -v redis-cli >/dev/null; then
    apt_install Redis redis-server
  fi
  if ! redis_is_up; then
    redis_stop
    redis_start
  fi
  REDIS_URL=$(cat "$INSTANCE/redis.url")
  export REDIS_URL
}
