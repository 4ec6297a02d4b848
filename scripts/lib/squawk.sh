# shellcheck shell=bash
# squawk, a linter of Postgres migrations: from PATH, else from PyPI's wheel, which holds the program as it is.

SQUAWK_VERSION=2.70.0

# The program's path; nothing where it can't be had.
squawk_bin() {
  local kept=$EDUHUB_STATE/tools/squawk-$SQUAWK_VERSION
  if command -v squawk; then return; fi
  if [[ ! -x $kept ]] && command -v pip3 >/dev/null && command -v unzip >/dev/null; then
    local dir
    dir=$(mktemp -d)
    if pip3 download --quiet --no-deps --only-binary=:all: --dest "$dir" "squawk-cli==$SQUAWK_VERSION" >/dev/null 2>&1; then
      mkdir -p "$EDUHUB_STATE/tools"
      unzip -q -p "$dir"/*.whl '*/scripts/squawk' >"$kept" && chmod +x "$kept"
    fi
    rm -rf "$dir"
  fi
  if [[ -x $kept ]]; then printf '%s' "$kept"; fi
}

# Migrations that met a deployed service; those before are listed in tests/contracts/src/lint/mod.rs too.
after_first_release() {
  local service last file number
  while read -r service last; do
    for file in "services/$service"/migrations/*.sql; do
      number=${file##*/} number=${number%%_*}
      if ((10#$number > last)); then printf '%s\n' "$file"; fi
    done
  done <<'END'
identity 2
registry 11
facility 8
approval 2
ministry-bridge 1
END
}
