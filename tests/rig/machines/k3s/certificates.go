package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	dataFolder = "/var/lib/rancher/k3s"
	tlsFolder  = dataFolder + "/server/tls"
	logFolder  = dataFolder + "/agent/log"
)

var authorities = []string{"server-ca", "client-ca", "request-header-ca", "etcd/server-ca", "etcd/peer-ca"}

// subject says whom a certificate is for.
type subject struct {
	name, group string
	names       []string
	addresses   []string
}

// makeAuthorities makes the cluster's certificate authorities and the key of its service accounts.
func makeAuthorities() error {
	for _, name := range authorities {
		if err := makeAuthority(name); err != nil {
			return err
		}
	}
	path := tlsFolder + "/service.key"
	if exists(path) {
		return nil
	}
	_, encoded, err := newKey()
	if err != nil {
		return err
	}
	return writeFile(path, encoded, 0o600)
}

func makeAuthority(name string) error {
	path := tlsFolder + "/" + name
	if exists(path + ".crt") {
		return nil
	}
	key, encoded, err := newKey()
	if err != nil {
		return err
	}
	template := newTemplate("k3s-" + filepath.Base(name) + "@" + time.Now().Format("1504050102"))
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	return errors.Join(
		writeFile(path+".key", encoded, 0o600),
		writeFile(path+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o644),
	)
}

// issue returns a certificate, with its authority's behind it, and its key.
func issue(authority string, s subject) (certificate, key []byte, err error) {
	parent, parentKey, chain, err := readAuthority(authority)
	if err != nil {
		return nil, nil, err
	}
	own, encoded, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	template := newTemplate(s.name)
	if s.group != "" {
		template.Subject.Organization = []string{s.group}
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	template.DNSNames = s.names
	for _, address := range s.addresses {
		if ip := net.ParseIP(address); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if address != "" {
			template.DNSNames = append(template.DNSNames, address)
		}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, own.Public(), parentKey)
	if err != nil {
		return nil, nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), chain...), encoded, nil
}

// issueTo writes a certificate and key below the server's folder.
func issueTo(name, authority string, s subject) error {
	certificate, key, err := issue(authority, s)
	if err != nil {
		return err
	}
	path := tlsFolder + "/" + name
	return errors.Join(writeFile(path+".crt", certificate, 0o644), writeFile(path+".key", key, 0o600))
}

func readAuthority(name string) (*x509.Certificate, crypto.Signer, []byte, error) {
	chain, err := os.ReadFile(tlsFolder + "/" + name + ".crt")
	if err != nil {
		return nil, nil, nil, err
	}
	encoded, err := os.ReadFile(tlsFolder + "/" + name + ".key")
	if err != nil {
		return nil, nil, nil, err
	}
	block, _ := pem.Decode(chain)
	keyBlock, _ := pem.Decode(encoded)
	if block == nil || keyBlock == nil {
		return nil, nil, nil, errors.New(name + " is not PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, nil, err
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	return certificate, key, chain, err
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	raw, err := x509.MarshalECPrivateKey(key)
	return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), err
}

func newTemplate(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// writeFile writes a file and the folders above it; the mode counts whatever the umask is.
func writeFile(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}
