{{/* Where pods may connect to outside the release. */}}
{{- define "genlevel.internet" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except: [10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
- ipBlock:
    cidr: ::/0
    except: [fc00::/7, fe80::/10]
{{- end }}
{{/* What every pod may connect to: servers of names, and each other. */}}
{{- define "genlevel.toEachOther" -}}
# Names.
- to:
    - namespaceSelector: {}
    # Caches of names on a node.
    - ipBlock: {cidr: 169.254.0.0/16}
  ports:
    # Servers of names of OpenShift listen on 5353.
    {{- range list 53 5353 }}
    - {protocol: UDP, port: {{ . }}}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
# Each other, as far as the other lets it.
- to:
    - podSelector:
        matchLabels:
          app.kubernetes.io/instance: {{ .Release.Name | quote }}
          app.kubernetes.io/part-of: genlevel
{{- end }}
{{- define "genlevel.toStores" -}}
{{- if .Values.networkPolicy.storePorts -}}
# Stores outside the chart, and where alarms go.
- ports:
    {{- range .Values.networkPolicy.storePorts }}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
{{- end }}
{{- with .Values.networkPolicy.storeEgress }}
{{ toYaml . }}
{{- end }}
{{- end }}
