package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// client talks JSON to a server with certificates of the cluster.
type client struct {
	base string
	http *http.Client
}

type object = map[string]any

func newClient(base, authority, certificate, key string) (*client, error) {
	roots := x509.NewCertPool()
	content, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots.AppendCertsFromPEM(content)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	settings := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}
	return &client{base, httpClient(settings)}, nil
}

func httpClient(settings *tls.Config) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: settings}}
}

// call sends a request and reads the answer into `answer`, unless that is nil.
func (c *client) call(method, path string, body any, answer any) error {
	content := []byte(nil)
	if body != nil {
		content, _ = json.Marshal(body)
	}
	request, err := http.NewRequest(method, c.base+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return &statusError{response.StatusCode, fmt.Sprintf("%s %s: %d %.300s", method, path, response.StatusCode, text)}
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string { return e.text }

func isMissing(err error) bool {
	status, ok := err.(*statusError)
	return ok && status.code == http.StatusNotFound
}

// kubeNode is what we need of a Node.
type kubeNode struct {
	Metadata struct {
		Name        string            `json:"name"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		PodCIDR string `json:"podCIDR"`
	} `json:"spec"`
}

const (
	addressAnnotation = "k3s.io/internal-ip"
	memberAnnotation  = "etcd.k3s.cattle.io/node-name"
)

func (c *client) nodes() (map[string]kubeNode, error) {
	var list struct {
		Items []kubeNode `json:"items"`
	}
	if err := c.call(http.MethodGet, "/api/v1/nodes", nil, &list); err != nil {
		return nil, err
	}
	nodes := map[string]kubeNode{}
	for _, item := range list.Items {
		nodes[item.Metadata.Name] = item
	}
	return nodes, nil
}
