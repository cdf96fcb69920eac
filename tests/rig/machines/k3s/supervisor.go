package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
)

// serveSupervisor answers on k3s' one port: nodes that join, and in front of the API server everybody else.
func serveSupervisor(o *options, m *node) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/ping", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "pong") })
	mux.HandleFunc("/cacerts", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, tlsFolder+"/server-ca.crt") })
	mux.HandleFunc("/v1-k3s/server-bootstrap", allowed("server", func(_ *http.Request) (any, error) { return makeBootstrap(o) }))
	mux.HandleFunc("/v1-k3s/node", allowed("node", func(r *http.Request) (any, error) { return admit(r, m) }))
	mux.HandleFunc("/v1-k3s/servers", allowed("node", func(*http.Request) (any, error) { return m.serverAddresses(), nil }))
	proxy, err := apiProxy(m)
	if err != nil {
		return err
	}
	mux.Handle("/", proxy)
	clients := x509.NewCertPool()
	content, err := os.ReadFile(tlsFolder + "/client-ca.crt")
	if err != nil {
		return err
	}
	clients.AppendCertsFromPEM(content)
	pair, err := tls.LoadX509KeyPair(tlsFolder+"/serving-kube-apiserver.crt", tlsFolder+"/serving-kube-apiserver.key")
	if err != nil {
		return err
	}
	settings := &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clients, Certificates: []tls.Certificate{pair}}
	server := &http.Server{Handler: mux, ErrorLog: log.New(io.Discard, "", 0)}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	for _, address := range addresses {
		network, ok := address.(*net.IPNet)
		if !ok || network.IP.To4() == nil {
			continue
		}
		listener, err := tls.Listen("tcp", network.IP.String()+":"+m.port, settings)
		if err != nil {
			return err
		}
		go func() { ended <- server.Serve(listener) }()
	}
	return nil
}

// apiProxy passes requests on to the API server, which believes it when it says who asks.
func apiProxy(m *node) (http.Handler, error) {
	pair, err := tls.LoadX509KeyPair(tlsFolder+"/client-auth-proxy.crt", tlsFolder+"/client-auth-proxy.key")
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	content, err := os.ReadFile(tlsFolder + "/server-ca.crt")
	if err != nil {
		return nil, err
	}
	roots.AppendCertsFromPEM(content)
	target := &url.URL{Scheme: "https", Host: apiServerAddress + ":" + m.port}
	return &httputil.ReverseProxy{
		FlushInterval: -1,
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}},
			MaxIdleConnsPerHost: 100,
		},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			for name := range r.Out.Header {
				if strings.HasPrefix(name, "X-Remote-") {
					r.Out.Header.Del(name)
				}
			}
			if state := r.In.TLS; state != nil && len(state.PeerCertificates) > 0 {
				who := state.PeerCertificates[0].Subject
				r.Out.Header.Set("X-Remote-User", who.CommonName)
				r.Out.Header["X-Remote-Group"] = who.Organization
			}
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "apiserver not ready", http.StatusServiceUnavailable)
		},
	}, nil
}

// allowed answers those who know the secret of this role or, for nodes, the servers' secret.
func allowed(role string, answer func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		isServer := user == "server" && password == storedSecret(tokenFile)
		isNode := role == "node" && user == "node" && password == storedSecret(agentTokenFile)
		if password == "" || !isServer && !isNode {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		body, err := answer(r)
		if status, ok := err.(*statusError); ok {
			http.Error(w, status.text, status.code)
		} else if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		} else {
			_ = json.NewEncoder(w).Encode(body)
		}
	}
}
