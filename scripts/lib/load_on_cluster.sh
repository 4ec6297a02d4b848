# shellcheck shell=bash
# Pushes, calls and a watch that go on while scripts/cluster-try does something to the services. After people.sh.
# shellcheck disable=SC2154

watch_job='' slow_job=''
declare -a load_jobs=()

# A long watch, beside the copies that `follow` compares.
watch_on() {
  EDUHUB_CLIENT_ID=$CENTRE EDUHUB_CLIENT_SECRET_FILE=$WORK/centre.secret "$EDUHUB" watch --to "file:$WORK/live" \
    >"$WORK/watch.log" 2>&1 </dev/null &
  watch_job=$!
}

# The watch must still be there, and its copy agree when it has caught up.
watch_ends() {
  kill -0 "$watch_job" 2>/dev/null || die "the watch has ended: $(tail -n 3 "$WORK/watch.log")"
  kill "$watch_job"
  wait "$watch_job" 2>/dev/null || true
  watch_job=
  EDUHUB_CLIENT_ID=$CENTRE EDUHUB_CLIENT_SECRET_FILE=$WORK/centre.secret "$EDUHUB" watch --to "file:$WORK/live" --once --verify \
    >>"$WORK/watch.log" 2>&1 || die "the watch's copy does not agree: $(tail -n 3 "$WORK/watch.log")"
}

# push_slowly PERCENT: one record a batch and one batch at a time, so that something can be done to it. Returns when it is on its way.
push_slowly() {
  push_part "$1" --batch 1 --window 1 &
  slow_job=$!
  sleep 1
  kill -0 "$slow_job" 2>/dev/null || die "the push was over before anything could be done to it"
}

push_ends() {
  wait "$slow_job" || die "the push failed"
  slow_job=
}

# load_up: until load_ends a push again and again, each a session of its own, and single calls beside it.
load_up() {
  rm -f "$WORK/enough" "$WORK"/load.*
  until_enough pushes push_part 60 --batch 20 &
  load_jobs=($!)
  until_enough calls one_call &
  load_jobs+=($!)
}

one_call() {
  EDUHUB_CLIENT_ID=$VENDOR EDUHUB_CLIENT_SECRET_FILE=$WORK/vendor.secret "$EDUHUB" record count pupil --school "$SCHOOL" >/dev/null
}

# until_enough NAME COMMAND...: counts how often it went well; the first time that it did not is the end.
until_enough() {
  until [[ -e $WORK/enough ]]; do
    "${@:2}" 2>"$WORK/load.$1.error" || exit
    echo >>"$WORK/load.$1"
  done
}

# load_ends WHAT: none of them failed, and there were some.
load_ends() {
  local job failed=
  touch "$WORK/enough"
  for job in "${load_jobs[@]}"; do wait "$job" || failed=yes; done
  load_jobs=()
  [[ -z $failed ]] || die "something failed during $1: $(cat "$WORK"/load.*.error)"
  say "   during $1: $(wc -l <"$WORK/load.pushes") pushes and $(wc -l <"$WORK/load.calls") calls, none failed"
}

load_down() {
  local status=$? job
  touch "$WORK/enough"
  for job in $watch_job $slow_job "${load_jobs[@]}"; do kill "$job" 2>/dev/null || true; done
  exit "$status"
}
