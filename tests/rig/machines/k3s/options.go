package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"sigs.k8s.io/yaml"
)

// options are the values of each flag that was given, the strongest source only: command line, file, environment.
type options struct {
	command string
	values  map[string][]string
	given   []string
}

func readOptions(command string, words []string) (*options, error) {
	flags := knownFlags(command)
	typed, given, err := parse(flags, words)
	if err != nil {
		return nil, err
	}
	o := &options{command: command, values: map[string][]string{}, given: given}
	for variable, name := range environment {
		if value := os.Getenv(variable); value != "" && flags[name] != "" {
			o.values[name] = []string{value}
		}
	}
	file := firstOf(last(typed["config"]), os.Getenv("K3S_CONFIG_FILE"), "/etc/rancher/k3s/config.yaml")
	if err := o.readFiles(file, flags); err != nil {
		return nil, err
	}
	for name, values := range typed {
		o.values[name] = values
	}
	if path := o.text("token-file"); path != "" && o.text("token") == "" {
		err = o.secretFrom(path, "token")
	}
	if path := o.text("agent-token-file"); err == nil && path != "" {
		err = o.secretFrom(path, "agent-token")
	}
	return o, err
}

func parse(flags map[string]string, words []string) (values map[string][]string, given []string, err error) {
	values = map[string][]string{}
	for i := 0; i < len(words); i++ {
		if !strings.HasPrefix(words[i], "-") {
			return nil, nil, fmt.Errorf("unexpected argument %q", words[i])
		}
		name, value, hasValue := strings.Cut(strings.TrimLeft(words[i], "-"), "=")
		if long := shortNames[name]; long != "" {
			name = long
		}
		switch kind := flags[name]; {
		case kind == "":
			return nil, nil, fmt.Errorf("flag provided but not defined: -%s", name)
		case kind == "b" && !hasValue:
			value = "true"
		case kind != "b" && !hasValue:
			if i++; i == len(words) {
				return nil, nil, fmt.Errorf("flag needs an argument: -%s", name)
			}
			value = words[i]
		}
		values[name] = append(values[name], value)
		given = append(given, "--"+name, masked(name, value))
	}
	return values, given, nil
}

// readFiles takes config.yaml and then config.yaml.d in the order of names; a name with + adds to a list.
func (o *options) readFiles(file string, flags map[string]string) error {
	more, _ := filepath.Glob(file + ".d/*.y*ml")
	sort.Strings(more)
	for _, path := range append([]string{file}, more...) {
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		var document map[string]any
		if err == nil {
			err = yaml.Unmarshal(content, &document)
		}
		if err != nil {
			return fmt.Errorf("%s: %v", path, err)
		}
		for name, value := range document {
			if err := o.take(flags, name, value); err != nil {
				return fmt.Errorf("%s: %v", path, err)
			}
		}
	}
	return nil
}

func (o *options) take(flags map[string]string, key string, value any) error {
	name := strings.TrimSuffix(key, "+")
	if flags[name] == "" {
		return fmt.Errorf("flag provided but not defined: -%s", name)
	}
	var values []string
	if list, ok := value.([]any); ok {
		for _, item := range list {
			values = append(values, fmt.Sprint(item))
		}
	} else {
		values = []string{fmt.Sprint(value)}
	}
	if key != name {
		values = append(o.values[name], values...)
	}
	o.values[name] = values
	for _, one := range values {
		o.given = append(o.given, "--"+name, masked(name, one))
	}
	return nil
}

func (o *options) secretFrom(path, name string) error {
	content, err := os.ReadFile(path)
	if err == nil {
		o.values[name] = []string{strings.TrimSpace(string(content))}
	}
	return err
}

func (o *options) text(name string) string   { return last(o.values[name]) }
func (o *options) yes(name string) bool      { return o.text(name) == "true" }
func (o *options) list(name string) []string { return o.values[name] }

// words are the comma separated words of a repeatable flag.
func (o *options) words(name string) []string {
	var words []string
	for _, value := range o.values[name] {
		words = append(words, strings.Split(value, ",")...)
	}
	return words
}

func masked(name, value string) string {
	if secretNames[name] {
		return "********"
	}
	return value
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
