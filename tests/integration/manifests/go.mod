// Manifests that people use and that were not made for tests. Only their files are read; nothing is built.
module kubestellar.core/tests/manifests

go 1.26.0

require (
	github.com/argoproj/argo-cd/v3 v3.1.8
	github.com/prometheus-operator/prometheus-operator v0.85.0
	github.com/tektoncd/pipeline v1.4.0
	knative.dev/serving v0.46.0
	sigs.k8s.io/gateway-api v1.4.0
)
