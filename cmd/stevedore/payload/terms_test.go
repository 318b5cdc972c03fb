package payload

import (
	"testing"
	"time"
)

func TestDeadlineAsATime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{"90m": now.Add(90 * time.Minute), "2026-11-22T09:00:00+09:00": {}, "2026-11-22T10:00:00+09:00": now.Add(time.Hour)} {
		if got, err := deadline(text, now); !want.IsZero() && !got.Equal(want) || (err != nil) != want.IsZero() {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
