package payload

import (
	"cmp"
	"fmt"
	"io"
	"os"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/tasks/payloadsize"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// spaces is how many times larger than its payload a file may be, with
// the spaces and new lines that people write.
const spaces = 4

// ReadFile reads the file of a payload, or standard input for the path
// "-". It reads no more than a payload of limit bytes can need; 0 means
// payloadsize.Max.
func ReadFile(path string, in io.Reader, limit int) ([]byte, error) {
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}

	limit = spaces * cmp.Or(limit, payloadsize.Max)
	data, err := io.ReadAll(io.LimitReader(in, int64(limit)+1))
	if err == nil && len(data) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes, which is too much for a payload; "+
			"%s limits payloads", path, limit, settings.Name(setting.PayloadLimit))
	}
	return data, err
}
