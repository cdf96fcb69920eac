package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"sigs.k8s.io/yaml"
)

// The flags that k3s 1.34 documents: b takes no value, s one, l can be repeated.
const (
	agentFlags = "b:debug,s:v,s:vmodule,s:log,b:alsologtostderr,s:config,s:token,s:token-file,s:server,s:data-dir," +
		"s:node-name,b:with-node-id,l:node-label,l:node-taint,s:image-credential-provider-bin-dir," +
		"s:image-credential-provider-config,b:docker,s:container-runtime-endpoint,s:default-runtime," +
		"s:image-service-endpoint,s:pause-image,s:snapshotter,s:private-registry,b:disable-default-registry-endpoint," +
		"b:nonroot-devices,l:node-ip,s:bind-address,l:node-external-ip,l:node-internal-dns,l:node-external-dns," +
		"s:resolv-conf,s:flannel-iface,s:flannel-conf,s:flannel-cni-conf,s:vpn-auth,s:vpn-auth-file,l:kubelet-arg," +
		"l:kube-proxy-arg,b:protect-kernel-defaults,b:enable-pprof,b:rootless,b:prefer-bundled-bin,b:selinux," +
		"s:lb-server-port"
	onlyAgentFlags  = "b:disable-apiserver-lb"
	onlyServerFlags = "s:https-listen-port,s:advertise-address,s:advertise-port,l:tls-san,b:tls-san-security,l:cluster-cidr," +
		"l:service-cidr,s:service-node-port-range,l:cluster-dns,s:cluster-domain,s:flannel-backend,b:flannel-ipv6-masq," +
		"b:flannel-external-ip,s:egress-selector-mode,s:servicelb-namespace,s:write-kubeconfig,s:write-kubeconfig-mode," +
		"s:write-kubeconfig-group,s:helm-job-image,s:agent-token,s:agent-token-file,b:cluster-init,b:cluster-reset," +
		"s:cluster-reset-restore-path,l:kube-apiserver-arg,l:etcd-arg,l:kube-controller-manager-arg,l:kube-scheduler-arg," +
		"l:kube-cloud-controller-manager-arg,b:kine-tls,s:datastore-endpoint,s:datastore-cafile,s:datastore-certfile," +
		"s:datastore-keyfile,b:etcd-expose-metrics,b:etcd-disable-snapshots,s:etcd-snapshot-name," +
		"s:etcd-snapshot-schedule-cron,s:etcd-snapshot-retention,s:etcd-snapshot-dir,b:etcd-snapshot-compress," +
		"s:default-local-storage-path,l:disable,b:disable-scheduler,b:disable-cloud-controller,b:disable-kube-proxy," +
		"b:disable-network-policy,b:disable-helm-controller,b:disable-apiserver,b:disable-controller-manager," +
		"b:disable-etcd,b:embedded-registry,b:supervisor-metrics,s:system-default-registry,b:secrets-encryption," +
		"s:secrets-encryption-provider"
)

var (
	shortNames  = map[string]string{"c": "config", "t": "token", "s": "server", "d": "data-dir", "o": "write-kubeconfig", "i": "node-ip"}
	environment = map[string]string{
		"K3S_URL": "server", "K3S_TOKEN": "token", "K3S_TOKEN_FILE": "token-file", "K3S_AGENT_TOKEN": "agent-token",
		"K3S_AGENT_TOKEN_FILE": "agent-token-file", "K3S_NODE_NAME": "node-name", "K3S_KUBECONFIG_MODE": "write-kubeconfig-mode",
		"K3S_KUBECONFIG_GROUP": "write-kubeconfig-group", "K3S_KUBECONFIG_OUTPUT": "write-kubeconfig", "K3S_CLUSTER_INIT": "cluster-init",
		"K3S_DATA_DIR": "data-dir",
	}
	secretNames = map[string]bool{"token": true, "agent-token": true}
)

// options are the values of each flag that was given, the strongest source only: command line, file, environment.
type options struct {
	command string
	values  map[string][]string
	given   []string
}

