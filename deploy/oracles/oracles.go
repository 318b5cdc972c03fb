// Package oracles runs the Python libraries that CVAT uses, so that
// tests can compare their results with ours: Pillow, natsort, numpy
// and boto3, in the versions of requirements.txt.
//
// Names of such tests begin with TestOracle. deploy/test.sh --oracles
// installs the libraries and runs only these tests; a run without a
// mode does it too.
package oracles

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"testing"
)

// variable names the Python interpreter that has the libraries.
const variable = "STEVEDORE_TEST_PYTHON"

// Python returns the path of a Python interpreter that has the
// libraries. Without one the test is skipped; with REQUIRE_SERVICES=1
// it fails. It is always skipped with -short.
func Python(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts Python")
	}
	python := os.Getenv(variable)
	if python != "" {
		return python
	}
	text := "no Python libraries to compare with: run deploy/test.sh --oracles, or set " +
		variable + " to an interpreter with the libraries of deploy/oracles/requirements.txt"
	if os.Getenv("REQUIRE_SERVICES") == "1" {
		t.Fatal(text)
	}
	t.Skip(text)
	return ""
}

// Run runs a Python program with arguments and returns what it prints.
// in is its standard input and may be nil. If the program fails, the
// test fails with the program's message.
func Run(t testing.TB, program string, in io.Reader, arguments ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(
		t.Context(), Python(t), append([]string{"-c", program}, arguments...)...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("the Python program: %v\n%s", err, errs.Bytes())
	}
	return out.Bytes()
}
