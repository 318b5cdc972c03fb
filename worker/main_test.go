package worker_test

import (
	"flag"
	"os"
	"testing"
)

// Most of these tests wait for time to pass, so more of them run at once than
// there are processors.
const atOnce = "10"

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		_ = flag.Set("test.parallel", atOnce) // a number is always good
	}
	os.Exit(m.Run())
}
