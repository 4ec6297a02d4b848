# shellcheck shell=bash
# Secrets of a try-out cluster: made in $dir, printed as manifests or SQL. See scripts/kube-secrets, which sets the variables
# dir, fullname, namespace, postgres, redis, extra_names.
# shellcheck disable=SC2154

# The services of the chart: name and short name, one pair a line.
chart_services() {
  awk '/^services:/ { on = 1 } on && /^  [a-z-]+:$/ { name = $1; sub(":", "", name) } on && /^    short:/ { print name, $2 }' \
    "$REPO/charts/eduhub/services.yaml"
}

# once FILE COMMAND...: what the command prints, unless the file is there.
once() {
  local file=$dir/$1
  shift
  [[ -s $file ]] || { "$@" >"$file.new" && mv "$file.new" "$file"; }
}

signing_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null
}

random_key() {
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

vault_file() {
  local name
  for name in blind_index_hex digest_hex cache_hex; do printf '%s = "%s"\n' "$name" "$(random_key)"; done
  printf '\n[[seal]]\nid = 1\nkey_hex = "%s"\n' "$(random_key)"
}

authority() {
  openssl req -x509 -new -key "$dir/ca.key" -days 90 -subj "/CN=EduHub try-out authority" \
    -addext basicConstraints=critical,CA:true,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign
}

# certificate SERVICE: for its names in the cluster, and for probes inside of the pod.
certificate() {
  local host=$fullname-$1 name names
  names=DNS:$host,DNS:$host.$namespace,DNS:$host.$namespace.svc,DNS:$host.$namespace.svc.cluster.local
  names+=,DNS:localhost,IP:127.0.0.1
  for name in "${extra_names[@]}"; do
    name=${name//SERVICE/$1}
    [[ $name == IP:* ]] || name=DNS:$name
    names+=,$name
  done
  openssl req -new -key "$dir/$1.key" -subj "/CN=$host" |
    openssl x509 -req -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -days 90 -extfile <(printf '%s\n' \
      "subjectAltName=$names" keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth \
      authorityKeyIdentifier=keyid) 2>/dev/null
}

make_secrets() {
  local service short
  once ca.key signing_key
  once ca.crt authority
  once vault.toml vault_file
  once token-key.pem signing_key
  once receipt-key.pem signing_key
  for service in admin-password npd-api-key ministry-client-secret; do once "$service" random_secret; done
  # The names in a certificate may change from run to run; it is cheap.
  while read -r service short; do
    once "$service.key" signing_key
    certificate "$service" >"$dir/$service.crt"
    once "$service.secret" random_secret
    once "$short.password" random_secret
    once "${short}_migrate.password" random_secret
  done < <(chart_services)
}

# manifest NAME TYPE KEY=FILE...: a Secret of files.
manifest() {
  local pair
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: eduhub-%s, namespace: %s}\ntype: %s\ndata:\n' "$1" "$namespace" "$2"
  shift 2
  for pair in "$@"; do printf '  %s: %s\n' "${pair%%=*}" "$(base64 -w0 <"${pair#*=}")"; done
}

# database SERVICE WHAT ROLE: the URL of a role, and its name and password apart for CloudNativePG.
database() {
  local role=eduhub_$3 password=$dir/$3.password
  manifest "$1-$2" kubernetes.io/basic-auth username=<(printf %s "$role") password="$password" \
    database-url=<(printf 'postgres://%s:%s@%s' "$role" "$(cat "$password")" "$postgres")
}

# What identity knows the others by: a JSON object of secrets by short name.
service_credentials() {
  local service short comma=''
  printf '{'
  while read -r service short; do
    [[ $service != identity ]] || continue
    printf '%s"%s":"%s"' "$comma" "$short" "$(cat "$dir/$service.secret")"
    comma=,
  done < <(chart_services)
  printf '}'
}

print_manifests() {
  local service short
  printf 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n  labels: {pod-security.kubernetes.io/enforce: restricted}\n' "$namespace"
  manifest vault Opaque vault.toml="$dir/vault.toml"
  manifest token-keys Opaque first.pem="$dir/token-key.pem"
  manifest receipt-keys Opaque first.pem="$dir/receipt-key.pem"
  [[ -z $redis ]] || manifest redis Opaque url=<(printf %s "$redis")
  while read -r service short; do
    manifest "$service-tls" kubernetes.io/tls tls.crt="$dir/$service.crt" tls.key="$dir/$service.key" ca.crt="$dir/ca.crt"
    database "$service" database "$short"
    database "$service" migrate "${short}_migrate"
    case $service in
      identity)
        manifest identity Opaque services.json=<(service_credentials) admin-password="$dir/admin-password" \
          npd-api-key="$dir/npd-api-key"
        ;;
      ministry-bridge)
        manifest "$service" Opaque service-secret="$dir/$service.secret" ministry-client-secret="$dir/ministry-client-secret"
        ;;
      *) manifest "$service" Opaque service-secret="$dir/$service.secret" ;;
    esac
  done < <(chart_services)
  say "kept in ${dir#"$REPO"/}: ca.crt is what clients trust, admin-password lets the first administrator in"
}

print_sql() {
  local service short database=${postgres##*/} sql role
  sql=$(cat "$REPO/charts/eduhub/files/role.sql")
  printf '\\set ON_ERROR_STOP on\n'
  printf "select 'create database %s encoding ''UTF8'' template template0' where not exists (select from pg_database where datname = '%s') \\\\gexec\n" \
    "$database" "$database"
  printf '\\connect %s\nrevoke all on database %s from public;\nrevoke all on schema public from public;\n' "$database" "$database"
  while read -r service short; do
    printf '%s\n' "${sql//SERVICE/$short}"
    for role in "$short" "${short}_migrate"; do
      printf "alter role eduhub_%s login password '%s';\n" "$role" "$(cat "$dir/$role.password")"
      printf 'grant connect, temporary on database %s to eduhub_%s;\n' "$database" "$role"
    done
  done < <(chart_services)
}
