{{/* What the five services are, see services.yaml. */}}
{{- define "eduhub.facts" -}}
{{ .Files.Get "services.yaml" }}
{{- end }}

{{/* The release's name, with the chart's in it. */}}
{{- define "eduhub.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* (list root component): labels that select, and never change. */}}
{{- define "eduhub.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* What runs: the images' tag. */}}
{{- define "eduhub.version" -}}
{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* (list root component): labels of a pod. Not the chart's version: a change of it alone restarts nothing. */}}
{{- define "eduhub.podLabels" -}}
{{ include "eduhub.selector" . }}
app.kubernetes.io/version: {{ include "eduhub.version" (index . 0) | quote }}
{{- end }}

{{/* (list root component): labels of a resource. */}}
{{- define "eduhub.labels" -}}
{{- $root := index . 0 -}}
{{ include "eduhub.podLabels" . }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* (list root component): metadata of a resource that belongs to a component. */}}
{{- define "eduhub.metadata" -}}
name: {{ include "eduhub.fullname" (index . 0) }}-{{ index . 1 }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "eduhub.labels" . | nindent 2 }}
{{- end }}

{{/* (list root what): name of a secret in the cluster. */}}
{{- define "eduhub.secret" -}}
{{- $secrets := (index . 0).Values.secrets -}}
{{- $what := index . 1 -}}
{{ get $secrets.names $what | default (printf "%s-%s" $secrets.prefix $what) }}
{{- end }}

{{/* (list root service digest): the image. */}}
{{- define "eduhub.image" -}}
{{- $root := index . 0 -}}
{{- $image := $root.Values.image -}}
{{- if $image.registry }}{{ $image.registry }}/{{ end }}{{ $image.repository }}/{{ index . 1 -}}
{{- with index . 2 }}@{{ . }}{{ else }}:{{ include "eduhub.version" $root }}{{ end }}
{{- end }}

{{/* (list root service): where the others reach it. */}}
{{- define "eduhub.url" -}}
{{- $root := index . 0 -}}
{{- $facts := include "eduhub.facts" $root | fromYaml -}}
{{ include "eduhub.scheme" $root }}://{{ include "eduhub.fullname" $root }}-{{ index . 1 }}:{{ $facts.port }}
{{- end }}

{{- define "eduhub.scheme" -}}
{{ if eq .Values.tls.mode "mesh" }}http{{ else }}https{{ end }}
{{- end }}
