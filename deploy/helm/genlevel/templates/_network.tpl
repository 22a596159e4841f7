{{/* Where pods may connect to outside the release. */}}
{{- define "genlevel.internet" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except: [10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
- ipBlock:
    cidr: ::/0
    except: [fc00::/7, fe80::/10]
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
