package worker

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
)

func TestKeep_BeginsAgainAfterAPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		w := &Worker{log: slog.New(slog.NewTextHandler(&text, nil))}
		ctx, cancel := context.WithCancel(t.Context())
		runs := 0
		if err := w.keep(ctx, "reaper", func(context.Context) {
			if runs++; runs < 3 {
				panic("a broken record")
			}
			cancel()
		}); err != nil {
			t.Error(err)
		}
		if runs != 3 || strings.Count(text.String(), `part=reaper panic="a broken record"`) != 2 {
			t.Errorf("%d runs, log %s", runs, text.String())
		}
	})
}

func TestKeep_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := &Worker{log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.keep(ctx, "reaper", func(context.Context) { panic("a broken record") }); err != nil {
		t.Error(err)
	}
}
