{{/* Of (dict "root" $ "secret" NAME "key" KEY): what a Secret of the cluster holds; empty if it is not there, or no cluster is asked. */}}
{{- define "genlevel.kept" -}}
{{- $found := lookup "v1" "Secret" .root.Release.Namespace .secret -}}
{{- if and $found $found.data -}}
{{- index $found.data .key | default "" | b64dec -}}
{{- end -}}
{{- end -}}
