#!/bin/sh
# Stands for every program of the stack in the tests of the stack itself: says what it was started with, gets
# ready, ends on SIGTERM. FAIL_AT=migrate|serve makes it fail there, FAIL_WHEN=FILE once there is that file.
name=${0##*/}
# On standard error, where a real one logs.
{ echo "$name called with $*"; env | sort; } >&2
case $1 in
  migrate)
    [ "$FAIL_AT" = migrate ] && { echo "relation has no such column" >&2; exit 1; }
    exit 0 ;;
esac
[ "$FAIL_AT" = serve ] && { echo "address is taken" >&2; exit 1; }
trap 'echo "$name drained"; exit 0' TERM
echo "$name ready grpc=$EDUHUB_LISTEN"
while :; do
  [ -n "$FAIL_WHEN" ] && [ -e "$FAIL_WHEN" ] && { echo "lost my way" >&2; exit 7; }
  sleep 0.05
done
