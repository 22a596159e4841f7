{{/* genlevel.yaml. */}}

{{/* Of (dict "root" $ "scorer" HOST): how callers find the services; scorer: a host instead of the service of scorers. */}}
{{- define "genlevel.addresses" -}}
{{- $full := include "genlevel.fullname" .root -}}
gateway: {{ $full }}-gateway:7401
evaluator: {{ $full }}-evaluator:7402
scorer: {{ default (printf "%s-scorer" $full) .scorer }}:7403
token_file: /etc/genlevel-token/token
{{- if .root.Values.tls.enabled }}
ca: /etc/genlevel-tls/ca.crt
certificate: /etc/genlevel-tls/tls.crt
key: /etc/genlevel-tls/tls.key
{{- end }}
{{- end -}}

{{- define "genlevel.tlsSection" -}}
{{- if .Values.tls.enabled }}
tls: {certificate: /etc/genlevel-tls/tls.crt, key: /etc/genlevel-tls/tls.key, client_ca: /etc/genlevel-tls/ca.crt}
{{- end }}
{{- end -}}

{{/* How browsers call the pages through a proxy; empty without one. */}}
{{- define "genlevel.webUrl" -}}
{{- $scheme := ternary "https" "http" (ne .Values.web.ingress.tlsSecret "") -}}
{{- default (ternary (printf "%s://%s" $scheme .Values.web.ingress.host) "" .Values.web.ingress.enabled) .Values.web.url -}}
{{- end -}}

{{- define "genlevel.webSection" -}}
{{- $full := include "genlevel.fullname" . -}}
{{- $url := include "genlevel.webUrl" . -}}
http: {{ printf "%s:7400" .Values.listenOn | quote }}
{{- if $url }}
url: {{ $url }}
hosts: [{{ $full }}-web, {{ $full }}-web.{{ .Release.Namespace }}, {{ $full }}-web.{{ .Release.Namespace }}.svc]
{{- end }}
{{- if .Values.web.tls.existingSecret }}
tls: {certificate: /etc/genlevel-web-tls/tls.crt, key: /etc/genlevel-web-tls/tls.key}
{{- end }}
{{- end -}}

{{- define "genlevel.storageSection" -}}
{{- $database := include "genlevel.database" . -}}
{{- if eq $database "bundled" }}
url: postgresql+psycopg://genlevel@{{ include "genlevel.fullname" . }}-postgresql:5432/genlevel
{{- else if .Values.storage.url }}
url: {{ .Values.storage.url | quote }}
{{- end }}
{{- if .Values.storage.blobs.url }}
blobs: {{ .Values.storage.blobs.url | quote }}
{{- else if .Values.storage.blobs.existingClaim }}
blobs: /blobs
{{- end }}
inline_limit_bytes: {{ int64 .Values.storage.inlineLimitBytes }}
durability: {{ .Values.storage.durability }}
{{- end -}}

{{/* Of (dict "root" $ "worker" WORKER "scorer" HOST "weights" WEIGHTS): the file, in which the value `config` goes before what is written here. */}}
{{- define "genlevel.config" -}}
{{- $root := .root -}}
{{- $tls := include "genlevel.tlsSection" $root | fromYaml -}}
{{- $on := $root.Values.listenOn -}}
{{- $call := int64 (add $root.Values.storage.inlineLimitBytes 8388608) -}}
{{- $config := dict
  "gateway" (merge (dict "grpc" (printf "%s:7401" $on) "http" (printf "%s:7411" $on)) $tls)
  "evaluator" (merge (dict "grpc" (printf "%s:7402" $on) "http" (printf "%s:7412" $on)) $tls)
  "scorer" (merge (dict "grpc" (printf "%s:7403" $on) "http" (printf "%s:7413" $on)) $tls)
  "web" (include "genlevel.webSection" $root | fromYaml)
  "addresses" (include "genlevel.addresses" (dict "root" $root) | fromYaml)
  "auth" (dict "tokens" "/etc/genlevel-tokens/tokens.yaml" "metrics" $root.Values.auth.metrics)
  "storage" (include "genlevel.storageSection" $root | fromYaml)
  "limits" (dict "request_bytes" $call "receiving_bytes" (mul $call 8) "in_flight_bytes" (mul $call 5))
  "log" (dict "format" "json")
-}}
{{- if $root.Values.evaluator.worker }}
{{- $_ := set $config "worker" (deepCopy $root.Values.evaluator.worker) -}}
{{- end }}
{{- if include "genlevel.benchmarkClaim" $root }}
{{- $_ := set $config "suites" (dict "folders" (list (dir $root.Values.benchmark.mountPath))) -}}
{{- end }}
{{- $config = mustMergeOverwrite $config (deepCopy $root.Values.config) -}}
{{- if .worker }}
{{- $_ := set $config "worker" .worker -}}
{{- $_ := set $config.addresses "scorer" (printf "%s:7403" .scorer) -}}
{{- if .weights }}
{{- $_ := set $config.scorer "weights" .weights -}}
{{- end }}
{{- end }}
{{- toYaml $config -}}
{{- end -}}
