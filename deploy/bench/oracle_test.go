//go:build unix

package bench_test

import (
	_ "embed"
	"encoding/json"
	"os"
	"testing"

	"github.com/stevedore-jobs/stevedore/deploy/oracles"
)

// python reads heads as CVAT does.
//
//go:embed testdata/heads.py
var python string

// TestOracleManifestRate compares the images a second of processor time
// with those of CVAT's way to read heads in Python.
func TestOracleManifestRate(t *testing.T) {
	oracles.Python(t) // skips
	const images = 3000
	endpoint := startStore(t, "narrow", images, 0)
	var theirs struct{ Images, Requests, Bytes, Seconds float64 }
	out := oracles.Run(t, python, nil, endpoint)
	if err := json.Unmarshal(out, &theirs); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, endpoint)
	ours := w.build(t)
	ratio := theirs.Seconds / ours.cpu.Seconds()
	t.Logf("Python: %.2f requests, %.1f KiB, %.2f ms of processor time an image",
		theirs.Requests/images, theirs.Bytes/images/1024, theirs.Seconds/images*1000)
	t.Logf("this job: %.2f requests, %.1f KiB, %.3f ms", float64(len(w.reads))/images,
		float64(bytesOf(w.reads))/images/1024, ours.cpu.Seconds()/images*1000)
	t.Logf("images a processor second, this job / Python: %.1f", ratio)
	if theirs.Images != images {
		t.Errorf("Python opened %v images of %d", theirs.Images, images)
	}
	// A busy machine changes the ratio; far less means that something
	// is wrong.
	if ratio < minRate && os.Getenv("REQUIRE_SERVICES") == "1" {
		t.Errorf("the ratio is below %d", minRate)
	}
}

// minRate is what the ratio must be on a machine that does other work
// too.
const minRate = 5
