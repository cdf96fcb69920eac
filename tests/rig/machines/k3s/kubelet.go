package main

import (
	"encoding/json"
	"strings"
)

// startKubelet runs the kubelet; what was asked for by kubelet-arg wins.
func (m *node) startKubelet() error {
	settings := object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "address": "0.0.0.0",
		"authentication": object{
			"x509":      object{"clientCAFile": agentFolder + "/client-ca.crt"},
			"anonymous": object{"enabled": false}, "webhook": object{"enabled": true},
		},
		"authorization":            object{"mode": "Webhook"},
		"tlsCertFile":              agentFolder + "/serving-kubelet.crt",
		"tlsPrivateKeyFile":        agentFolder + "/serving-kubelet.key",
		"containerRuntimeEndpoint": "unix://" + containerdSocket,
		"cgroupDriver":             "cgroupfs", "failCgroupV1": false, "failSwapOn": false, "oomScoreAdj": 0,
		"clusterDNS": []string{dnsAddress}, "clusterDomain": "cluster.local", "containerLogMaxSize": "64Mi",
		"imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
		"evictionHard":              object{"memory.available": "100Mi", "nodefs.available": "100Mi"},
		"nodeStatusUpdateFrequency": "5s", "serializeImagePulls": false, "registryPullQPS": 0, "eventRecordQPS": 0,
	}
	content, _ := json.Marshal(settings)
	if err := writeFile(agentFolder+"/etc/kubelet.json", content, 0o600); err != nil {
		return err
	}
	words := []string{
		"--config=" + agentFolder + "/etc/kubelet.json", "--kubeconfig=" + agentFolder + "/kubelet.kubeconfig",
		"--hostname-override=" + m.name, "--node-ip=" + m.address, "--cert-dir=" + agentFolder + "/pki",
	}
	if labels := m.options.words("node-label"); len(labels) > 0 {
		words = append(words, "--node-labels="+strings.Join(labels, ","))
	}
	if taints := m.options.words("node-taint"); len(taints) > 0 {
		words = append(words, "--register-with-taints="+strings.Join(taints, ","))
	}
	return start(parts+"/kubernetes/kubelet", append(words, flagged(m.options.list("kubelet-arg"))...)...)
}

func (m *node) startKubeProxy() error {
	settings := object{
		"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "iptables",
		"clientConnection":   object{"kubeconfig": agentFolder + "/kube-proxy.kubeconfig"},
		"clusterCIDR":        clusterRange,
		"hostnameOverride":   m.name,
		"healthzBindAddress": "0.0.0.0:10256", "metricsBindAddress": "127.0.0.1:10249",
		"iptables":  object{"minSyncPeriod": "200ms"},
		"conntrack": object{"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
	}
	content, _ := json.Marshal(settings)
	path := agentFolder + "/etc/kube-proxy.json"
	if err := writeFile(path, content, 0o600); err != nil {
		return err
	}
	words := append([]string{"--config=" + path}, flagged(m.options.list("kube-proxy-arg"))...)
	return start(parts+"/kubernetes/kube-proxy", words...)
}
