// A stand-in for k3s: what the k3s program promises to those who install it, in front of a real Kubernetes.
//
// See ../README.md for what is real and what differs.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
)

// version is set by the linker.
var version = "v0.0.0+k3s1"

const (
	parts      = "/opt/k3s-parts"
	kubeconfig = "/etc/rancher/k3s/k3s.yaml"
	usage      = "Usage: k3s --version | server | agent | kubectl | ctr [words]\n"
)

func main() {
	log.SetFlags(0)
	words := os.Args[1:]
	if name := filepath.Base(os.Args[0]); name != "k3s" {
		words = append([]string{name}, words...)
	}
	if len(words) == 0 {
		fmt.Print(usage)
		return
	}
	switch words[0] {
	case "--version", "-v":
		fmt.Printf("k3s version %s (rig00000)\ngo version %s\n", version, runtime.Version())
	case "kubectl":
		if os.Getenv("KUBECONFIG") == "" {
			os.Setenv("KUBECONFIG", kubeconfig)
		}
		become(parts+"/clients/kubectl", words[1:])
	case "ctr":
		become(parts+"/bin/ctr", append([]string{"--address=" + containerdSocket, "--namespace=k8s.io"}, words[1:]...))
	case "crictl":
		log.Fatal("crictl is not among the parts of this stand-in: use ctr")
	case "server", "agent":
		run(words[0], words[1:])
	case "help", "--help", "-h":
		fmt.Print(usage)
	default:
		fmt.Fprintf(os.Stderr, "No help topic for '%s'\n", words[0])
		os.Exit(3)
	}
}

func become(program string, arguments []string) {
	log.Fatal(syscall.Exec(program, append([]string{filepath.Base(program)}, arguments...), os.Environ()))
}

func run(command string, words []string) {
	options, err := readOptions(command, words)
	if err != nil {
		fmt.Fprintf(os.Stderr, "Incorrect Usage: %v\n\n%s", err, usage)
		log.Fatalf("level=fatal msg=\"Error: %v\"", err)
	}
	if os.Geteuid() != 0 {
		log.Fatalf("level=fatal msg=\"k3s %s must be run as root\"", command)
	}
	log.Printf("level=info msg=\"Starting k3s %s\"", version)
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	machine := newNode(options)
	if command == "server" && !options.yes("disable-apiserver") {
		err = runServer(ctx, options, machine)
	} else {
		err = runAgent(ctx, options, machine)
	}
	stopAll()
	if err != nil {
		log.Fatalf("level=fatal msg=\"Error: %v\"", err)
	}
}
