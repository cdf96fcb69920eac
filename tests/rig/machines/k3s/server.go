package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"
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
		return "", fmt.Errorf("starting kubernetes: preparing server: %w", err)
	}
	there, err := dial(server, secret)
	var b bootstrap
	if err == nil {
		err = there.ask("/v1-k3s/server-bootstrap", nil, &b)
	}
	if err != nil {
		return "", fmt.Errorf("starting kubernetes: preparing server: failed to validate server configuration: %w", err)
	}
	own := critical(o)
	for name, value := range b.Critical {
		if own[name] != value {
			return "", fmt.Errorf("starting kubernetes: preparing server: failed to validate server configuration: critical configuration value mismatch between servers: %s is %q, not %q", name, own[name], value)
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
	addresses := append([]string{"127.0.0.1", apiServerAddress, serviceAddress, m.address, o.text("advertise-address"), m.name}, o.words("tls-san")...)
	names := []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost"}
	err := errors.Join(
		issueTo("serving-kube-apiserver", "server-ca", subject{name: "k3s", names: names, addresses: addresses}),
		issueTo("client-kube-apiserver", "client-ca", subject{name: "system:apiserver", group: "system:masters"}),
		issueTo("client-auth-proxy", "request-header-ca", subject{name: "system:auth-proxy"}),
	)
	for name, group := range map[string]string{"admin": "system:masters", "kube-controller-manager": "", "kube-scheduler": ""} {
		err = errors.Join(err, issueTo("client-"+name, "client-ca", subject{name: "system:" + name, group: group}))
	}
	for _, name := range []string{"kube-controller-manager", "kube-scheduler"} {
		path := dataFolder + "/server/cred/" + name + ".kubeconfig"
		err = errors.Join(err, writeKubeconfig(path, "https://"+apiServerAddress+":"+m.port, tlsFolder+"/client-"+name, tlsFolder+"/server-ca.crt", 0o600))
	}
	return errors.Join(err, writeAdmin(o, m))
}

// writeAdmin leaves the administrator's kubeconfig, with the mode and group that were asked for.
func writeAdmin(o *options, m *node) error {
	path := firstOf(o.text("write-kubeconfig"), kubeconfig)
	mode, err := strconv.ParseUint(firstOf(o.text("write-kubeconfig-mode"), "600"), 8, 32)
	if err != nil {
		return fmt.Errorf("write-kubeconfig-mode: %w", err)
	}
	err = writeKubeconfig(path, "https://127.0.0.1:"+m.port, tlsFolder+"/client-admin", tlsFolder+"/server-ca.crt", os.FileMode(mode))
	if name := o.text("write-kubeconfig-group"); err == nil && name != "" {
		group, lookup := user.LookupGroup(name)
		if lookup != nil {
			return lookup
		}
		id, _ := strconv.Atoi(group.Gid)
		return os.Chown(path, 0, id)
	}
	return err
}

func writeKubeconfig(path, server, certificate, authority string, mode os.FileMode) error {
	encoded := map[string]string{}
	for name, file := range map[string]string{"ca": authority, "crt": certificate + ".crt", "key": certificate + ".key"} {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		encoded[name] = base64.StdEncoding.EncodeToString(content)
	}
	text := fmt.Sprintf(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: %s
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {}
users:
- name: default
  user:
    client-certificate-data: %s
    client-key-data: %s
`, encoded["ca"], server, encoded["crt"], encoded["key"])
	if err := writeFile(path, []byte(text), mode); err != nil {
		return err
	}
	if strings.HasPrefix(path, "/etc/rancher/") {
		return os.Chmod("/etc/rancher/k3s", 0o755)
	}
	return nil
}

func startControlPlane(ctx context.Context, o *options, m *node) error {
	words := []string{
		"--advertise-address=" + firstOf(o.text("advertise-address"), m.address), "--bind-address=" + apiServerAddress, "--secure-port=" + m.port,
		"--etcd-servers=https://127.0.0.1:2379", "--etcd-cafile=" + tlsFolder + "/etcd/server-ca.crt",
		"--etcd-certfile=" + tlsFolder + "/etcd/client.crt", "--etcd-keyfile=" + tlsFolder + "/etcd/client.key",
		"--client-ca-file=" + tlsFolder + "/client-ca.crt", "--tls-cert-file=" + tlsFolder + "/serving-kube-apiserver.crt",
		"--tls-private-key-file=" + tlsFolder + "/serving-kube-apiserver.key", "--kubelet-certificate-authority=" + tlsFolder + "/server-ca.crt",
		"--kubelet-client-certificate=" + tlsFolder + "/client-kube-apiserver.crt", "--kubelet-client-key=" + tlsFolder + "/client-kube-apiserver.key",
		"--kubelet-preferred-address-types=InternalIP", "--requestheader-client-ca-file=" + tlsFolder + "/request-header-ca.crt",
		"--requestheader-allowed-names=system:auth-proxy", "--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + tlsFolder + "/client-auth-proxy.crt", "--proxy-client-key-file=" + tlsFolder + "/client-auth-proxy.key",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--service-account-key-file=" + tlsFolder + "/service.key",
		"--service-account-signing-key-file=" + tlsFolder + "/service.key", "--service-cluster-ip-range=" + serviceRange,
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--anonymous-auth=false", "--allow-privileged",
		"--enable-bootstrap-token-auth",
	}
	if err := start(parts+"/kubernetes/kube-apiserver", append(words, flagged(o.list("kube-apiserver-arg"))...)...); err != nil {
		return err
	}
	api, err := newClient("https://"+apiServerAddress+":"+m.port, tlsFolder+"/server-ca.crt", tlsFolder+"/client-admin.crt", tlsFolder+"/client-admin.key")
	if err != nil {
		return err
	}
	m.api = api
	err = wait(ctx, 120, "the API server", func() error { return api.call(http.MethodGet, "/readyz", nil, nil) })
	if err != nil {
		return err
	}
	if !o.yes("disable-controller-manager") {
		words = []string{
			"--kubeconfig=" + dataFolder + "/server/cred/kube-controller-manager.kubeconfig", "--bind-address=127.0.0.1",
			"--cluster-cidr=" + clusterRange, "--allocate-node-cidrs", "--cluster-signing-cert-file=" + tlsFolder + "/client-ca.crt",
			"--cluster-signing-key-file=" + tlsFolder + "/client-ca.key", "--root-ca-file=" + tlsFolder + "/server-ca.crt",
			"--service-account-private-key-file=" + tlsFolder + "/service.key", "--use-service-account-credentials",
			"--enable-hostpath-provisioner", "--leader-elect-lease-duration=6s", "--leader-elect-renew-deadline=4s", "--leader-elect-retry-period=1s",
		}
		if err := start(parts+"/kubernetes/kube-controller-manager", append(words, flagged(o.list("kube-controller-manager-arg"))...)...); err != nil {
			return err
		}
	}
	if o.yes("disable-scheduler") {
		return nil
	}
	words = []string{
		"--kubeconfig=" + dataFolder + "/server/cred/kube-scheduler.kubeconfig", "--bind-address=127.0.0.1",
		"--leader-elect-lease-duration=6s", "--leader-elect-renew-deadline=4s", "--leader-elect-retry-period=1s",
	}
	return start(parts+"/kubernetes/kube-scheduler", append(words, flagged(o.list("kube-scheduler-arg"))...)...)
}

// watchMembers takes the etcd member of each node that is deleted out, and forgets the node's password.
func (m *node) watchMembers(ctx context.Context) {
	known := map[string]string{}
	for ctx.Err() == nil {
		time.Sleep(time.Second)
		nodes, err := m.api.nodes()
		if err != nil {
			continue
		}
		for name, memberName := range known {
			if _, there := nodes[name]; there {
				continue
			}
			delete(known, name)
			if memberName != "" && memberName != m.member {
				removeMember(memberName)
			}
			_ = m.api.call(http.MethodDelete, "/api/v1/namespaces/kube-system/secrets/"+name+".node-password.k3s", nil, nil)
			log.Printf("level=info msg=\"Node %s was deleted\"", name)
		}
		for name, one := range nodes {
			known[name] = one.Metadata.Annotations[memberAnnotation]
		}
	}
}

func contains(words []string, word string) bool {
	for _, one := range words {
		if one == word {
			return true
		}
	}
	return false
}
