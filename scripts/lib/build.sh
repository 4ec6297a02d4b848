# shellcheck shell=bash
# Builds with cargo, quietly: one line of progress, the whole output in a log.

# Where cargo puts the binaries of a profile: debug or release.
bin_dir() {
  printf '%s/%s' "${CARGO_TARGET_DIR:-$REPO/target}" "$1"
}

build_job=

# build WHAT CARGO_ARGUMENT...: WHAT names it in messages.
build() {
  local what=$1 log=$EDUHUB_STATE/build.log started=$SECONDS
  shift
  say "building $what (a first build takes some minutes; log: $log)"
  cargo build --manifest-path "$REPO/Cargo.toml" --locked "$@" >"$log" 2>&1 </dev/null 8>&- 9>&- &
  build_job=$! # services_down ends it when the script is ended
  while [[ -t 2 ]] && kill -0 "$build_job" 2>/dev/null; do
    printf '\r  %s, %d crates compiled ' "$(duration $((SECONDS - started)))" "$(grep -c '^ *Compiling' "$log")" >&2
    sleep 1
  done
  if ! wait "$build_job"; then
    say ""
    tail -n 40 "$log" >&2
    die "the build failed; its log is $log"
  fi
  build_job=
  if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
  say "built in $(duration $((SECONDS - started)))"
}

# binaries ARGUMENT...: builds what a drill runs, unless EDUHUB_BIN_DIR says where it is already; sets BIN.
# shellcheck disable=SC2034
binaries() {
  if [[ -z ${EDUHUB_BIN_DIR:-} ]]; then build "$@"; fi
  BIN=${EDUHUB_BIN_DIR:-$(bin_dir debug)}
}
