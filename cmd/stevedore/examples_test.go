package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
)

// Every command has examples in its help. Each of them is a command
// line that is understood, and no line of the help is wider than a
// terminal.
func TestHelpHasExamples(t *testing.T) {
	t.Parallel()
	for _, command := range commandNames(t) {
		out, _ := want(t.Context(), t, cli.ExitOK, nil, "help", command)
		_, after, ok := strings.Cut(out, "Examples:")
		if command != "help" && !ok {
			t.Errorf("%s --help has no example:\n%s", command, out)
		}
		examples, _, _ := strings.Cut(after, "\n\nArguments:")
		examples = strings.ReplaceAll(examples, "\\\n", " ")
		for line := range strings.Lines(examples) {
			_, typed, ok := strings.Cut(line, "stevedore ")
			if !ok {
				continue
			}
			typed = strings.TrimRight(strings.Split(typed, " <")[0], "\n)")
			if !understood(t, strings.Fields(typed)) {
				t.Errorf("%s --help: %q is not understood", command, typed)
			}
		}
		for line := range strings.Lines(out) {
			if len(line) > 81 {
				t.Errorf("%s --help has a line of %d columns: %s", command, len(line)-1, line)
			}
		}
	}
}

func newParser(t *testing.T) *kong.Kong {
	t.Helper()
	parser, err := kong.New(new(commands), kong.Vars{"kinds": "", "buckets": ""}, kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

func commandNames(t *testing.T) (names []string) {
	t.Helper()
	for _, child := range newParser(t).Model.Children {
		names = append(names, child.Name)
	}
	return names
}

func understood(t *testing.T, args []string) bool {
	t.Helper()
	_, err := newParser(t).Parse(args)
	return err == nil
}
