package main

import (
	"context"
	"net/http"
)

// The API server tells clients to come to its own port, so it has ours, at an address that nobody else uses.
const apiServerAddress = "127.0.0.2"

func (m *node) apiServer() string { return "https://" + apiServerAddress + ":" + m.port }

// startControlPlane returns when the API server answers and the others run.
func startControlPlane(ctx context.Context, o *options, m *node) error {
	if err := startAPIServer(o, m); err != nil {
		return err
	}
	own := tlsFolder + "/client-admin"
	api, err := newClient(m.apiServer(), tlsFolder+"/server-ca.crt", own+".crt", own+".key")
	if err != nil {
		return err
	}
	m.api = api
	ready := func() error { return api.call(http.MethodGet, "/readyz", nil, nil) }
	if err := wait(ctx, 120, "the API server", ready); err != nil {
		return err
	}
	if !o.yes("disable-controller-manager") {
		if err := startControllerManager(o); err != nil {
			return err
		}
	}
	if o.yes("disable-scheduler") {
		return nil
	}
	return startScheduler(o)
}

func startAPIServer(o *options, m *node) error {
	words := []string{
		"--advertise-address=" + firstOf(o.text("advertise-address"), m.address),
		"--bind-address=" + apiServerAddress,
		"--secure-port=" + m.port,
		"--etcd-servers=https://127.0.0.1:2379",
		"--etcd-cafile=" + tlsFolder + "/etcd/server-ca.crt",
		"--etcd-certfile=" + tlsFolder + "/etcd/client.crt",
		"--etcd-keyfile=" + tlsFolder + "/etcd/client.key",
		"--client-ca-file=" + tlsFolder + "/client-ca.crt",
		"--tls-cert-file=" + tlsFolder + "/serving-kube-apiserver.crt",
		"--tls-private-key-file=" + tlsFolder + "/serving-kube-apiserver.key",
		"--kubelet-certificate-authority=" + tlsFolder + "/server-ca.crt",
		"--kubelet-client-certificate=" + tlsFolder + "/client-kube-apiserver.crt",
		"--kubelet-client-key=" + tlsFolder + "/client-kube-apiserver.key",
		"--kubelet-preferred-address-types=InternalIP",
		"--requestheader-client-ca-file=" + tlsFolder + "/request-header-ca.crt",
		"--requestheader-allowed-names=system:auth-proxy",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + tlsFolder + "/client-auth-proxy.crt",
		"--proxy-client-key-file=" + tlsFolder + "/client-auth-proxy.key",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + tlsFolder + "/service.key",
		"--service-account-signing-key-file=" + tlsFolder + "/service.key",
		"--service-cluster-ip-range=" + serviceRange,
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--enable-bootstrap-token-auth",
		"--anonymous-auth=false",
		"--allow-privileged",
	}
	return start(parts+"/kubernetes/kube-apiserver", append(words, flagged(o.list("kube-apiserver-arg"))...)...)
}

func startControllerManager(o *options) error {
	words := append(
		elected("kube-controller-manager"),
		"--bind-address=127.0.0.1",
		"--cluster-cidr="+clusterRange,
		"--allocate-node-cidrs",
		"--cluster-signing-cert-file="+tlsFolder+"/client-ca.crt",
		"--cluster-signing-key-file="+tlsFolder+"/client-ca.key",
		"--root-ca-file="+tlsFolder+"/server-ca.crt",
		"--service-account-private-key-file="+tlsFolder+"/service.key",
		"--use-service-account-credentials",
		"--enable-hostpath-provisioner",
	)
	words = append(words, flagged(o.list("kube-controller-manager-arg"))...)
	return keep(parts+"/kubernetes/kube-controller-manager", words...)
}

func startScheduler(o *options) error {
	words := append(elected("kube-scheduler"), "--bind-address=127.0.0.1")
	return keep(parts+"/kubernetes/kube-scheduler", append(words, flagged(o.list("kube-scheduler-arg"))...)...)
}

// elected are the flags of a part of which one in the cluster works.
func elected(name string) []string {
	return []string{
		"--kubeconfig=" + dataFolder + "/server/cred/" + name + ".kubeconfig",
		"--leader-elect-lease-duration=15s", "--leader-elect-renew-deadline=12s", "--leader-elect-retry-period=1s",
	}
}
