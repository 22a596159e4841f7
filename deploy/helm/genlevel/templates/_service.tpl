{{/* All objects of one service. Of (dict "root" $ "part" PART). */}}
{{- define "genlevel.service" -}}
{{- $values := index .root.Values .part -}}
{{- $full := include "genlevel.fullname" .root -}}
{{- $claim := ternary (printf "%s-%s" $full .part) "" (ne (include "genlevel.hasClaim" .) "") -}}
{{- $pages := eq .part "web" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "genlevel.metadata" . | nindent 2 }}
spec:
  {{- if not (include "genlevel.isScaled" .) }}
  replicas: {{ int $values.replicas }}
  {{- end }}
  strategy:
    {{- if or $claim (include "genlevel.holdsVolume" .) }}
    # One at a time has the claim.
    type: Recreate
    {{- else }}
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
    {{- end }}
  selector:
    matchLabels:
      {{- include "genlevel.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "genlevel.podLabels" . | nindent 8 }}
        {{- with .root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        checksum/config: {{ include "genlevel.config" (dict "root" .root) | sha256sum }}
        {{- if and .root.Values.monitoring.annotations (not (and $pages (include "genlevel.pagesNeedCertificates" .root))) }}
        prometheus.io/scrape: "true"
        prometheus.io/port: {{ index (dict "gateway" "7411" "evaluator" "7412" "scorer" "7413" "web" "7400") .part | quote }}
        {{- if and $pages $values.tls.existingSecret }}
        prometheus.io/scheme: https
        {{- end }}
        {{- end }}
    spec:
      {{- include "genlevel.podCommon" (dict "root" .root "of" $values "account" (ternary (include "genlevel.plainAccount" .root) "" $pages)) | nindent 6 }}
      terminationGracePeriodSeconds: {{ int .root.Values.terminationGracePeriodSeconds }}
      {{- include "genlevel.spread" . | nindent 6 }}
      {{- with include "genlevel.initContainers" . | trim }}
      initContainers:
        {{- . | nindent 8 }}
      {{- end }}
      containers:
        - {{ include "genlevel.container" (merge (dict "resources" $values.resources "portPrefix" "") .) | nindent 10 | trim }}
      volumes:
        {{- include "genlevel.volumes" (merge (dict "config" (printf "%s-config" $full) "claim" $claim) .) | nindent 8 }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "genlevel.metadata" . | nindent 2 }}
spec:
  {{- if $pages }}
  type: ClusterIP
  {{- else }}
  # Headless, so that clients see every pod and balance calls themselves.
  clusterIP: None
  {{- end }}
  selector:
    {{- include "genlevel.selector" . | nindent 4 }}
  ports:
    {{- if not $pages }}
    - name: grpc
      port: {{ index (dict "gateway" 7401 "evaluator" 7402 "scorer" 7403) .part }}
      targetPort: grpc
      appProtocol: grpc
    {{- end }}
    - name: http
      port: {{ index (dict "gateway" 7411 "evaluator" 7412 "scorer" 7413 "web" 7400) .part }}
      targetPort: http
      {{- if and $pages $values.tls.existingSecret }}
      appProtocol: https
      {{- end }}
{{- if $claim }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "genlevel.metadata" . | nindent 2 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes: [ReadWriteOnce]
  {{- with $values.persistence.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ $values.persistence.size }}
{{- end }}
{{- if .root.Values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "genlevel.metadata" . | nindent 2 }}
spec:
  # Not minAvailable, with which a node could never be drained of the only pod.
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "genlevel.selector" . | nindent 6 }}
{{- end }}
{{- if $values.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "genlevel.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ $full }}-{{ .part }}
  minReplicas: {{ int $values.autoscaling.minReplicas }}
  maxReplicas: {{ int $values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ int $values.autoscaling.cpuPercent }}
    {{- with int $values.autoscaling.callsInFlight }}
    - type: Pods
      pods:
        metric:
          name: genlevel_{{ $.part }}_in_flight
        target:
          type: AverageValue
          averageValue: {{ . | quote }}
    {{- end }}
  behavior:
    scaleDown:
      # A pod that goes hands its work on, which takes time: not for a short pause.
      stabilizationWindowSeconds: 300
      policies:
        - {type: Pods, value: 1, periodSeconds: 60}
{{- end }}
{{- end -}}
