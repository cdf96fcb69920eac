package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
)

const (
	clusterRange   = "10.42.0.0/16"
	serviceRange   = "10.43.0.0/16"
	serviceAddress = "10.43.0.1"
	dnsAddress     = "10.43.0.10"
)

// What must be the same on all servers, with k3s' default.
var criticalDefaults = map[string]string{
	"cluster-cidr": clusterRange, "service-cidr": serviceRange, "cluster-dns": dnsAddress, "cluster-domain": "cluster.local",
	"flannel-backend": "vxlan", "flannel-ipv6-masq": "", "flannel-external-ip": "", "disable-cloud-controller": "",
	"disable-helm-controller": "", "disable-network-policy": "", "egress-selector-mode": "agent", "embedded-registry": "",
	"secrets-encryption": "",
}

func critical(o *options) map[string]string {
	values := map[string]string{"disable-servicelb": strconv.FormatBool(contains(o.words("disable"), "servicelb"))}
	for name, value := range criticalDefaults {
		values[name] = firstOf(strings.Join(o.list(name), ","), value)
	}
	return values
}

func runServer(ctx context.Context, o *options, m *node) error {
	if o.text("datastore-endpoint") != "" {
		return errors.New("only the embedded etcd is here: use cluster-init or server")
	}
	joined, err := joinServers(o, m)
	if err != nil {
		return err
	}
	if err := prepareServer(o, m); err != nil {
		return err
	}
	if err := startEtcd(ctx, o, m, joined); err != nil {
		return err
	}
	if err := startControlPlane(ctx, o, m); err != nil {
		return err
	}
	if err := serveSupervisor(o, m); err != nil {
		return err
	}
	own, err := parseToken(storedSecret(tokenFile), "server")
	if err != nil {
		return err
	}
	if err := m.join(ctx, "https://127.0.0.1:"+m.port, own); err != nil {
		return err
	}
	if err := m.start(ctx, "https://127.0.0.1:"+m.port); err != nil {
		return err
	}
	if err := writePackaged(o, m); err != nil {
		return err
	}
	notify()
	go m.watchMembers(ctx)
	return m.watch(ctx, o)
}

// joinServers takes over what the servers of an existing cluster share; it returns the address of the one asked.
func joinServers(o *options, m *node) (string, error) {
	server := o.text("server")
	if server == "" {
		if !o.yes("cluster-init") && !exists(memberFile) {
			return "", errors.New("only the embedded etcd is here: use cluster-init or server")
		}
		return "", nil
	}
	address, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	if exists(memberFile) {
		return address.Hostname(), nil
	}
	secret, err := parseToken(o.text("token"), "server")
	if err != nil {
		return "", fmt.Errorf("joining: %w", err)
	}
	there, err := dial(server, secret)
	var b bootstrap
	if err == nil {
		err = there.ask("/v1-k3s/server-bootstrap", nil, &b)
	}
	if err != nil {
		return "", fmt.Errorf("joining %s: %w", server, err)
	}
	own := critical(o)
	for name, value := range b.Critical {
		if own[name] != value {
			return "", fmt.Errorf("%s must be the same on all servers: it is %q, not %q", name, own[name], value)
		}
	}
	for name, content := range b.Files {
		mode := os.FileMode(0o644)
		if strings.HasSuffix(name, ".key") {
			mode = 0o600
		}
		if err := writeFile(tlsFolder+"/"+name, content, mode); err != nil {
			return "", err
		}
	}
	if o.text("agent-token") == "" {
		o.values["agent-token"] = []string{b.AgentToken}
	}
	return address.Hostname(), nil
}

func prepareServer(o *options, m *node) error {
	if err := makeAuthorities(); err != nil {
		return err
	}
	if err := writeTokens(o); err != nil {
		return err
	}
	own := []string{"127.0.0.1", apiServerAddress, serviceAddress, m.address, o.text("advertise-address"), m.name}
	addresses := append(own, o.words("tls-san")...)
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	err := errors.Join(
		issueTo("serving-kube-apiserver", "server-ca", subject{name: "k3s", names: names, addresses: addresses}),
		issueTo("client-kube-apiserver", "client-ca", subject{name: "system:apiserver", group: "system:masters"}),
		issueTo("client-auth-proxy", "request-header-ca", subject{name: "system:auth-proxy"}),
	)
	for name, group := range map[string]string{"admin": "system:masters", "kube-controller-manager": "", "kube-scheduler": ""} {
		err = errors.Join(err, issueTo("client-"+name, "client-ca", subject{name: "system:" + name, group: group}))
	}
	for _, name := range []string{"kube-controller-manager", "kube-scheduler"} {
		path, own := dataFolder+"/server/cred/"+name+".kubeconfig", tlsFolder+"/client-"+name
		err = errors.Join(err, writeKubeconfig(path, m.apiServer(), own, tlsFolder+"/server-ca.crt", 0o600))
	}
	return errors.Join(err, writeAdmin(o, m))
}

func contains(words []string, word string) bool {
	for _, one := range words {
		if one == word {
			return true
		}
	}
	return false
}
