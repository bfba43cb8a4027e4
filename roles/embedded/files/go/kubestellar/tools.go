// SPDX-License-Identifier: GPL-3.0-or-later

//go:build tools

// Package tools names the programs that are built from this module set, so that go.mod pins all they need.
package tools

import (
	_ "github.com/kubestellar/kubeflex/cmd/manager"
	_ "github.com/kubestellar/kubestellar/cmd/controller-manager"
	_ "github.com/kubestellar/kubestellar/pkg/transport/ocm-transport-controller"
	_ "github.com/onsi/ginkgo/v2"
	_ "github.com/onsi/gomega"
	_ "go.etcd.io/etcd/server/v3"
	_ "helm.sh/helm/v3/cmd/helm"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "k8s.io/kubernetes/cmd/kubectl"
	_ "open-cluster-management.io/ocm/cmd/registration"
	_ "open-cluster-management.io/ocm/cmd/registration-operator"
)
