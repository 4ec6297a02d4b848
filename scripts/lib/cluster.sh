# shellcheck shell=bash
# A release on a cluster, by helm and kubectl. See scripts/cluster-try, which sets the variables release, namespace and WORK.
# shellcheck disable=SC2154

# release VERB ARGUMENT...: helm's verb on the release.
release() {
  "$HELM" "$1" "$release" --namespace "$namespace" "${@:2}" >"$WORK/helm.log" 2>&1 || die "helm $1: $(tail -n 15 "$WORK/helm.log")"
}

# Names of all that is in the namespace, but what a cluster puts there by itself.
everything() {
  local kinds
  kinds=$("$KUBECTL" api-resources --verbs=list --namespaced --output name | grep -vE '^(events|endpoints$|.*metrics\.k8s\.io)' | paste -sd ,)
  "$KUBECTL" --namespace "$namespace" get "$kinds" --output name >"$WORK/everything"
  sort "$WORK/everything" | grep -vE '^(serviceaccount/default|configmap/kube-root-ca.crt)$'
}

# Has the eduhub command ask each service at its address. Names in the certificates are others; `localhost` is in all.
addresses() {
  local service short address fullname=$release kept=$EDUHUB_STATE/kube/$release.$namespace
  [[ $release == *eduhub* ]] || fullname=$release-eduhub
  while read -r service short; do
    address=$("$KUBECTL" --namespace "$namespace" get service "$fullname-$service" \
      --output 'jsonpath={.spec.clusterIP}:{.spec.ports[0].port}')
    export "EDUHUB_${short^^}_URL=https://$address"
  done < <(chart_services)
  export EDUHUB_TLS_NAME=localhost EDUHUB_TLS_CA=$kept/ca.crt
  # shellcheck disable=SC2034 # for people.sh
  ADMIN_PASSWORD_FILE=$kept/admin-password
}

# kill_pod SERVICE: without any grace.
kill_pod() {
  "$KUBECTL" --namespace "$namespace" delete pod --selector "app.kubernetes.io/instance=$release,app.kubernetes.io/component=$1" \
    --grace-period=0 --force >"$WORK/kubectl.log" 2>&1 || die "$(cat "$WORK/kubectl.log")"
}

# helm's --wait does not wait for pods that still drain.
pods_gone() {
  "$KUBECTL" --namespace "$namespace" wait pod --selector "app.kubernetes.io/instance=$release" --for=delete --timeout=2m \
    >"$WORK/kubectl.log" 2>&1 || grep -q 'no matching resources' "$WORK/kubectl.log" || die "pods stay: $(cat "$WORK/kubectl.log")"
}
