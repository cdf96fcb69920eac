package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sort"
	"strings"

	"sigs.k8s.io/yaml"
)

const (
	containerdSocket = "/run/k3s/containerd/containerd.sock"
	registryFile     = "/etc/rancher/k3s/registries.yaml"
	pauseImage       = "rig.local/pause:1"
	anyRegistry      = "10.144.0.1:5000" // every image comes from the tests' own registry
)

// registries is /etc/rancher/k3s/registries.yaml.
type registries struct {
	Mirrors map[string]struct {
		Endpoint []string `json:"endpoint"`
	} `json:"mirrors"`
	Configs map[string]struct {
		Auth struct {
			Username string `json:"username"`
			Password string `json:"password"`
		} `json:"auth"`
	} `json:"configs"`
}

func startContainerd(ctx context.Context, o *options) error {
	text, err := containerdConfig(firstOf(o.text("private-registry"), registryFile))
	if err != nil {
		return err
	}
	path := agentFolder + "/etc/containerd/config.toml"
	if err := writeFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return err
	}
	if err := start(parts+"/bin/containerd", "--config="+path); err != nil {
		return err
	}
	return errors.Join(
		wait(ctx, 30, "containerd", func() error {
			connection, err := net.Dial("unix", containerdSocket)
			if err == nil {
				connection.Close()
			}
			return err
		}),
		command(parts+"/bin/ctr", "--address="+containerdSocket, "--namespace=k8s.io", "images", "import", parts+"/pause.tar"),
	)
}

func containerdConfig(registryPath string) (string, error) {
	var known registries
	content, err := os.ReadFile(registryPath)
	if err == nil {
		err = yaml.Unmarshal(content, &known)
	}
	if err != nil && !os.IsNotExist(err) {
		return "", fmt.Errorf("%s: %w", registryPath, err)
	}
	hosts := agentFolder + "/etc/containerd/certs.d"
	if err := os.RemoveAll(hosts); err != nil {
		return "", err
	}
	if err := writeHosts(hosts+"/_default", []string{"http://" + anyRegistry}); err != nil {
		return "", err
	}
	for name, mirror := range known.Mirrors {
		if err := writeHosts(hosts+"/"+name, mirror.Endpoint); err != nil {
			return "", err
		}
	}
	var logins []string
	for name, config := range known.Configs {
		user, _ := json.Marshal(config.Auth.Username)
		password, _ := json.Marshal(config.Auth.Password)
		logins = append(logins, fmt.Sprintf("[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.%q.auth]\nusername = %s\npassword = %s\n", name, user, password))
	}
	sort.Strings(logins)
	return fmt.Sprintf(`version = 2
root = "%[1]s/containerd"
state = "/run/k3s/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "%[2]s"
[plugins."io.containerd.internal.v1.opt"]
path = "%[1]s/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "%[3]s"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "%[4]s/cni"
conf_dir = "%[1]s/etc/cni/net.d"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "%[5]s"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
%[6]s`, agentFolder, containerdSocket, pauseImage, parts, hosts, strings.Join(logins, "")), nil
}

func writeHosts(folder string, endpoints []string) error {
	text := ""
	for _, endpoint := range endpoints {
		text += fmt.Sprintf("[host.%q]\ncapabilities = [\"pull\", \"resolve\"]\n", endpoint)
	}
	return writeFile(folder+"/hosts.toml", []byte(text), 0o600)
}

// writeNetwork gives each pod a link of its own to this machine, which routes.
func writeNetwork(podRange string) error {
	links := object{
		"type": "ptp", "ipMasq": false, "mtu": 1500,
		"ipam": object{
			"type": "host-local", "dataDir": "/var/lib/cni/networks", "ranges": []any{[]object{{"subnet": podRange}}},
			"routes": []object{{"dst": "0.0.0.0/0"}},
		},
	}
	ports := object{"type": "portmap", "capabilities": object{"portMappings": true}}
	content, _ := json.Marshal(object{"cniVersion": "0.4.0", "name": "cbr0", "plugins": []object{links, ports}})
	return writeFile(agentFolder+"/etc/cni/net.d/10-flannel.conflist", content, 0o600)
}
