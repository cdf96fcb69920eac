package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"time"
)

const balancer = "127.0.0.1:6444"

// runAgent joins as a worker; whatever hinders it, it tries on, as k3s does.
func runAgent(ctx context.Context, o *options, m *node) error {
	server := o.text("server")
	if server == "" {
		return errors.New("--server is required")
	}
	user := "node"
	if o.command == "server" {
		user = "server"
	}
	t, err := parseToken(o.text("token"), user)
	if err != nil {
		return err
	}
	for {
		if err = m.join(ctx, server, t); err == nil {
			break
		}
		log.Printf("level=error msg=\"Failed to validate connection to cluster at %s: %v\"", server, err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Second):
		}
	}
	if err := m.balance(); err != nil {
		return err
	}
	if err := m.start(ctx, "https://"+balancer); err != nil {
		return err
	}
	notify()
	return m.watch(ctx, o)
}

// balance passes connections on to the first server that answers.
func (m *node) balance() error {
	listener, err := net.Listen("tcp", balancer)
	if err != nil {
		return err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				ended <- err
				return
			}
			go m.pass(connection)
		}
	}()
	return nil
}

func (m *node) pass(from net.Conn) {
	defer from.Close()
	for _, address := range m.serverAddresses() {
		to, err := net.DialTimeout("tcp", address, 3*time.Second)
		if err != nil {
			continue
		}
		go func() {
			_, _ = io.Copy(to, from)
			to.Close()
		}()
		_, _ = io.Copy(from, to)
		to.Close()
		return
	}
}
