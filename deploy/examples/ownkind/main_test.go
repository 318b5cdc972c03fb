package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"count-objects: 13 objects of 2 extensions",
		`".png":{"objects":12,`,
		`".txt":{"objects":1,"bytes":18}`,
		"build-manifest: 12 entries in manifest.jsonl, 0 images left out, 1 other object skipped, written",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
