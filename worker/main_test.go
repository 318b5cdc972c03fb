package worker_test

import (
	"flag"
	"os"
	"testing"
)

// parallel is how many tests run at once. Most of them wait for time to
// pass, so it is more than there are processors.
const parallel = "10"

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		_ = flag.Set("test.parallel", parallel) // a number is always valid
	}
	os.Exit(m.Run())
}
