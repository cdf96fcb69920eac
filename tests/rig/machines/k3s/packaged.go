package main

import "net/http"

// The packaged components of k3s of which a cluster shows whether they were disabled.
var packaged = map[string]string{"traefik": "traefik", "local-storage": "local-path-provisioner"}

// writePackaged leaves a manifest and a deployment of each component that is not disabled on this server.
func writePackaged(o *options, m *node) error {
	for name, deployment := range packaged {
		if contains(o.words("disable"), name) {
			continue
		}
		labels := object{"app": deployment}
		template := object{"metadata": object{"labels": labels}, "spec": object{
			"tolerations": []object{{"operator": "Exists"}},
			"containers":  []object{{"name": deployment, "image": pauseImage, "imagePullPolicy": "Never"}},
		}}
		created := object{
			"apiVersion": "apps/v1", "kind": "Deployment", "metadata": object{"name": deployment},
			"spec": object{"selector": object{"matchLabels": labels}, "template": template},
		}
		err := m.api.call(http.MethodPost, "/apis/apps/v1/namespaces/kube-system/deployments", created, nil)
		if status, ok := err.(*statusError); err != nil && (!ok || status.code != http.StatusConflict) {
			return err
		}
		if err := writeFile(dataFolder+"/server/manifests/"+name+".yaml", []byte("# packaged component\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}
