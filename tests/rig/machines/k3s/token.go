package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

const (
	tokenFile      = dataFolder + "/server/token"
	agentTokenFile = dataFolder + "/server/agent-token"
)

// token is what a node shows: K10<digest of the authority>::<user>:<password>, or the password alone.
type token struct {
	digest, user, password string
}

func parseToken(text, user string) (token, error) {
	if text == "" {
		return token{}, fmt.Errorf("token is required")
	}
	if !strings.HasPrefix(text, "K10") {
		return token{"", user, text}, nil
	}
	digest, credentials, found := strings.Cut(strings.TrimPrefix(text, "K10"), "::")
	named, password, complete := strings.Cut(credentials, ":")
	if !found || !complete || len(digest) != 64 || password == "" {
		return token{}, fmt.Errorf("invalid token format")
	}
	return token{digest, named, password}, nil
}

// writeTokens leaves the server's secrets where k3s does; a changed secret cannot open what the first one has sealed.
func writeTokens(o *options) error {
	secret, err := parseToken(firstOf(o.text("token"), randomSecret()), "server")
	if err != nil {
		return err
	}
	if known := storedSecret(tokenFile); known != "" {
		if o.text("token") != "" && secret.password != known {
			return fmt.Errorf("the token is not the one that this server's data was made with")
		}
		secret.password = known
	}
	certificate, err := os.ReadFile(tlsFolder + "/server-ca.crt")
	if err != nil {
		return err
	}
	prefix := "K10" + digestOf(certificate) + "::"
	if err := writeFile(tokenFile, []byte(prefix+"server:"+secret.password+"\n"), 0o600); err != nil {
		return err
	}
	_ = os.Remove(dataFolder + "/server/node-token")
	if err := os.Symlink(tokenFile, dataFolder+"/server/node-token"); err != nil {
		return err
	}
	agents, err := parseToken(firstOf(o.text("agent-token"), storedSecret(agentTokenFile), secret.password), "node")
	if err != nil {
		return err
	}
	return writeFile(agentTokenFile, []byte(prefix+"node:"+agents.password+"\n"), 0o600)
}

func storedSecret(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	known, err := parseToken(strings.TrimSpace(string(content)), "")
	if err != nil {
		return ""
	}
	return known.password
}

func randomSecret() string {
	secret := make([]byte, 16)
	_, _ = rand.Read(secret)
	return hex.EncodeToString(secret)
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// supervisor is a server that this node has joined or joins.
type supervisor struct {
	base  string
	token token
	http  *http.Client
}

// dial asks for the cluster's authority and holds it against the token's digest; without one it has to trust.
func dial(base string, t token) (*supervisor, error) {
	trusting := httpClient(&tls.Config{InsecureSkipVerify: true})
	response, err := trusting.Get(base + "/cacerts")
	if err != nil {
		return nil, fmt.Errorf("no answer about the cluster's authority: %w", err)
	}
	defer response.Body.Close()
	authority, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("no answer about the cluster's authority: %s", response.Status)
	}
	if found := digestOf(authority); t.digest != "" && t.digest != found {
		return nil, fmt.Errorf("the cluster's authority has the digest %s, not %s, which the token names", found, t.digest)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	return &supervisor{strings.TrimSuffix(base, "/"), t, httpClient(&tls.Config{RootCAs: roots})}, nil
}

// ask posts a question as the token's user.
func (s *supervisor) ask(path string, question, answer any) error {
	content, _ := json.Marshal(question)
	request, err := http.NewRequest(http.MethodPost, s.base+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.SetBasicAuth(s.token.user, s.token.password)
	response, err := s.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s%s: %s: %s", s.base, path, response.Status, bytes.TrimSpace(text))
	}
	return json.Unmarshal(text, answer)
}
