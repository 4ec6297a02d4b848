{{/* Pod Security "restricted", and no token of the cluster's API. */}}
{{- define "eduhub.podSecurity" -}}
automountServiceAccountToken: false
# Variables such as EDUHUB_REGISTRY_PORT, made of Services' names, would look like settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "eduhub.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* (list root service digest): image and how it is pulled. */}}
{{- define "eduhub.imageFields" -}}
image: {{ include "eduhub.image" . }}
imagePullPolicy: {{ (index . 0).Values.image.pullPolicy }}
{{- end }}

{{/* Pull secrets and places of a pod: (list root values-of-the-service). */}}
{{- define "eduhub.placement" -}}
{{- with (index . 0).Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with (index . 1).nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with (index . 1).tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with (index . 1).priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* (list root secrets): volumes, one for each secret by its <what>. redis-ca is public, a ConfigMap. */}}
{{- define "eduhub.volumes" -}}
{{- $root := index . 0 -}}
volumes:
  {{- range $what := index . 1 }}
  - name: {{ $what }}
    {{- if eq $what "redis-ca" }}
    configMap: {name: {{ $root.Values.redis.ca.configMap }}, defaultMode: 0440}
    {{- else }}
    secret: {secretName: {{ include "eduhub.secret" (list $root $what) }}, defaultMode: 0440}
    {{- end }}
  {{- end }}
{{- end }}

{{/* (list root secrets): their mounts. */}}
{{- define "eduhub.mounts" -}}
{{- $facts := include "eduhub.facts" (index . 0) | fromYaml -}}
volumeMounts:
  {{- range $what := index . 1 }}
  - {name: {{ $what }}, mountPath: {{ $facts.mount }}/{{ $what }}, readOnly: true}
  {{- end }}
{{- end }}

{{/* (list root service): the secrets of a service by their <what>, as a YAML list under `secrets`. */}}
{{- define "eduhub.secretsOf" -}}
{{- $all := list -}}
{{- range $path := values (include "eduhub.files" . | fromYaml) }}{{ $all = append $all (splitList "/" $path | first) }}{{ end -}}
{{ dict "secrets" ($all | uniq | sortAlpha) | toYaml }}
{{- end }}

{{/* The container that migrates a service's schema, under the role that owns it: (list root service). */}}
{{- define "eduhub.migration" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $facts := include "eduhub.facts" $root | fromYaml -}}
{{- $values := include "eduhub.service" . | fromYaml -}}
{{- $secret := printf "%s-migrate" $name -}}
{{- $env := dict "DATABASE_URL_FILE" (printf "%s/%s/database-url" $facts.mount $secret) "DB_SCHEMA" (get $facts.services $name).short -}}
{{- with $values.settings.LOG }}{{ $_ := set $env "LOG" . }}{{ end -}}
name: migrate
{{ include "eduhub.imageFields" (list $root $name $values.digest) }}
args: [migrate]
env:
  {{- include "eduhub.env" $env | indent 2 }}
resources:
  {{- toYaml $values.resources | nindent 2 }}
{{ include "eduhub.containerSecurity" $root }}
{{ include "eduhub.mounts" (list $root (list $secret)) }}
{{- end }}

{{/* (list root service probe): asks the service in its own pod. Kubernetes' grpc probes speak no TLS, so the image asks. */}}
{{- define "eduhub.probe" -}}
{{- $root := index . 0 -}}
{{- $facts := include "eduhub.facts" $root | fromYaml -}}
exec:
  command: [/usr/bin/eduhub-{{ index . 1 }}, healthcheck, {{ include "eduhub.scheme" $root }}://localhost:{{ $facts.port }}, {{ index . 2 }}]
# The question itself waits 2 s.
timeoutSeconds: 4
{{- end }}
