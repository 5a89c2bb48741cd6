{{- /* Every object's name begins with it. A Service's may have 63 characters, of which "-collector" are ten. */ -}}
{{- define "criwatch.name" -}}
{{- $name := ternary .Release.Name (printf "%s-criwatch" .Release.Name) (contains "criwatch" .Release.Name) -}}
{{- $name | trunc 53 | trimSuffix "-" -}}
{{- end }}

{{- /* What the DaemonSet and the Service find the pods by. */ -}}
{{- define "criwatch.selector" -}}
app.kubernetes.io/name: criwatch
app.kubernetes.io/component: node-agent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "criwatch.labels" -}}
{{ include "criwatch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "criwatch.image" -}}
{{- $repository := required "image.repository: set it to where you have pushed the agent's image (docs/kubernetes.md, \"Install\")" .Values.image.repository -}}
{{- if .Values.image.digest }}{{ $repository }}@{{ .Values.image.digest }}
{{- else }}{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* The path of the engine's socket on the node. */ -}}
{{- define "criwatch.socket" -}}
{{- $usual := dict
  "containerd" "/run/containerd/containerd.sock"
  "crio" "/var/run/crio/crio.sock"
  "k3s" "/run/k3s/containerd/containerd.sock" -}}
{{- .Values.engine.socket | default (get $usual .Values.engine.name) -}}
{{- end }}

{{- define "criwatch.config" -}}
{{- .Values.collector.config | default (.Files.Get "files/collector.yaml") -}}
{{- end }}

{{- define "criwatch.priorityClass" -}}
{{- if or .Values.priorityClass.create .Values.priorityClass.name -}}
{{ .Values.priorityClass.name | default (include "criwatch.name" .) }}
{{- end }}
{{- end }}
