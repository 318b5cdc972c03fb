package identity

import (
	"fmt"
	"testing"
)

// A recorder hides the newest secrets, and forgets those of old
// sessions.
func TestSecretRecorder_IsBounded(t *testing.T) {
	t.Parallel()
	r := &secretRecorder{}
	for i := range 10 {
		r.record(fmt.Sprintf("secret-key-%d", i), fmt.Sprintf("session-token-%d", i))
		r.record("", fmt.Sprintf("session-token-%d", i)) // repeated and empty values take no place
	}
	for text, want := range map[string]string{
		"a secret-key-9 b":    "a [redacted] b",
		"session-token-7":     "[redacted]",
		"secret-key-6":        "secret-key-6",
		"nothing to hide":     "nothing to hide",
		"session-token-8, ok": "[redacted], ok",
	} {
		if got := r.redact(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if len(r.values) != maxSecrets {
		t.Errorf("%d values are kept", len(r.values))
	}
}
