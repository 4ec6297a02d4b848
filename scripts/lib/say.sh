# shellcheck shell=bash
# What the scripts tell their user: short lines on stderr, colour only on a terminal.

say() {
  printf '%s\n' "$*" >&2
}

# Says what is wrong and what to do about it, and ends the script.
die() {
  if [[ -t 2 ]]; then
    printf '\033[31merror:\033[0m %s\n' "$*" >&2
  else
    printf 'error: %s\n' "$*" >&2
  fi
  exit 1
}

# The given number of seconds for people: 75 -> 1 min 15 s.
duration() {
  if (($1 < 60)); then
    printf '%d s' "$1"
  else
    printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
  fi
}
