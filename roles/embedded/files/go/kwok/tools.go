// SPDX-License-Identifier: GPL-3.0-or-later

//go:build tools

// Package tools names the programs that are built from this module set, so that go.mod pins all they need.
package tools

import (
	_ "sigs.k8s.io/kwok/cmd/kwok"
	_ "sigs.k8s.io/kwok/cmd/kwokctl"
)
