{{/* Pods of the services: containers, what they mount and which variables they get. */}}

{{/* Of (dict "root" $ "user" USER): USER is 10001 by default. */}}
{{- define "genlevel.podSecurity" -}}
{{- $user := default 10001 .user -}}
runAsNonRoot: true
{{- if .root.Values.fixedUsers }}
runAsUser: {{ $user }}
runAsGroup: {{ $user }}
fsGroup: {{ $user }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "genlevel.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What every pod says. Of (dict "root" $ "account" NAME "user" USER "of" VALUES): of: those of a part or pool that say where it runs. */}}
{{- define "genlevel.podCommon" -}}
serviceAccountName: {{ default (include "genlevel.fullname" .root) .account }}
automountServiceAccountToken: false
# Else a Service in the namespace, such as genlevel-gateway, would set variables that look like ours.
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- include "genlevel.podSecurity" . | nindent 2 }}
{{- $of := default dict .of }}
{{- with default .root.Values.nodeSelector $of.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with default .root.Values.tolerations $of.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $of.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $of.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with $of.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* Of (dict "root" $ "part" PART): over nodes and zones, as far as that can be. */}}
{{- define "genlevel.spread" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "genlevel.selector" $ | nindent 8 }}
  {{- end }}
{{- end -}}

{{/* Variables with which evaluators, scorers and migrations reach their stores. */}}
{{- define "genlevel.storeEnv" -}}
{{- $database := include "genlevel.database" . -}}
{{- if eq $database "bundled" }}
- name: PGPASSWORD
  valueFrom:
    secretKeyRef: {name: {{ include "genlevel.postgresqlSecret" . }}, key: password}
{{- else if .Values.storage.urlSecret.name }}
- name: GENLEVEL_STORAGE__URL
  valueFrom:
    secretKeyRef: {name: {{ .Values.storage.urlSecret.name }}, key: {{ .Values.storage.urlSecret.key }}}
{{- else if .Values.storage.passwordSecret.name }}
- name: PGPASSWORD
  valueFrom:
    secretKeyRef: {name: {{ .Values.storage.passwordSecret.name }}, key: {{ .Values.storage.passwordSecret.key }}}
{{- end }}
{{- end -}}

{{/* The queue, for those who take work from it: not in the file, as others have no database beside it. */}}
{{- define "genlevel.queueEnv" -}}
{{- if eq (include "genlevel.queue" .) "bundled" }}
- name: GENLEVEL_QUEUE
  valueFrom:
    secretKeyRef: {name: {{ include "genlevel.natsSecret" . }}, key: url}
{{- else if .Values.queue.urlSecret.name }}
- name: GENLEVEL_QUEUE
  valueFrom:
    secretKeyRef: {name: {{ .Values.queue.urlSecret.name }}, key: {{ .Values.queue.urlSecret.key }}}
{{- else if .Values.queue.url }}
- name: GENLEVEL_QUEUE
  value: {{ .Values.queue.url | quote }}
{{- end }}
{{- end -}}

{{/* Of (dict "root" $ "part" PART): files of the configuration and secrets that a service reads, and where it writes. */}}
{{- define "genlevel.mounts" -}}
- name: config
  mountPath: /etc/genlevel
  readOnly: true
- name: tokens
  mountPath: /etc/genlevel-tokens
  readOnly: true
{{- if eq .part "evaluator" }}
- name: token
  mountPath: /etc/genlevel-token
  readOnly: true
{{- end }}
{{- if .root.Values.tls.enabled }}
- name: tls
  mountPath: /etc/genlevel-tls
  readOnly: true
{{- end }}
{{- if and (eq .part "web") .root.Values.web.tls.existingSecret }}
- name: web-tls
  mountPath: /etc/genlevel-web-tls
  readOnly: true
{{- end }}
{{- if ne .part "web" }}
- name: data
  mountPath: /data
{{- if .root.Values.storage.blobs.existingClaim }}
- name: blobs
  mountPath: /blobs
{{- end }}
{{- end }}
{{- if and (eq .part "evaluator") (include "genlevel.benchmarkClaim" .root) }}
- name: benchmark
  mountPath: {{ .root.Values.benchmark.mountPath }}
  {{- if .root.Values.benchmark.fetch.enabled }}
  subPath: {{ base .root.Values.benchmark.mountPath }}
  {{- end }}
  readOnly: true
{{- if .root.Values.benchmark.fetch.enabled }}
# Archives are unpacked once for all evaluators.
- name: benchmark
  mountPath: /benchmark-cache
  subPath: cache
{{- end }}
{{- end }}
{{- with .root.Values.extraVolumeMounts }}
{{- if ne $.part "web" }}
{{ toYaml . }}
{{- end }}
{{- end }}
- name: tmp
  mountPath: /tmp
{{- end -}}

