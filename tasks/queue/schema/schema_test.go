package schema_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// Every constant of fields.go belongs to exactly one group, so that a
// retry cannot forget it.
func TestEveryFieldIsInOneGroup(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for _, group := range schema.Groups() {
		for _, field := range group {
			count[field]++
		}
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), "fields.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	constants := 0
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		field, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil || count[field] != 1 {
			t.Errorf("%s is in %d groups, %v", spec.Names[0].Name, count[field], err)
		}
		constants++
		return true
	})
	if constants != len(count) {
		t.Errorf("%d constants, %d fields in groups", constants, len(count))
	}
}

// A retry keeps who the job is and who may write, and forgets the
// rest.
func TestRoundFields(t *testing.T) {
	t.Parallel()
	round := schema.RoundFields()
	for name, group := range schema.Groups() {
		kept := name == "identity" || name == "fence" || name == "retry" || name == "event"
		for _, field := range group {
			if slices.Contains(round, field) == kept {
				t.Errorf("%s of the group %s: a retry keeps it: %v", field, name, !kept)
			}
		}
	}
}

// The names in Redis are a promise: workers of several versions share
// them.
func TestKeys(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		schema.Record: "stevedore:{j}:job",
		schema.Shards: "stevedore:{j}:shards",
		schema.Done:   "stevedore:{j}:done",
		schema.Parts:  "stevedore:{j}:parts",
		schema.Errors: "stevedore:{j}:errors",
		schema.Retry:  "stevedore:{j}:retry",
		schema.Made:   "stevedore:{j}:made",
		schema.Inputs: "stevedore:{j}:inputs",
		schema.Runs:   "stevedore:{j}:runs",
		schema.Active: "stevedore:active",
		schema.Events: "stevedore:events",
		schema.Cap:    "stevedore:capped:{j}",
		"other":       "",
	} {
		if got := schema.Key(name, "j"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
