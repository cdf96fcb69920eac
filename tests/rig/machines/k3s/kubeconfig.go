package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// writeAdmin leaves the administrator's kubeconfig, with the mode and group that were asked for.
func writeAdmin(o *options, m *node) error {
	path := firstOf(o.text("write-kubeconfig"), kubeconfig)
	mode, err := strconv.ParseUint(firstOf(o.text("write-kubeconfig-mode"), "600"), 8, 32)
	if err != nil {
		return fmt.Errorf("write-kubeconfig-mode: %w", err)
	}
	own, authority := tlsFolder+"/client-admin", tlsFolder+"/server-ca.crt"
	err = writeKubeconfig(path, "https://127.0.0.1:"+m.port, own, authority, os.FileMode(mode))
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
