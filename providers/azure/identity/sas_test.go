package identity

import (
	"strings"
	"testing"
)

func TestExcess(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ss=b&srt=co&sp=rwl":      "",
		"ss=b&srt=co&sp=racwl":    "",
		"ss=b&srt=co&sp=rwdlx":    "d (Delete), x (Delete version)",
		"ss=bfqt&srt=sco&sp=rwly": "y (Permanent delete), service q (Queue), service t (Table), service f (File)",
		"sr=c&sp=rltfop":          "p (Change permissions), o (Change ownership), t (Tags), f (Filter by tags)",
	} {
		token, err := ParseSAS(sasField, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(token.excess(), ", "); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