{{/* Of (dict "root" $ "part" PART "config" CONFIGMAP "claim" CLAIM): the volumes for them. claim: that of /data; empty = none is kept. */}}
{{- define "genlevel.volumes" -}}
- name: config
  configMap:
    name: {{ .config }}
- name: tokens
  secret:
    secretName: {{ include "genlevel.tokensSecret" .root }}
    defaultMode: 0440
{{- if eq .part "evaluator" }}
- name: token
  secret:
    secretName: {{ include "genlevel.evaluatorTokenSecret" .root }}
    defaultMode: 0440
{{- end }}
{{- if .root.Values.tls.enabled }}
- name: tls
  secret:
    secretName: {{ include "genlevel.tlsSecret" .root }}
    defaultMode: 0440
{{- end }}
{{- if and (eq .part "web") .root.Values.web.tls.existingSecret }}
- name: web-tls
  secret:
    secretName: {{ .root.Values.web.tls.existingSecret }}
    defaultMode: 0440
{{- end }}
{{- if ne .part "web" }}
- name: data
  {{- if .claim }}
  persistentVolumeClaim:
    claimName: {{ .claim }}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- if .root.Values.storage.blobs.existingClaim }}
- name: blobs
  persistentVolumeClaim:
    claimName: {{ .root.Values.storage.blobs.existingClaim }}
{{- end }}
{{- end }}
{{- if and (eq .part "evaluator") (include "genlevel.benchmarkClaim" .root) }}
- name: benchmark
  persistentVolumeClaim:
    claimName: {{ include "genlevel.benchmarkClaim" .root }}
    {{- if .root.Values.benchmark.existingClaim }}
    # Else the kubelet would give each of its files to our group, and a claim that many nodes only read could not be attached.
    readOnly: true
    {{- end }}
{{- end }}
{{- with .root.Values.extraVolumes }}
{{- if ne $.part "web" }}
{{ toYaml . }}
{{- end }}
{{- end }}
- name: tmp
  emptyDir: {}
{{- end -}}

