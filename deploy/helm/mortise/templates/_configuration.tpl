{{/* What every service is told: list of the root, the service, and where those are that it calls. */}}
{{- define "mortise.internal" -}}
{{- $root := index . 0 -}}
{{- $service := index . 1 -}}
log_level  = {{ $root.Values.logLevel | quote }}
log_format = {{ $root.Values.logFormat | quote }}

# Locking memory takes a capability that no pod has here; nodes of Kubernetes do not swap.
disable_mlock = true
{{- with $root.Values.tracing.endpoint }}

telemetry {
  otlp_endpoint      = {{ . | quote }}
  trace_sample_ratio = {{ $root.Values.tracing.sampleRatio }}
}
{{- end }}

internal {
{{- with index . 2 }}
  address   = {{ . | quote }}
{{- end }}
  ca_file   = "/var/lib/mortise/certificates/ca.crt"
  cert_file = "/var/lib/mortise/certificates/tls.crt"
  key_file  = "/var/lib/mortise/certificates/tls.key"
{{- range $name, $address := index . 3 }}
  {{ printf "%-9s" $name }} = {{ $address | quote }}
{{- end }}
}
{{- end -}}

{{- define "mortise.catalog.hcl" -}}
# Keeps: the encrypted storage and the plugin catalog.

{{ if eq .Values.storage.type "sqlite" -}}
storage "sqlite" {
  path = "/var/lib/mortise/data/mortise.db"
}
{{- else -}}
{{- with .Values.storage.postgresql -}}
# VAULT_PG_CONNECTION_URL says where it is.
storage "postgresql" {
  table               = {{ .table | quote }}
  max_parallel        = {{ .maxParallel }}
  max_connect_retries = {{ .maxConnectRetries }}
  skip_create_table   = {{ .skipCreateTable }}
}
{{- end -}}
{{- end }}

{{ with .Values.clusterName -}}
cluster_name     = {{ . | quote }}
{{ end -}}
plugin_directory = {{ include "mortise.plugins.directory" . | quote }}
{{ include "mortise.internal" (list . "catalog" "127.0.0.1:8300" dict) }}
{{- with .Values.node.catalog.extraConfig }}

{{ . | trim }}
{{- end }}
{{ end -}}

{{- define "mortise.launcher.hcl" -}}
# Runs: built-in engines and plugin processes.

plugin_tmpdir          = "/run/mortise"
plugin_cache_directory = "/var/lib/mortise/cache"
plugin_cache_size      = {{ int64 .Values.plugins.cacheSize }}
{{ include "mortise.internal" (list . "launcher" "127.0.0.1:8301" (dict "catalog" "127.0.0.1:8300")) }}
{{- with .Values.node.launcher.extraConfig }}

{{ . | trim }}
{{- end }}
{{ end -}}

{{- define "mortise.router.hcl" -}}
# Decides: who may ask what, and where it goes.

api_addr          = {{ include "mortise.apiAddr" . | quote }}
default_lease_ttl = {{ .Values.defaultLeaseTtl | quote }}
max_lease_ttl     = {{ .Values.maxLeaseTtl | quote }}
plugin_directory  = {{ include "mortise.plugins.directory" . | quote }}
{{ include "mortise.internal" (list . "router" (printf "%s:8302" .Values.bindAddress) (dict "catalog" "127.0.0.1:8300" "launcher" "127.0.0.1:8301")) }}
{{- with .Values.node.router.extraConfig }}

{{ . | trim }}
{{- end }}
{{ end -}}

{{/* The node's own gateway: the one that operators and monitoring ask. */}}
{{- define "mortise.operator.hcl" -}}
# Speaks HTTP: to operators who unseal this node, and to those who watch it.

listener "tcp" {
  address       = "{{ .Values.bindAddress }}:8200"
  tls_cert_file = "/var/lib/mortise/certificates/tls.crt"
  tls_key_file  = "/var/lib/mortise/certificates/tls.key"
{{- if .Values.monitoring.open }}

  telemetry {
    unauthenticated_metrics_access = true
  }
{{- end }}
}

{{ include "mortise.internal" (list . "gateway" "" (dict "router" "127.0.0.1:8302")) }}
{{ end -}}

{{- define "mortise.gateway.hcl" -}}
# Speaks HTTP.

listener "tcp" {
  address               = "{{ .Values.bindAddress }}:8200"
{{- if .Values.listener.tlsDisable }}
  tls_disable           = true
{{- else }}
  tls_cert_file         = "/var/lib/mortise/listener/tls.crt"
  tls_key_file          = "/var/lib/mortise/listener/tls.key"
  tls_min_version       = {{ .Values.listener.tlsMinVersion | quote }}
{{- end }}
  max_request_size      = {{ int64 .Values.listener.maxRequestSize }}
  max_request_duration  = {{ .Values.listener.maxRequestDuration | quote }}
}

{{ include "mortise.internal" (list . "gateway" "" (dict "router" (printf "%s-node.%s.svc:8302" (include "mortise.fullname" .) .Release.Namespace))) }}
{{- with .Values.gateway.extraConfig }}

{{ . | trim }}
{{- end }}
{{ end -}}

{{- define "mortise.plugins.directory" -}}
{{- if has .Values.plugins.source (list "initContainers" "downloads") -}}
/var/lib/mortise/plugins/all
{{- else if eq .Values.plugins.source "claim" -}}
/var/lib/mortise/plugins
{{- else -}}
/usr/local/lib/mortise/plugins
{{- end -}}
{{- end -}}
