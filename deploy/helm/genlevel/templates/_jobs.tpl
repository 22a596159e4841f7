{{/* Pods of commands: jobs and tests, which call the services as a client does. */}}

{{/* Of (dict "root" $ "args" ARGUMENTS "name" NAME "mounts" MOUNTS "resources" RESOURCES): a container that runs one command. */}}
{{- define "genlevel.command" -}}
name: {{ .name }}
image: {{ include "genlevel.image" (dict "root" .root) }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args:
  {{- range .args }}
  - {{ . | toString | quote }}
  {{- end }}
env:
  - name: GENLEVEL_CONFIG
    value: /etc/genlevel/genlevel.yaml
resources:
  {{- toYaml .resources | nindent 2 }}
securityContext:
  {{- include "genlevel.containerSecurity" . | nindent 2 }}
volumeMounts:
  - name: config
    mountPath: /etc/genlevel
    readOnly: true
  - name: token
    mountPath: /etc/genlevel-token
    readOnly: true
  {{- if .root.Values.tls.enabled }}
  - name: tls
    mountPath: /etc/genlevel-tls
    readOnly: true
  {{- end }}
  {{- with .reportsClaim }}
  - name: reports
    mountPath: /reports
  {{- end }}
  - name: data
    mountPath: /data
  - name: tmp
    mountPath: /tmp
{{- end -}}

{{/* Of (dict "root" $ "reportsClaim" CLAIM): the volumes of such containers. */}}
{{- define "genlevel.commandVolumes" -}}
- name: config
  configMap:
    name: {{ include "genlevel.fullname" .root }}-client-config
- name: token
  secret:
    secretName: {{ include "genlevel.clientTokenSecret" .root }}
    defaultMode: 0440
{{- if .root.Values.tls.enabled }}
- name: tls
  secret:
    secretName: {{ include "genlevel.tlsSecret" .root }}
    defaultMode: 0440
{{- end }}
{{- with .reportsClaim }}
- name: reports
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
- name: data
  emptyDir: {}
- name: tmp
  emptyDir: {}
{{- end -}}

{{/* Of (dict "root" $ "name" NAME "job" JOB): the specification of a Job. */}}
{{- define "genlevel.jobSpec" -}}
{{- $resources := default (dict "requests" (dict "cpu" "100m" "memory" "128Mi") "limits" (dict "memory" "512Mi")) .job.resources -}}
{{- $commands := list -}}
{{- if .job.eval }}{{ $commands = append $commands (dict "name" "eval" "args" (concat (list "eval") .job.eval)) }}{{ end -}}
{{- if .job.report }}{{ $commands = append $commands (dict "name" "report" "args" (concat (list "report") .job.report)) }}{{ end -}}
{{- $last := last $commands -}}
backoffLimit: 3
podReplacementPolicy: Failed
# What a command says itself is its answer (docs/commands.md, exit codes); a pod that the cluster ended goes on in another one.
podFailurePolicy:
  rules:
    - action: Ignore
      onPodConditions:
        - {type: DisruptionTarget, status: "True"}
    {{- range $commands }}
    - action: FailJob
      onExitCodes: {containerName: {{ .name }}, operator: In, values: [1, 2]}
    {{- end }}
template:
  metadata:
    labels:
      {{- include "genlevel.podLabels" (dict "root" .root "part" "job") | nindent 6 }}
  spec:
    {{- include "genlevel.podCommon" (dict "root" .root "account" (include "genlevel.plainAccount" .root)) | nindent 4 }}
    restartPolicy: Never
    {{- range initial $commands }}
    initContainers:
      - {{ include "genlevel.command" (dict "root" $.root "name" .name "args" .args "resources" $resources "reportsClaim" $.job.reportsClaim) | nindent 8 | trim }}
    {{- end }}
    containers:
      - {{ include "genlevel.command" (dict "root" $.root "name" $last.name "args" $last.args "resources" $resources "reportsClaim" $.job.reportsClaim) | nindent 8 | trim }}
    volumes:
      {{- include "genlevel.commandVolumes" (dict "root" .root "reportsClaim" .job.reportsClaim) | nindent 6 }}
{{- end -}}
