{{/* Of every pod: what the restricted Pod Security Standard wants, and whom its files belong to. */}}
{{- define "mortise.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .Values.user }}
  runAsGroup: {{ .Values.user }}
  fsGroup: {{ .Values.user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where a component's pods run: its values. */}}
{{- define "mortise.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "mortise.restricted" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* A container of a service: list of the root, the service, its configuration's file, and its values. */}}
{{- define "mortise.container" -}}
{{- $root := index . 0 -}}
image: {{ include "mortise.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
args:
  - {{ index . 1 }}
  - -config=/etc/mortise/{{ index . 2 }}
{{ include "mortise.restricted" $root }}
{{- with (index . 3).resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Asks a service whether it serves, sealed or not: list of the service and its configuration's file. */}}
{{- define "mortise.asked" -}}
exec:
  command: [mortise, health, {{ index . 0 }}, -config=/etc/mortise/{{ index . 1 }}]
timeoutSeconds: 10
{{- end -}}

{{/* The probes of a service of the node. A sealed one serves: only one that does not answer is started again. */}}
{{- define "mortise.probes" -}}
startupProbe:
  {{- include "mortise.asked" . | nindent 2 }}
  periodSeconds: 2
  failureThreshold: 90
livenessProbe:
  {{- include "mortise.asked" . | nindent 2 }}
  periodSeconds: 20
  failureThreshold: 3
{{- end -}}

{{/* Asks through a gateway how the node is: list of the scheme and of what is well, too. */}}
{{- define "mortise.health" -}}
httpGet:
  scheme: {{ index . 0 | upper }}
  port: https
  path: /v1/sys/health?standbyok=true{{ index . 1 }}
timeoutSeconds: 10
periodSeconds: 5
failureThreshold: 2
{{- end -}}

{{/* A folder with the certificate of a service: list of the root and its name. */}}
{{- define "mortise.certificate.volume" -}}
name: {{ index . 1 }}-certificate
secret:
  secretName: {{ include "mortise.certificate" . }}
  defaultMode: 0440
{{- end -}}
