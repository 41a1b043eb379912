{{/* The name of everything: that of the release, which names the chart or is followed by its name. */}}
{{- define "mortise.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* What selects the pods of a component: list of the root and its name. */}}
{{- define "mortise.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | trunc 63 }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- with index . 1 }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* The labels of an object of a component: list of the root and its name, which may be empty. */}}
{{- define "mortise.labels" -}}
{{- $root := index . 0 -}}
{{ include "mortise.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "mortise.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The secret that holds the certificate of a service, or of the listener: list of the root and its name. */}}
{{- define "mortise.certificate" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- if eq $root.Values.tls.mode "certManager" -}}
{{ include "mortise.fullname" $root }}-{{ $name }}-tls
{{- else -}}
{{ required (printf "tls.secrets.%s: name the secret of this certificate" $name) (get $root.Values.tls.secrets $name) }}
{{- end -}}
{{- end -}}

{{/* Names and addresses at which clients reach the gateways inside of the cluster. */}}
{{- define "mortise.names" -}}
{{- $host := printf "%s.%s" (include "mortise.fullname" .) .Release.Namespace -}}
{{- $names := list (include "mortise.fullname" .) $host (printf "%s.svc" $host) (printf "%s.svc.%s" $host .Values.clusterDomain) -}}
{{ toYaml (concat $names .Values.listener.dnsNames) }}
{{- end -}}

{{- define "mortise.scheme" -}}
{{ ternary "http" "https" .Values.listener.tlsDisable }}
{{- end -}}

{{- define "mortise.apiAddr" -}}
{{- $service := printf "%s://%s.%s.svc:%v" (include "mortise.scheme" .) (include "mortise.fullname" .) .Release.Namespace .Values.service.port -}}
{{ .Values.apiAddr | default $service }}
{{- end -}}

{{/* What would only show when a pod does not start is said at once. */}}
{{- define "mortise.check" -}}
{{- if has (include "mortise.fullname" .) (list "catalog" "launcher" "router" "gateway") -}}
{{- fail "the name of the release must not be that of a service: certificates of clients would carry it" -}}
{{- end -}}
{{- if and (eq .Values.plugins.source "initContainers") (not .Values.plugins.initContainers) -}}
{{- fail "plugins.initContainers: name the images that bring the plugins" -}}
{{- end -}}
{{- if and (eq .Values.plugins.source "claim") (not .Values.plugins.claim.name) -}}
{{- fail "plugins.claim.name: name the claim of the volume with the plugins" -}}
{{- end -}}
{{- if and .Values.tls.certManager.listenerIssuer.name (not .Values.listener.dnsNames) -}}
{{- fail "listener.dnsNames: an issuer of your own has to be told which names the certificate is for" -}}
{{- end -}}
{{- if and .Values.monitoring.serviceMonitor.enabled (not .Values.monitoring.open) (not .Values.monitoring.tokenSecret.name) -}}
{{- fail "monitoring.tokenSecret.name: name the secret of a token that may read sys/metrics, or set monitoring.open" -}}
{{- end -}}
{{- end -}}

{{/* The rule of a network policy that lets spans of traces out. */}}
{{- define "mortise.tracing.egress" -}}
{{- with .Values.tracing.endpoint -}}
# Spans of traces.
- {{- with $.Values.networkPolicy.tracing.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - { port: {{ splitList ":" (urlParse .).host | last }}, protocol: TCP }
{{- end -}}
{{- end -}}