{{/* Of (dict "root" $ "part" PART "resources" RESOURCES "image" IMAGE): the container of a service. */}}
{{- define "genlevel.container" -}}
{{- $http := dict "gateway" 7411 "evaluator" 7412 "scorer" 7413 "web" 7400 -}}
{{- $grpc := dict "gateway" 7401 "evaluator" 7402 "scorer" 7403 -}}
{{- $encrypted := and (eq .part "web") .root.Values.web.tls.existingSecret -}}
{{- $certified := and $encrypted (include "genlevel.pagesNeedCertificates" .root) -}}
name: {{ .part }}
image: {{ include "genlevel.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: [{{ .part }}]
env:
  - name: GENLEVEL_CONFIG
    value: /etc/genlevel/genlevel.yaml
  {{- if eq .part "evaluator" }}
  - name: GENLEVEL_CACHE
    value: {{ ternary "/benchmark-cache" "/data/cache" .root.Values.benchmark.fetch.enabled }}
  {{- end }}
  {{- if has .part (list "evaluator" "scorer") }}
  {{- range list "genlevel.storeEnv" "genlevel.queueEnv" }}
  {{- with include . $.root | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- end }}
  {{- if ne .part "web" }}
  {{- with .root.Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- if eq .part "gateway" }}
envFrom:
  - secretRef:
      name: {{ default (printf "%s-keys" (include "genlevel.fullname" .root)) .root.Values.keys.existingSecret }}
      optional: true
{{- else if eq .part "evaluator" }}
envFrom:
  - secretRef:
      name: {{ default (printf "%s-alarms" (include "genlevel.fullname" .root)) .root.Values.alarms.existingSecret }}
      optional: true
{{- end }}
ports:
  {{- if ne .part "web" }}
  - name: {{ .portPrefix }}grpc
    containerPort: {{ index $grpc .part }}
  {{- end }}
  - name: {{ .portPrefix }}http
    containerPort: {{ index $http .part }}
# Over HTTP, which asks nobody for a certificate: probes work with mutual TLS, too. Of pages that do ask, whether they listen.
{{- range $probe, $often := dict "startupProbe" "periodSeconds: 2\nfailureThreshold: 60" "livenessProbe" "periodSeconds: 10\nfailureThreshold: 3" "readinessProbe" "periodSeconds: 5\nfailureThreshold: 2" }}
{{ $probe }}:
  {{- if $certified }}
  tcpSocket:
    port: {{ $.portPrefix }}http
  {{- else }}
  httpGet:
    path: {{ ternary "/readyz" "/healthz" (eq $probe "readinessProbe") }}
    port: {{ $.portPrefix }}http
    {{- if $encrypted }}
    scheme: HTTPS
    {{- end }}
  {{- end }}
  timeoutSeconds: 5
  {{- $often | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .resources | nindent 2 }}
securityContext:
  {{- include "genlevel.containerSecurity" . | nindent 2 }}
volumeMounts:
  {{- include "genlevel.mounts" . | nindent 2 }}
{{- end -}}

{{/* Containers that run before an evaluator or scorer: they wait for the bundled PostgreSQL, and fetch the benchmark. Of (dict "root" $ "part" PART). */}}
{{- define "genlevel.initContainers" -}}
{{- if and (has .part (list "evaluator" "scorer")) (eq (include "genlevel.database" .root) "bundled") }}
- name: wait-for-postgresql
  image: {{ include "genlevel.image" (dict "root" .root) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command:
    - python
    - -c
    - |
      import socket, time
      while True:
          try:
              socket.create_connection(("{{ include "genlevel.fullname" .root }}-postgresql", 5432), 5).close()
              break
          except OSError as error:
              print(f"waiting for PostgreSQL: {error}", flush=True)
              time.sleep(2)
  resources:
    requests: {cpu: 10m, memory: 32Mi}
    limits: {memory: 64Mi}
  securityContext:
    {{- include "genlevel.containerSecurity" . | nindent 4 }}
{{- end }}
{{- if and (eq .part "evaluator") .root.Values.benchmark.fetch.enabled }}
{{- $fetch := .root.Values.benchmark.fetch }}
{{- $folder := printf "/benchmark/%s" (base .root.Values.benchmark.mountPath) }}
- name: fetch-benchmark
  image: {{ include "genlevel.image" (dict "root" .root) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  # One pod fetches; others fail and try again until it has ended. A fetch that was cut short goes on where it stopped.
  command:
    - sh
    - -euc
    - |
      mkdir -p /benchmark/cache
      test -e "$FOLDER/$DONE" && exit 0
      genlevel bench fetch --to "$FOLDER" "$@"
      touch "$FOLDER/$DONE"
    - fetch
    - --revision={{ $fetch.revision }}
    {{- with $fetch.endpoint }}
    - --endpoint={{ . }}
    {{- end }}
    {{- range $fetch.tasks }}
    - {{ printf "--tasks=%s" . | quote }}
    {{- end }}
  env:
    - name: FOLDER
      value: {{ $folder }}
    - name: DONE
      value: .fetched-{{ list $fetch.revision $fetch.tasks | toJson | sha256sum | trunc 12 }}
    {{- range .root.Values.extraEnv }}
    {{- if not (hasPrefix "GENLEVEL_" .name) }}
    - {{ toYaml . | nindent 6 | trim }}
    {{- end }}
    {{- end }}
  resources:
    requests: {cpu: 100m, memory: 256Mi}
    limits: {memory: 1Gi}
  securityContext:
    {{- include "genlevel.containerSecurity" . | nindent 4 }}
  volumeMounts:
    - name: benchmark
      mountPath: /benchmark
    {{- with .root.Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    - name: tmp
      mountPath: /tmp
{{- end }}
{{- end -}}
