package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

var (
	starts   = make(chan func())
	lock     sync.Mutex
	children []*exec.Cmd
	stopping bool
	ended    = make(chan error, 16)
)

func init() {
	// a child gets its death signal when the thread ends that has started it: this one never does
	go func() {
		runtime.LockOSThread()
		for start := range starts {
			start()
		}
	}()
}

// start runs a part beside us; it ends with us, and its end is told on `ended`.
func start(program string, arguments ...string) error {
	cmd, err := spawn(program, arguments)
	if err == nil {
		go func() { ended <- describeEnd(program, cmd.Wait()) }()
	}
	return err
}

// keep is start for a part that ends itself when the machine was too busy for it; it gets another chance.
func keep(program string, arguments ...string) error {
	cmd, err := spawn(program, arguments)
	if err != nil {
		return err
	}
	go func() {
		for {
			started := time.Now()
			err := cmd.Wait()
			if time.Since(started) > 10*time.Second {
				cmd, err = spawn(program, arguments)
			}
			if err != nil || time.Since(started) <= 10*time.Second {
				ended <- describeEnd(program, err)
				return
			}
		}
	}()
	return nil
}

func describeEnd(program string, err error) error {
	name := filepath.Base(program)
	return fmt.Errorf("%s exited: %v%s", name, err, lastLines(logFolder+"/"+name+".log"))
}

func spawn(program string, arguments []string) (*exec.Cmd, error) {
	name := filepath.Base(program)
	file, err := os.OpenFile(logFolder+"/"+name+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd := exec.Command(program, arguments...)
	cmd.Stdout, cmd.Stderr = file, file
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET=", "KUBERNETES_VERSION="+version, "PATH="+parts+"/bin:"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	done := make(chan error)
	starts <- func() { done <- cmd.Start() }
	if err := <-done; err != nil {
		return nil, err
	}
	lock.Lock()
	defer lock.Unlock()
	if stopping {
		_ = cmd.Process.Kill()
	}
	children = append(children, cmd)
	log.Printf("level=info msg=\"Running %s\"", name)
	return cmd, nil
}

// stopAll ends the parts in the order that lets each say goodbye to the next: the last started first.
func stopAll() {
	lock.Lock()
	defer lock.Unlock()
	stopping = true
	for i := len(children) - 1; i >= 0; i-- {
		child := children[i]
		_ = child.Process.Signal(syscall.SIGTERM)
		for wait := 0; wait < 30 && child.Process.Signal(syscall.Signal(0)) == nil; wait++ {
			time.Sleep(50 * time.Millisecond)
		}
		_ = child.Process.Kill()
	}
}

func lastLines(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	if len(content) > 1500 {
		content = content[len(content)-1500:]
	}
	return "\n" + string(content)
}

// command runs a program to its end.
func command(program string, arguments ...string) error {
	output, err := exec.Command(program, arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %v: %s", filepath.Base(program), err, output)
	}
	return nil
}

// notify tells systemd that a Type=notify service is ready.
func notify() {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	socket, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	if err == nil {
		err = syscall.Sendto(socket, []byte("READY=1"), 0, &syscall.SockaddrUnix{Name: path})
		syscall.Close(socket)
	}
	log.Printf("level=info msg=\"Notifying systemd that k3s is up and running\" error=%v", err)
}

// wait asks until there is no error, and returns the last one after some seconds.
func wait(ctx context.Context, seconds int, what string, ask func() error) error {
	var err error
	for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end); {
		if err = ask(); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case gone := <-ended:
			return gone
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("waited %d s for %s: %w", seconds, what, err)
}

// flagged makes program flags of `name=value` words.
func flagged(values []string) []string {
	flags := []string{}
	for _, value := range values {
		flags = append(flags, "--"+value)
	}
	return flags
}
