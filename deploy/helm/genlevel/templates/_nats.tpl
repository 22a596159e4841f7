{{/* The configuration of the bundled NATS. */}}
{{- define "genlevel.natsConfig" -}}
listen: "{{ .Values.listenOn }}:4222"
http: "{{ .Values.listenOn }}:8222"
jetstream {
  store_dir: /data
  max_memory_store: 64MB
}
authorization {
  user: genlevel
  password: $NATS_PASSWORD
}
{{- end }}
