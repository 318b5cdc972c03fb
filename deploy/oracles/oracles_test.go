package oracles

import (
	"os"
	"strings"
	"testing"
)

// The interpreter has exactly the versions of requirements.txt.
func TestOracleVersions(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	const program = `
import importlib.metadata, sys
for line in sys.stdin:
    line = line.strip()
    if line and not line.startswith("#"):
        name = line.split("==")[0]
        print(f"{name}=={importlib.metadata.version(name)}")
`
	got := string(Run(t, program, strings.NewReader(string(want))))
	if got == "" || !strings.HasSuffix(string(want), "\n"+got) {
		t.Errorf("the interpreter has\n%swant\n%s", got, want)
	}
}
