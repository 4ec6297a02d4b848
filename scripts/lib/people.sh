# shellcheck shell=bash
# People with credentials at a running hub, a push and a copy, all by the `eduhub` command. The caller sets EDUHUB (the command),
# WORK (a directory), ADMIN_PASSWORD_FILE and the command's variables: EDUHUB_IDENTITY_URL, EDUHUB_TLS_CA ...
# shellcheck disable=SC2154

as_admin() {
  EDUHUB_USER=admin EDUHUB_PASSWORD_FILE=$ADMIN_PASSWORD_FILE "$EDUHUB" "$@"
}

# drill_people SCHOOLS: that many generated schools, the largest of them with its officer and vendor, and an operations
# centre. One school has 50 learners.
drill_people() {
  local application grant today next
  YEAR=$(date +%Y)
  if (($(date +%-m) < 8)); then YEAR=$((YEAR - 1)); fi
  today=$(date +%F) next=$(date -d '+300 days' +%F)
  "$EDUHUB" generate --out "$WORK/province" --schools "$1" --school-year "$YEAR" >/dev/null
  SCHOOL=$(wc -c "$WORK"/province/*/registry.jsonl | sort -rn | sed -nE 's|.*/([^/]+)/registry.jsonl$|\1|p' | head -n 1)
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

# push_part PERCENT [OPTION...]: the first part of the school's file. That some records are refused is meant: the generator plants mistakes.
push_part() {
  local file=$WORK/province/$SCHOOL/registry.jsonl lines status=0
  lines=$(wc -l <"$file")
  head -n $((lines * $1 / 100)) "$file" >"$WORK/part.jsonl"
  shift
  EDUHUB_CLIENT_ID=$VENDOR EDUHUB_CLIENT_SECRET_FILE=$WORK/vendor.secret "$EDUHUB" push --school "$SCHOOL" --year "$YEAR" \
    --file "$WORK/part.jsonl" "$@" >"$WORK/push.log" 2>&1 || status=$?
  ((status == 0 || status == 3)) || die "the push failed: $(tail -n 3 "$WORK/push.log")"
}

# The centre's copy catches up and is compared with the hub.
follow() {
  EDUHUB_CLIENT_ID=$CENTRE EDUHUB_CLIENT_SECRET_FILE=$WORK/centre.secret "$EDUHUB" watch --to "file:$WORK/copy" --once --verify \
    >"$WORK/follow.log" 2>&1 || die "the copy failed: $(tail -n 3 "$WORK/follow.log")"
}