func readOptions(command string, words []string) (*options, error) {
	flags := knownFlags(command)
	typed, given, err := parse(flags, words)
	if err != nil {
		return nil, err
	}
	o := &options{command: command, values: map[string][]string{}, given: given}
	for variable, name := range environment {
		if value := os.Getenv(variable); value != "" && flags[name] != "" {
			o.values[name] = []string{value}
		}
	}
	file := firstOf(last(typed["config"]), os.Getenv("K3S_CONFIG_FILE"), "/etc/rancher/k3s/config.yaml")
	if err := o.readFiles(file, flags); err != nil {
		return nil, err
	}
	for name, values := range typed {
		o.values[name] = values
	}
	if path := o.text("token-file"); path != "" && o.text("token") == "" {
		err = o.secretFrom(path, "token")
	}
	if path := o.text("agent-token-file"); err == nil && path != "" {
		err = o.secretFrom(path, "agent-token")
	}
	return o, err
}

func knownFlags(command string) map[string]string {
	list := agentFlags + "," + onlyServerFlags
	if command == "agent" {
		list = agentFlags + "," + onlyAgentFlags
	}
	flags := map[string]string{}
	for _, entry := range strings.Split(list, ",") {
		flags[entry[2:]] = entry[:1]
	}
	return flags
}

func parse(flags map[string]string, words []string) (values map[string][]string, given []string, err error) {
	values = map[string][]string{}
	for i := 0; i < len(words); i++ {
		if !strings.HasPrefix(words[i], "-") {
			return nil, nil, fmt.Errorf("unexpected argument %q", words[i])
		}
		name, value, hasValue := strings.Cut(strings.TrimLeft(words[i], "-"), "=")
		if long := shortNames[name]; long != "" {
			name = long
		}
		switch kind := flags[name]; {
		case kind == "":
			return nil, nil, fmt.Errorf("flag provided but not defined: -%s", name)
		case kind == "b" && !hasValue:
			value = "true"
		case kind != "b" && !hasValue:
			if i++; i == len(words) {
				return nil, nil, fmt.Errorf("flag needs an argument: -%s", name)
			}
			value = words[i]
		}
		values[name] = append(values[name], value)
		given = append(given, "--"+name, masked(name, value))
	}
	return values, given, nil
}

// readFiles takes config.yaml and then config.yaml.d in the order of names; a name with + adds to a list.
func (o *options) readFiles(file string, flags map[string]string) error {
	more, _ := filepath.Glob(file + ".d/*.y*ml")
	sort.Strings(more)
	for _, path := range append([]string{file}, more...) {
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		var document map[string]any
		if err == nil {
			err = yaml.Unmarshal(content, &document)
		}
		if err != nil {
			return fmt.Errorf("%s: %v", path, err)
		}
		for name, value := range document {
			if err := o.take(flags, name, value); err != nil {
				return fmt.Errorf("%s: %v", path, err)
			}
		}
	}
	return nil
}

func (o *options) take(flags map[string]string, key string, value any) error {
	name := strings.TrimSuffix(key, "+")
	if flags[name] == "" {
		return fmt.Errorf("flag provided but not defined: -%s", name)
	}
	var values []string
	if list, ok := value.([]any); ok {
		for _, item := range list {
			values = append(values, fmt.Sprint(item))
		}
	} else {
		values = []string{fmt.Sprint(value)}
	}
	if key != name {
		values = append(o.values[name], values...)
	}
	o.values[name] = values
	for _, one := range values {
		o.given = append(o.given, "--"+name, masked(name, one))
	}
	return nil
}

func (o *options) secretFrom(path, name string) error {
	content, err := os.ReadFile(path)
	if err == nil {
		o.values[name] = []string{strings.TrimSpace(string(content))}
	}
	return err
}

func (o *options) text(name string) string   { return last(o.values[name]) }
func (o *options) yes(name string) bool      { return o.text(name) == "true" }
func (o *options) list(name string) []string { return o.values[name] }

// words are the comma separated words of a repeatable flag.
func (o *options) words(name string) []string {
	var words []string
	for _, value := range o.values[name] {
		words = append(words, strings.Split(value, ",")...)
	}
	return words
}

func masked(name, value string) string {
	if secretNames[name] {
		return "********"
	}
	return value
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
