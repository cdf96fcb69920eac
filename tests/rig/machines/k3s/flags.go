package main

import "strings"

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
