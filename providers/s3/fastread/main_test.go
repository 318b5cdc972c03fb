package fastread_test

import (
	"os"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

func TestMain(m *testing.M) { os.Exit(s3test.Main(m)) }
