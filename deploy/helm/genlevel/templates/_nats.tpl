{{/* The configuration of the bundled NATS. */}}
{{- define "genlevel.natsConfig" -}}
port: 4222
http: 8222
jetstream {
  store_dir: /data
  max_memory_store: 64MB
}
authorization {
  user: genlevel
  password: $NATS_PASSWORD
}
{{- end }}
