package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every kind has a section, and its example is a payload that
// validates.
func TestReadmeExamples(t *testing.T) {
	t.Parallel()
	text := readme(t)
	for _, k := range tasks.Kinds() {
		_, section, ok := strings.Cut(text, "\n### "+k.Name+"\n")
		if !ok {
			t.Errorf("no section for %s", k.Name)
			continue
		}
		_, section, _ = strings.Cut(section, "```json\n")
		example, _, _ := strings.Cut(section, "```")
		j, err := k.Decode([]byte(example))
		if err == nil {
			err = j.Validate()
		}
		if err != nil {
			t.Errorf("the example of %s: %v", k.Name, err)
		}
		limit := strings.TrimSuffix(strings.TrimSuffix(k.Policy.Timeout.String(), "0s"), "0m")
		row := "(?m)^\\| `" + k.Name + "` \\| `" + k.Policy.Queue + "` \\|.*\\| " + limit + " \\|$"
		if !regexp.MustCompile(row).MatchString(text) {
			t.Errorf("the table of jobs has no right row for %s, with its time limit %s", k.Name, limit)
		}
	}
}

// The table has every variable with its default. The text names no
// variable that does not exist.
func TestReadmeVariables(t *testing.T) {
	t.Parallel()
	text := readme(t)
	known := map[string]bool{secretName: true}
	for _, v := range settings.Variables() {
		known[v.Name] = true
		row := regexp.MustCompile("(?m)^\\| `" + v.Name + "` \\| (.*?) \\|").FindStringSubmatch(text)
		if row == nil || v.Default != "" && strings.Trim(row[1], "`") != v.Default {
			t.Errorf("%s with its default %q is not in the table: %q", v.Name, v.Default, row)
		}
	}
	for _, name := range regexp.MustCompile(`STEVEDORE_[A-Z_]+[A-Z]`).FindAllString(text, -1) {
		if !known[name] && !strings.HasPrefix(name, "STEVEDORE_SECRET") {
			t.Errorf("the text names %s, which does not exist", name)
		}
	}
}

func TestReadmeExitCodes(t *testing.T) {
	t.Parallel()
	text, rows := readme(t), ""
	for _, code := range cli.ExitCodes() {
		rows += fmt.Sprintf("| %d | %v |\n", int(code), code)
	}
	if !strings.Contains(text, "| exit code | meaning |\n| --- | --- |\n"+rows+"\n") {
		t.Errorf("the table of exit codes is not\n%s", rows)
	}
}

// names collects the metrics that a worker registers.
type names map[string]bool

func (n names) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	for d := range descs {
		n[regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())[1]] = true
	}
	return nil
}

// TestReadmeQueries checks that each query uses metrics and labels that
// a worker has.
func TestReadmeQueries(t *testing.T) {
	t.Parallel()
	_, text, _ := strings.Cut(readme(t), "```promql\n")
	text, _, ok := strings.Cut(text, "```")
	registered, labels := names{}, labelNames{}
	c := configured(t)
	for _, r := range []prometheus.Registerer{registered, labels} {
		config, err := workerConfig(c, nil, r)
		if err == nil {
			_, err = worker.New(config, jobs(c)...)
		}
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	queries := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		queries++
		for _, name := range regexp.MustCompile(`(?:stevedore|asynq)_[a-z_]+`).FindAllString(line, -1) {
			if !registered[name] {
				t.Errorf("%s does not exist: %s", name, line)
			}
			for _, label := range regexp.MustCompile(`by \(([a-z_, ]+)\)|([a-z]+)[!=]=?~?"`).FindAllStringSubmatch(line, -1) {
				for _, l := range strings.Split(label[1]+label[2], ", ") {
					if !labels[name][l] && strings.Contains(line, name+"{"+l) || !labels.known(l) {
						t.Errorf("%s has no label %s: %s", name, l, line)
					}
				}
			}
		}
	}
	if queries < 5 {
		t.Errorf("only %d queries", queries)
	}
}

// labelNames collects the labels of the metrics that a worker registers.
type labelNames map[string]map[string]bool

func (n labelNames) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	for d := range descs {
		name := regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())[1]
		n[name] = map[string]bool{}
		for _, l := range strings.Split(regexp.MustCompile(`variableLabels: \{([^}]*)\}`).FindStringSubmatch(d.String())[1], ",") {
			n[name][l] = true
		}
	}
	return nil
}

func (n labelNames) MustRegister(...prometheus.Collector) {}
func (n labelNames) Unregister(prometheus.Collector) bool { return false }

func (n labelNames) known(label string) bool {
	for _, labels := range n {
		if labels[label] {
			return true
		}
	}
	return false
}

func (n names) MustRegister(...prometheus.Collector) {}
func (n names) Unregister(prometheus.Collector) bool { return false }

func TestReadmeMetrics(t *testing.T) {
	t.Parallel()
	text, registered := readme(t), names{}
	c := configured(t)
	config, err := workerConfig(c, nil, registered)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := worker.New(config, jobs(c)...); err != nil {
		t.Fatal(err)
	}
	for name := range registered {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("%s is not in the README", name)
		}
	}
	for _, name := range regexp.MustCompile("`((?:stevedore|asynq)_[a-z_]+[a-z])`").FindAllStringSubmatch(text, -1) {
		if !registered[name[1]] {
			t.Errorf("the README names %s, which does not exist", name[1])
		}
	}
}
