{{- define "postern.name" -}}
{{ .Release.Name }}
{{- end -}}

{{- define "postern.selector" -}}
app.kubernetes.io/name: postern
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "postern.labels" -}}
app.kubernetes.io/name: postern
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "postern.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{- define "postern.config" -}}
{{ .Values.config }}

[listen]
smtp = ["*:2525"]
submission = ["*:2587"]
submissions = ["*:2465"]
imap = ["*:2143"]
imaps = ["*:2993"]
managesieve = ["*:4190"]
{{- if .Values.service.https }}
https = ["*:443"]
{{- end }}
{{- if and .Values.service.acme (not .Values.tlsSecret) }}
acme = ["*:8080"]
{{- end }}
proxy_from = {{ toJson .Values.proxyFrom }}
{{- if .Values.tlsSecret }}

[tls]
cert = "/run/tls/tls.crt"
key = "/run/tls/tls.key"
{{- end }}
{{- end -}}
