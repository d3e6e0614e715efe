{{- define "freshet.labels" -}}
app.kubernetes.io/name: freshet
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "freshet.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "freshet.container" -}}
image: {{ include "freshet.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
envFrom:
  - secretRef: {name: {{ .root.Values.existingSecret }}}
{{- end }}

{{- define "freshet.processes" -}}
- {name: api, key: api}
- {name: extract-worker, key: extractWorker, queue: extract}
- {name: load-worker, key: loadWorker, queue: load}
- {name: scheduler, key: scheduler}
{{- end }}
