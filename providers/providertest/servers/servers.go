// Package servers finds the emulated clouds that tests need, and sets
// them up: buckets, users, accounts, faults. The test script starts
// them, and describes them in variables STEVEDORE_TEST_....
//
// Without the variables a test is skipped. With REQUIRE_SERVICES=1 it
// fails instead. It knows the control interface of deploy/emulators.
// It knows no provider.
package servers

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// require skips or fails the test if one of the settings is missing.
func require(t testing.TB, server string, settings ...string) {
	t.Helper()
	if !slices.Contains(settings, "") {
		return
	}
	text := "no " + server + ": run deploy/test.sh, " +
		"or run deploy/emulators and evaluate its --env-file"
	if os.Getenv("REQUIRE_SERVICES") == "1" {
		t.Fatal(text)
	}
	t.Skip(text)
}

// newName returns a random name that no other test uses.
func newName(prefix string) string { return prefix + strings.ToLower(rand.Text()[:16]) }

// control is the address where deploy/emulators takes orders.
type control string

func controlAddress() control { return control(os.Getenv("STEVEDORE_TEST_CONTROL")) }

// send sends an order with a body, and reads the answer. Both are
// JSON, and both may be nil.
func (c control) send(t testing.TB, method, path string, body, answer any) {
	t.Helper()
	var content []byte
	if body != nil {
		content = []byte(toJSON(t, body))
	}
	req, err := http.NewRequest(method, string(c)+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s, %v: %s", method, path, resp.Status, err, data)
	}
	if answer != nil {
		if err := json.Unmarshal(data, answer); err != nil {
			t.Fatal(err)
		}
	}
}

func toJSON(t testing.TB, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
