package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
)

// The files that every server of a cluster has in common.
var sharedFiles = []string{
	"server-ca.crt", "server-ca.key", "client-ca.crt", "client-ca.key", "request-header-ca.crt", "request-header-ca.key",
	"etcd/server-ca.crt", "etcd/server-ca.key", "etcd/peer-ca.crt", "etcd/peer-ca.key", "service.key",
}

// bootstrap is what a joining server gets.
type bootstrap struct {
	Files      map[string][]byte
	AgentToken string
	Critical   map[string]string
}

// nodeRequest is what a joining node says about itself, nodeAnswer what it gets: certificates and addresses of servers.
type nodeRequest struct{ Name, Password, Address string }
type nodeAnswer struct {
	Files   map[string][]byte
	Servers []string
}

func makeBootstrap(o *options) (*bootstrap, error) {
	b := &bootstrap{map[string][]byte{}, storedSecret(agentTokenFile), critical(o)}
	for _, name := range sharedFiles {
		content, err := os.ReadFile(tlsFolder + "/" + name)
		if err != nil {
			return nil, err
		}
		b.Files[name] = content
	}
	return b, nil
}

// admit gives a node its certificates; a name that is taken needs the password of the node that took it.
func admit(r *http.Request, m *node) (*nodeAnswer, error) {
	var asked nodeRequest
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return nil, err
	}
	if asked.Name == "" || asked.Password == "" {
		return nil, &statusError{http.StatusBadRequest, "a node needs a name and a password"}
	}
	if err := checkPassword(m.api, asked); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	serving := subject{name: asked.Name, names: []string{asked.Name}, addresses: []string{asked.Address, "127.0.0.1"}}
	for name, one := range map[string]struct {
		authority string
		subject   subject
	}{
		"client-kubelet":        {"client-ca", subject{name: "system:node:" + asked.Name, group: "system:nodes"}},
		"client-kube-proxy":     {"client-ca", subject{name: "system:kube-proxy"}},
		"client-k3s-controller": {"client-ca", subject{name: "system:k3s-controller", group: "system:masters"}},
		"serving-kubelet":       {"server-ca", serving},
	} {
		certificate, key, err := issue(one.authority, one.subject)
		if err != nil {
			return nil, err
		}
		files[name+".crt"], files[name+".key"] = certificate, key
	}
	for _, name := range []string{"client-ca.crt", "server-ca.crt"} {
		files[name], _ = os.ReadFile(tlsFolder + "/" + name)
	}
	return &nodeAnswer{files, m.serverAddresses()}, nil
}

func checkPassword(api *client, asked nodeRequest) error {
	path := "/api/v1/namespaces/kube-system/secrets/" + asked.Name + ".node-password.k3s"
	digest := base64.StdEncoding.EncodeToString([]byte(digestOf([]byte(asked.Name + asked.Password))))
	var secret struct {
		Data map[string]string `json:"data"`
	}
	err := api.call(http.MethodGet, path, nil, &secret)
	if isMissing(err) {
		created := object{
			"apiVersion": "v1", "kind": "Secret",
			"metadata": object{"name": asked.Name + ".node-password.k3s"}, "data": object{"hash": digest},
		}
		return api.call(http.MethodPost, "/api/v1/namespaces/kube-system/secrets", created, nil)
	}
	if err == nil && secret.Data["hash"] != digest {
		return &statusError{http.StatusForbidden, "another node has this name: " + passwordFile + " is not the one that took it"}
	}
	return err
}
