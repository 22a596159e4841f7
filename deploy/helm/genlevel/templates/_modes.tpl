{{/* What the values come to: which stores there are, and who keeps something in a claim. "true" is yes, "" no. */}}

{{/* sqlite, bundled or external. */}}
{{- define "genlevel.database" -}}
{{- if or .Values.storage.url .Values.storage.urlSecret.name -}}
external
{{- else if .Values.postgresql.enabled -}}
bundled
{{- else -}}
sqlite
{{- end -}}
{{- end -}}

{{/* none, bundled or external. */}}
{{- define "genlevel.queue" -}}
{{- if or .Values.queue.url .Values.queue.urlSecret.name -}}
external
{{- else if and .Values.nats.enabled (ne (include "genlevel.database" .) "sqlite") -}}
bundled
{{- else -}}
none
{{- end -}}
{{- end -}}

{{- define "genlevel.sharesBlobs" -}}
{{- if or .Values.storage.blobs.url .Values.storage.blobs.existingClaim -}}true{{- end -}}
{{- end -}}

{{/* Of (dict "root" $ "part" PART): whether it has a claim of its own, and so is one pod at a time. */}}
{{- define "genlevel.hasClaim" -}}
{{- $sqlite := eq (include "genlevel.database" .root) "sqlite" -}}
{{- if eq .part "evaluator" -}}
{{- if or $sqlite (not (include "genlevel.sharesBlobs" .root)) -}}true{{- end -}}
{{- else if eq .part "scorer" -}}
{{- if $sqlite -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* Of the same: whether it has another volume that only pods of one node can have: a rolling update could wait for ever for the old pod's. */}}
{{- define "genlevel.holdsVolume" -}}
{{- $fetch := .root.Values.benchmark.fetch -}}
{{- if and (eq .part "evaluator") $fetch.enabled (not (has "ReadWriteMany" $fetch.accessModes)) -}}true{{- end -}}
{{- end -}}

{{/* Whether pages are shown to those alone who have a certificate: neither the kubelet nor Prometheus has one. */}}
{{- define "genlevel.pagesNeedCertificates" -}}
{{- if kindIs "map" .Values.config.web -}}
{{- with .Values.config.web.tls -}}{{- if .client_ca -}}true{{- end -}}{{- end -}}
{{- end -}}
{{- end -}}

{{/* Of (dict "root" $ "part" PART): whether something else than `replicas` says how many there are. */}}
{{- define "genlevel.isScaled" -}}
{{- $part := index .root.Values .part -}}
{{- if or $part.autoscaling.enabled (and (eq .part "evaluator") .root.Values.keda.enabled) -}}true{{- end -}}
{{- end -}}

{{/* Of the same: the most pods that there can be. */}}
{{- define "genlevel.most" -}}
{{- $part := index .root.Values .part -}}
{{- if and (eq .part "evaluator") .root.Values.keda.enabled -}}
{{ int .root.Values.keda.maxReplicas }}
{{- else if $part.autoscaling.enabled -}}
{{ int $part.autoscaling.maxReplicas }}
{{- else -}}
{{ int $part.replicas }}
{{- end -}}
{{- end -}}

{{/* Fails in one line that names the values, if they contradict each other. */}}
{{- define "genlevel.validate" -}}
{{- $database := include "genlevel.database" . -}}
{{- $queue := include "genlevel.queue" . -}}
{{- $evaluator := dict "root" . "part" "evaluator" -}}
{{- $several := gt (include "genlevel.most" $evaluator | int) 1 -}}
{{- if and (ne $queue "none") (eq $database "sqlite") -}}
{{- fail "queue needs PostgreSQL: set storage.url or postgresql.enabled, or take queue away" -}}
{{- end -}}
{{- if and $several (eq $database "sqlite") -}}
{{- fail "more than one evaluator needs PostgreSQL: set storage.url or postgresql.enabled, or evaluator.replicas to 1" -}}
{{- end -}}
{{- if and $several (not (include "genlevel.sharesBlobs" .)) -}}
{{- fail "more than one evaluator needs a store of media that all share: set storage.blobs.url (s3://bucket/blobs) or storage.blobs.existingClaim (ReadWriteMany), or evaluator.replicas to 1" -}}
{{- end -}}
{{- if and (eq $database "sqlite") (gt (include "genlevel.most" (dict "root" . "part" "scorer") | int) 1) -}}
{{- fail "more than one scorer needs PostgreSQL: set storage.url or postgresql.enabled, or scorer.replicas to 1" -}}
{{- end -}}
{{- if and .Values.storage.url .Values.storage.urlSecret.name -}}
{{- fail "storage.url and storage.urlSecret.name say the same thing: set one of them" -}}
{{- end -}}
{{- if regexMatch "//[^/@]*:[^/@]*@" .Values.storage.url -}}
{{- fail "storage.url has a password, which everybody could read in the ConfigMap: put the password into storage.passwordSecret, or the whole URL into storage.urlSecret" -}}
{{- end -}}
{{- if regexMatch "//[^/@]*@" .Values.queue.url -}}
{{- fail "queue.url has a user or token, which everybody could read in the ConfigMap: put the whole address into queue.urlSecret" -}}
{{- end -}}
{{- if and .Values.queue.url .Values.queue.urlSecret.name -}}
{{- fail "queue.url and queue.urlSecret.name say the same thing: set one of them" -}}
{{- end -}}
{{- range $setting, $value := dict "storage.url" "storage.url" "storage.blobs" "storage.blobs.url" -}}
{{- if get (default dict $.Values.config.storage) (base (replace "." "/" $setting)) -}}
{{- fail (printf "config.%s: set %s instead, by which the chart knows which stores there are" $setting $value) -}}
{{- end -}}
{{- end -}}
{{- if .Values.config.queue -}}
{{- fail "config.queue: set queue.url instead, which only those get that take work from it" -}}
{{- end -}}
{{- if and .Values.auth.tokens.existingSecret (not .Values.auth.evaluatorToken.existingSecret) -}}
{{- fail "auth.tokens.existingSecret needs auth.evaluatorToken.existingSecret: make a token with `genlevel token evaluator --role admin --file tokens.yaml > evaluator.token`, then `kubectl create secret generic genlevel-evaluator-token --from-file=token=evaluator.token`" -}}
{{- end -}}
{{- if and .Values.auth.tokens.existingSecret (not .Values.auth.clientToken.existingSecret) (or .Values.jobs .Values.cronJobs) -}}
{{- fail "jobs with auth.tokens.existingSecret need auth.clientToken.existingSecret: make a token with `genlevel token jobs --role run --role call --file tokens.yaml > jobs.token`, then `kubectl create secret generic genlevel-client-token --from-file=token=jobs.token`" -}}
{{- end -}}
{{- if and .Values.auth.tokens.existingSecret .Values.auth.tokens.rows -}}
{{- fail "auth.tokens.rows goes into the file that is made: with auth.tokens.existingSecret add them to its tokens.yaml" -}}
{{- end -}}
{{- if and (not .Values.auth.tokens.existingSecret) .Values.auth.evaluatorToken.existingSecret -}}
{{- fail "auth.evaluatorToken.existingSecret needs auth.tokens.existingSecret, whose tokens.yaml has its row" -}}
{{- end -}}
{{- if and .Values.tls.enabled (not .Values.tls.existingSecret) (not .Values.tls.certManager.enabled) -}}
{{- fail "tls.enabled needs tls.existingSecret, or tls.certManager.enabled" -}}
{{- end -}}
{{- if and .Values.tls.certManager.enabled (not .Values.tls.certManager.issuerRef.name) -}}
{{- fail "tls.certManager.enabled needs tls.certManager.issuerRef.name" -}}
{{- end -}}
{{- if and .Values.keda.enabled (eq $queue "none") -}}
{{- fail "keda.enabled needs a queue: set queue.url or nats.enabled" -}}
{{- end -}}
{{- range $part := list "gateway" "evaluator" "scorer" "web" -}}
{{- with (index $.Values $part).autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail (printf "%s.autoscaling.minReplicas is above its maxReplicas" $part) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.keda.enabled (gt (int .Values.keda.minReplicas) (int .Values.keda.maxReplicas)) -}}
{{- fail "keda.minReplicas is above keda.maxReplicas" -}}
{{- end -}}
{{- if and .Values.keda.enabled (not .Values.keda.prometheusAddress) -}}
{{- fail "keda.enabled needs keda.prometheusAddress, such as http://prometheus-operated.monitoring:9090" -}}
{{- end -}}
{{- range $name, $pool := .Values.pools -}}
{{- if and $pool.autoscaling (eq $queue "external") (not $.Values.keda.natsMonitoring) -}}
{{- fail (printf "pools.%s.autoscaling with a queue of your own needs keda.natsMonitoring, such as nats.messaging:8222" $name) -}}
{{- end -}}
{{- with $pool.autoscaling -}}
{{- if gt (int (default 1 .minReplicas)) (int .maxReplicas) -}}
{{- fail (printf "pools.%s.autoscaling.minReplicas is above its maxReplicas" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.keda.enabled .Values.evaluator.autoscaling.enabled -}}
{{- fail "keda.enabled and evaluator.autoscaling.enabled would both set how many evaluators there are: choose one" -}}
{{- end -}}
{{- if and .Values.pools (eq $queue "none") -}}
{{- fail "pools take their work from a queue: set queue.url or nats.enabled" -}}
{{- end -}}
{{- $grace := default 20 .Values.config.grace_s -}}
{{- if gt (addf $grace 15) (float64 .Values.terminationGracePeriodSeconds) -}}
{{- fail (printf "config.grace_s is %v, and pods are killed, with calls in flight, before that is over: set terminationGracePeriodSeconds to 15 more at the least" $grace) -}}
{{- end -}}
{{- if and .Values.benchmark.existingClaim .Values.benchmark.fetch.enabled -}}
{{- fail "benchmark.fetch.enabled fills a claim of its own: take benchmark.existingClaim away" -}}
{{- end -}}
{{- if and .Values.pools (not (include "genlevel.sharesBlobs" .)) -}}
{{- fail "pools need a store of media that all share: set storage.blobs.url (s3://bucket/blobs) or storage.blobs.existingClaim (ReadWriteMany)" -}}
{{- end -}}
{{- if and (or $several .Values.pools) (include "genlevel.holdsVolume" $evaluator) -}}
{{- fail "more than one evaluator, and pools, need benchmark.fetch.accessModes with ReadWriteMany" -}}
{{- end -}}
{{- if and (include "genlevel.pagesNeedCertificates" .) (not .Values.web.tls.existingSecret) -}}
{{- fail "config.web.tls.client_ca needs web.tls.existingSecret, with which the pages speak TLS" -}}
{{- end -}}
{{- if and .Values.web.ingress.enabled (not .Values.web.ingress.host) -}}
{{- fail "web.ingress.enabled needs web.ingress.host" -}}
{{- end -}}
{{- if and .Values.monitoring.serviceMonitors.enabled (eq .Values.auth.metrics "read") (not .Values.monitoring.serviceMonitors.tokenSecret) -}}
{{- fail "auth.metrics: read needs monitoring.serviceMonitors.tokenSecret, a Secret whose key `token` has the role read" -}}
{{- end -}}
{{- end -}}
