package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	passwordFile = "/etc/rancher/node/password"
	agentFolder  = dataFolder + "/agent"
)

// node is this machine as a member of the cluster.
type node struct {
	options                     *options
	name, address, port, member string
	api                         *client
	podRange                    string
	routes                      map[string]string

	lock    sync.Mutex
	servers []string
}

func newNode(o *options) *node {
	name := o.text("node-name")
	if name == "" {
		name, _ = os.Hostname()
		name = strings.ToLower(strings.Split(name, ".")[0])
	}
	port := firstOf(o.text("https-listen-port"), "6443")
	_ = os.MkdirAll(logFolder, 0o755)
	address := firstOf(last(o.words("node-ip")), ownAddress(o.text("flannel-iface")))
	return &node{options: o, name: name, address: address, port: port, routes: map[string]string{}}
}

// ownAddress is the IPv4 address of the interface, or of the one that the default route takes.
func ownAddress(name string) string {
	if name == "" {
		connection, err := net.Dial("udp4", "192.0.2.1:9")
		if err != nil {
			return ""
		}
		defer connection.Close()
		return connection.LocalAddr().(*net.UDPAddr).IP.String()
	}
	device, err := net.InterfaceByName(name)
	if err != nil {
		return ""
	}
	addresses, _ := device.Addrs()
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.To4() != nil {
			return network.IP.String()
		}
	}
	return ""
}

func (m *node) serverAddresses() []string {
	m.lock.Lock()
	defer m.lock.Unlock()
	if len(m.servers) == 0 {
		return []string{m.address + ":" + m.port}
	}
	return m.servers
}

// join gets the node's certificates from a server.
func (m *node) join(ctx context.Context, base string, t token) error {
	if m.address == "" {
		return errors.New("unable to find the node's address: no such interface, or no default route")
	}
	password, err := nodePassword()
	if err != nil {
		return err
	}
	there, err := dial(base, t)
	if err != nil {
		return err
	}
	var answer nodeAnswer
	if err := there.ask("/v1-k3s/node", nodeRequest{m.name, password, m.address}, &answer); err != nil {
		return err
	}
	for name, content := range answer.Files {
		if err := writeFile(agentFolder+"/"+name, content, 0o600); err != nil {
			return err
		}
	}
	m.lock.Lock()
	m.servers = answer.Servers
	m.lock.Unlock()
	return ctx.Err()
}

func nodePassword() (string, error) {
	if content, err := os.ReadFile(passwordFile); err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	password := randomSecret()
	return password, errors.Join(os.MkdirAll("/etc/rancher", 0o755), writeFile(passwordFile, []byte(password+"\n"), 0o600))
}

// start runs the node's parts against the API server at `base` and returns when the node is registered and networked.
func (m *node) start(ctx context.Context, base string) error {
	certificate := agentFolder + "/client-k3s-controller"
	api, err := newClient(base, agentFolder+"/server-ca.crt", certificate+".crt", certificate+".key")
	if err != nil {
		return err
	}
	m.api = api
	for _, name := range []string{"kubelet", "kube-proxy"} {
		path := agentFolder + "/" + name + ".kubeconfig"
		if err := writeKubeconfig(path, base, agentFolder+"/client-"+name, agentFolder+"/server-ca.crt", 0o600); err != nil {
			return err
		}
	}
	if err := startContainerd(ctx, m.options); err != nil {
		return err
	}
	if err := m.startKubelet(); err != nil {
		return err
	}
	err = wait(ctx, 120, "the node's pod range", func() error {
		nodes, err := m.api.nodes()
		if err != nil {
			return err
		}
		if m.podRange = nodes[m.name].Spec.PodCIDR; m.podRange == "" {
			return errors.New("no pod range yet")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := writeNetwork(m.podRange); err != nil {
		return err
	}
	return m.startKubeProxy()
}

// watch keeps the node's labels and the routes to other nodes' pods right until we end or a part does.
func (m *node) watch(ctx context.Context, o *options) error {
	for {
		if err := m.refresh(o); err != nil {
			log.Printf("level=error msg=\"%v\"", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return err
		case <-time.After(time.Second):
		}
	}
}

func (m *node) refresh(o *options) error {
	nodes, err := m.api.nodes()
	if err != nil {
		return err
	}
	if own, there := nodes[m.name]; there && own.Metadata.Annotations[addressAnnotation] != m.address {
		if err := m.describe(o); err != nil {
			return err
		}
	}
	servers := []string{}
	for name, other := range nodes {
		address := other.Metadata.Annotations[addressAnnotation]
		if pods := other.Spec.PodCIDR; name != m.name && address != "" && pods != "" && m.routes[pods] != address {
			if err := command("ip", "route", "replace", pods, "via", address); err != nil {
				return err
			}
			m.routes[pods] = address
		}
		if other.Metadata.Annotations[memberAnnotation] != "" && address != "" {
			servers = append(servers, address+":"+m.port)
		}
	}
	if len(servers) > 0 {
		m.lock.Lock()
		m.servers = servers
		m.lock.Unlock()
	}
	return nil
}

// describe gives the node the labels and annotations that k3s gives it.
func (m *node) describe(o *options) error {
	given, _ := json.Marshal(append([]string{o.command}, o.given...))
	annotations := object{
		addressAnnotation: m.address, "k3s.io/hostname": m.name, "k3s.io/node-args": string(given),
		"flannel.alpha.coreos.com/backend-type": firstOf(o.text("flannel-backend"), "vxlan"),
		"flannel.alpha.coreos.com/public-ip":    m.address,
	}
	labels := object{"node.kubernetes.io/instance-type": "k3s"}
	if m.member != "" {
		labels["node-role.kubernetes.io/control-plane"], labels["node-role.kubernetes.io/etcd"] = "true", "true"
		annotations[memberAnnotation], annotations["etcd.k3s.cattle.io/node-address"] = m.member, m.address
	}
	patch := object{"metadata": object{"labels": labels, "annotations": annotations}}
	return m.api.call(http.MethodPatch, "/api/v1/nodes/"+m.name, patch, nil)
}
