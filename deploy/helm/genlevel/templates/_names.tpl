{{/* Names, labels and images. Selectors have one label, app.kubernetes.io/name, which no upgrade changes. */}}

{{- define "genlevel.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 30 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default "genlevel" .Values.nameOverride -}}
{{- /* A release may be called 2026 or my.team, and a Service may not. */ -}}
{{- $release := regexReplaceAll "^([0-9])" (replace "." "-" .Release.Name) "r${1}" -}}
{{- $whole := ternary $release (printf "%s-%s" $release $name) (contains $name $release) -}}
{{- /* Two that are called alike in their first 30 characters must not be one. */}}
{{- if gt (len $whole) 30 -}}
{{- $whole = printf "%s-%s" ($whole | trunc 23 | trimSuffix "-") ($whole | sha256sum | trunc 6) -}}
{{- end -}}
{{- $whole -}}
{{- end -}}
{{- end -}}

{{/* Of (dict "root" $ "part" "gateway"): what a selector asks for. */}}
{{- define "genlevel.selector" -}}
app.kubernetes.io/name: {{ include "genlevel.fullname" .root }}-{{ .part }}
{{- end -}}

{{/* Of the same: labels of pods. */}}
{{- define "genlevel.podLabels" -}}
{{ include "genlevel.selector" . }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .part }}
app.kubernetes.io/part-of: genlevel
{{- end -}}

{{/* Of the same: labels of objects. */}}
{{- define "genlevel.labels" -}}
{{ include "genlevel.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Of (dict "root" $ "part" PART "name" NAME): the beginning of an object's metadata. name: after the fullname; by default the part. */}}
{{- define "genlevel.metadata" -}}
name: {{ include "genlevel.fullname" .root }}-{{ default .part .name }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "genlevel.labels" . | nindent 2 }}
{{- end -}}

{{/* Of a dictionary with repository, tag, digest. */}}
{{- define "genlevel.reference" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end -}}

{{/* Of (dict "root" $ "image" IMAGE): the image of genlevel, or of what a pool says instead. */}}
{{- define "genlevel.image" -}}
{{- $image := mergeOverwrite (deepCopy .root.Values.image) (default dict .image) -}}
{{- if and .image (.image.tag) (not .image.digest) -}}
{{- $_ := set $image "digest" "" -}}
{{- end -}}
{{- if not $image.tag -}}
{{- $_ := set $image "tag" .root.Chart.AppVersion -}}
{{- end -}}
{{- include "genlevel.reference" $image -}}
{{- end -}}

{{/* The service account of pods that need no identity of the cloud's: pages, stores, commands. */}}
{{- define "genlevel.plainAccount" -}}
{{- include "genlevel.fullname" . }}-plain
{{- end -}}

{{- define "genlevel.tokensSecret" -}}
{{- default (printf "%s-tokens" (include "genlevel.fullname" .)) .Values.auth.tokens.existingSecret -}}
{{- end -}}

{{- define "genlevel.evaluatorTokenSecret" -}}
{{- default (printf "%s-evaluator-token" (include "genlevel.fullname" .)) .Values.auth.evaluatorToken.existingSecret -}}
{{- end -}}

{{- define "genlevel.clientTokenSecret" -}}
{{- default (printf "%s-client-token" (include "genlevel.fullname" .)) .Values.auth.clientToken.existingSecret -}}
{{- end -}}

{{- define "genlevel.tlsSecret" -}}
{{- default (printf "%s-tls" (include "genlevel.fullname" .)) .Values.tls.existingSecret -}}
{{- end -}}

{{- define "genlevel.postgresqlSecret" -}}
{{- default (printf "%s-postgresql" (include "genlevel.fullname" .)) .Values.postgresql.existingSecret -}}
{{- end -}}

{{- define "genlevel.natsSecret" -}}
{{- default (printf "%s-nats" (include "genlevel.fullname" .)) .Values.nats.existingSecret -}}
{{- end -}}

{{- define "genlevel.benchmarkClaim" -}}
{{- if .Values.benchmark.existingClaim -}}
{{ .Values.benchmark.existingClaim }}
{{- else if .Values.benchmark.fetch.enabled -}}
{{ include "genlevel.fullname" . }}-benchmark
{{- end -}}
{{- end -}}
