{{/* (list root service): values of a service: defaults, and over them its own. */}}
{{- define "eduhub.service" -}}
{{- $root := index . 0 -}}
{{- $own := get $root.Values.services (index . 1) | default dict -}}
{{- $values := mergeOverwrite (deepCopy $root.Values.defaults) (deepCopy $own) -}}
{{- $_ := set $values "settings" (mergeOverwrite (deepCopy $root.Values.settings) ($own.settings | default dict)) -}}
{{ toYaml $values }}
{{- end }}

{{/* (list root service): settings of a service that name mounted files, without their prefix, and where they are. */}}
{{- define "eduhub.files" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $facts := include "eduhub.facts" $root | fromYaml -}}
{{- $fact := get $facts.services $name -}}
{{- $settings := (include "eduhub.service" . | fromYaml).settings -}}
{{- $files := merge (dict) $facts.files $fact.files -}}
{{- if ne $root.Values.tls.mode "mesh" }}{{ $files = merge $files $facts.tlsFiles }}{{ end -}}
{{- if $root.Values.redis.enabled }}{{ $files = merge $files $facts.redisFiles (include "eduhub.redisAuthority" $root | fromYaml) }}{{ end -}}
{{- range $setting, $authority := $fact.authorities -}}
{{- if hasPrefix "https:" (get $settings $setting | default "") }}{{ $files = merge $files $authority }}{{ end -}}
{{- end -}}
{{- range $setting, $path := $files }}
{{ $setting }}: {{ replace "SERVICE" $name $path }}
{{- end }}
{{- end }}

{{/* The setting that names the authority of Redis, if one is named. */}}
{{- define "eduhub.redisAuthority" -}}
{{- $ca := .Values.redis.ca -}}
{{- if $ca.key -}}
{{- $from := ternary "configMap" "secret" (not (empty $ca.configMap)) -}}
{{- range $setting, $path := get (include "eduhub.facts" . | fromYaml).redisAuthority $from -}}
{{ $setting }}: {{ replace "KEY" $ca.key $path }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* (list root service): the environment of a service as a map without EDUHUB_. */}}
{{- define "eduhub.environment" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $facts := include "eduhub.facts" $root | fromYaml -}}
{{- $fact := get $facts.services $name -}}
{{- $env := (include "eduhub.service" . | fromYaml).settings -}}
{{- $_ := set $env "LISTEN" (printf "0.0.0.0:%v" $facts.port) -}}
{{- $_ := set $env "DRAIN_SECONDS" $root.Values.shutdown.drainSeconds -}}
{{- $_ := set $env "DB_SCHEMA" $fact.short -}}
{{- if eq $root.Values.tls.mode "mesh" }}{{ $_ := set $env "ALLOW_PLAINTEXT" true }}{{ end -}}
{{- if $root.Values.monitoring.scrape.enabled }}{{ $_ := set $env "METRICS_LISTEN" (printf "0.0.0.0:%v" $facts.metricsPort) }}{{ end -}}
{{- range $peer := $fact.calls -}}
{{- $_ := set $env (printf "%s_URL" (get $facts.services $peer).short | upper) (include "eduhub.url" (list $root $peer)) -}}
{{- end -}}
{{- range $setting, $path := include "eduhub.files" . | fromYaml -}}
{{- $_ := set $env $setting (printf "%s/%s" $facts.mount $path) -}}
{{- end -}}
{{ toYaml $env }}
{{- end }}

{{/* A map of settings as env entries. Helm reads numbers as floats, and would print 67108864 as 6.7108864e+07. */}}
{{- define "eduhub.env" -}}
{{- range $setting, $value := . }}
{{- if kindIs "float64" $value }}{{ if eq (floor $value) $value }}{{ $value = int64 $value }}{{ end }}{{ end }}
- name: EDUHUB_{{ $setting }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{/* The most pods that there may be, and the connections to Postgres that they may open while they are rolled over. */}}
{{- define "eduhub.sum" -}}
{{- $pods := 0 -}}
{{- $connections := 0 -}}
{{- range $name, $fact := (include "eduhub.facts" . | fromYaml).services -}}
{{- $values := include "eduhub.service" (list $ $name) | fromYaml -}}
{{- $most := $values.autoscaling.enabled | ternary $values.autoscaling.maxReplicas $values.replicas | int -}}
{{- $pods = add $pods $most -}}
{{- $connections = add $connections (mul (add $most 1) ($values.settings.DB_MAX_CONNECTIONS | default 10 | int)) -}}
{{- end -}}
{{ dict "pods" $pods "connections" $connections | toYaml }}
{{- end }}
