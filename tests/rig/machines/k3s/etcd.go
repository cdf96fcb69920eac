package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	etcdFolder = dataFolder + "/server/db/etcd"
	memberFile = dataFolder + "/server/db/member"
	knownFile  = dataFolder + "/server/db/nodes"
)

// member is one of etcd's.
type member struct {
	ID         string   `json:"ID"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
	IsLearner  bool     `json:"isLearner"`
}

func etcdClient(address string) (*client, error) {
	own := tlsFolder + "/etcd/client"
	return newClient("https://"+address+":2379", tlsFolder+"/etcd/server-ca.crt", own+".crt", own+".key")
}

func (c *client) members() ([]member, error) {
	var answer struct {
		Members []member `json:"members"`
	}
	err := c.call(http.MethodPost, "/v3/cluster/member/list", object{}, &answer)
	return answer.Members, err
}

// startEtcd starts the embedded etcd: the one of before, a new cluster's, or one more member beside the server at `joined`.
func startEtcd(ctx context.Context, o *options, m *node, joined string) error {
	if err := makeEtcdCertificates(m); err != nil {
		return err
	}
	name, err := os.ReadFile(memberFile)
	isNew := err != nil
	if isNew {
		suffix := make([]byte, 4)
		_, _ = rand.Read(suffix)
		name = []byte(m.name + "-" + hex.EncodeToString(suffix))
	}
	m.member = string(name)
	peers, state := m.member+"=https://"+m.address+":2380", "new"
	if isNew && joined != "" {
		if peers, err = addMember(m, joined); err != nil {
			return err
		}
		state = "existing"
	}
	if err := writeFile(memberFile, name, 0o600); err != nil {
		return err
	}
	if err := runEtcd(o, m, peers, state); err != nil {
		return err
	}
	switch {
	case joined != "" && isNew:
		if err := wait(ctx, 60, "etcd to catch up", func() error { return promote(m, joined) }); err != nil {
			return err
		}
	case joined != "":
		_ = promote(m, joined) // it may have died before it had a vote
	}
	own, err := etcdClient("127.0.0.1")
	if err != nil {
		return err
	}
	return wait(ctx, 60, "etcd", func() error { return own.call(http.MethodGet, "/health", nil, nil) })
}

func makeEtcdCertificates(m *node) error {
	s := subject{name: "etcd", names: []string{"localhost"}, addresses: []string{"127.0.0.1", m.address}}
	return errors.Join(
		issueTo("etcd/client", "etcd/server-ca", s),
		issueTo("etcd/server-client", "etcd/server-ca", s),
		issueTo("etcd/peer-server-client", "etcd/peer-ca", s),
	)
}

func runEtcd(o *options, m *node, peers, state string) error {
	metrics := "http://127.0.0.1:2381"
	if o.yes("etcd-expose-metrics") {
		metrics += ",http://" + m.address + ":2381"
	}
	pki := tlsFolder + "/etcd/"
	words := []string{
		"--name=" + m.member, "--data-dir=" + etcdFolder, "--initial-cluster=" + peers, "--initial-cluster-state=" + state,
		"--listen-client-urls=https://127.0.0.1:2379,https://" + m.address + ":2379",
		"--advertise-client-urls=https://" + m.address + ":2379",
		"--listen-peer-urls=https://127.0.0.1:2380,https://" + m.address + ":2380",
		"--initial-advertise-peer-urls=https://" + m.address + ":2380", "--listen-metrics-urls=" + metrics,
		"--client-cert-auth", "--trusted-ca-file=" + pki + "server-ca.crt",
		"--cert-file=" + pki + "server-client.crt", "--key-file=" + pki + "server-client.key",
		"--peer-client-cert-auth", "--peer-trusted-ca-file=" + pki + "peer-ca.crt",
		"--peer-cert-file=" + pki + "peer-server-client.crt", "--peer-key-file=" + pki + "peer-server-client.key",
		"--logger=zap", "--log-level=warn", "--unsafe-no-fsync",
	}
	return start(parts+"/etcd/etcd", append(words, flagged(o.list("etcd-arg"))...)...)
}

// addMember adds a learner, which has no vote yet: a server that dies while it joins breaks nothing.
func addMember(m *node, joined string) (string, error) {
	server, err := etcdClient(joined)
	if err != nil {
		return "", err
	}
	members, err := server.members()
	if err != nil {
		return "", fmt.Errorf("etcd of %s: %w", joined, err)
	}
	own := "https://" + m.address + ":2380"
	peers := []string{m.member + "=" + own}
	for _, other := range members {
		if other.PeerURLs[0] == own {
			return "", fmt.Errorf("etcd has a member at %s already", own)
		}
		if other.Name != "" {
			peers = append(peers, other.Name+"="+other.PeerURLs[0])
		}
	}
	err = server.call(http.MethodPost, "/v3/cluster/member/add", object{"peerURLs": []string{own}, "isLearner": true}, nil)
	return strings.Join(peers, ","), err
}

func promote(m *node, joined string) error {
	server, err := etcdClient(joined)
	if err != nil {
		return err
	}
	members, err := server.members()
	if err != nil {
		return err
	}
	for _, one := range members {
		if one.PeerURLs[0] == "https://"+m.address+":2380" && one.IsLearner {
			return server.call(http.MethodPost, "/v3/cluster/member/promote", object{"ID": one.ID}, nil)
		}
	}
	return nil
}

// removeMember takes the etcd member of a node that was deleted out of the cluster.
func removeMember(name string) error {
	own, err := etcdClient("127.0.0.1")
	if err != nil {
		return err
	}
	members, err := own.members()
	for _, one := range members {
		if one.Name == name {
			log.Printf("level=info msg=\"Removing name=%s id=%s from etcd\"", one.Name, one.ID)
			err = own.call(http.MethodPost, "/v3/cluster/member/remove", object{"ID": one.ID}, nil)
		}
	}
	if err != nil {
		log.Printf("level=error msg=\"Removing %s from etcd: %v\"", name, err)
	}
	return err
}

// watchMembers takes the etcd member of each node that is deleted out, and forgets the node's password.
func (m *node) watchMembers(ctx context.Context) {
	known := map[string]string{}
	if content, err := os.ReadFile(knownFile); err == nil {
		_ = json.Unmarshal(content, &known) // a node may be deleted while we start anew
	}
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
			if memberName != "" && memberName != m.member && removeMember(memberName) != nil {
				continue // the next look tries again
			}
			delete(known, name)
			_ = m.api.call(http.MethodDelete, "/api/v1/namespaces/kube-system/secrets/"+name+".node-password.k3s", nil, nil)
			log.Printf("level=info msg=\"Node %s was deleted\"", name)
		}
		for name, one := range nodes {
			known[name] = one.Metadata.Annotations[memberAnnotation]
		}
		if content, err := json.Marshal(known); err == nil {
			_ = writeFile(knownFile, content, 0o600)
		}
	}
}
