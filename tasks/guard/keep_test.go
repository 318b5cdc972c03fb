package guard

import (
	"context"
	"testing"
	"testing/synctest"
)

func TestKeep_BeginsAgainAfterAPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		runs, panics := 0, 0
		Keep(t.Context(), func(context.Context) {
			if runs++; runs < 3 {
				panic("a broken record")
			}
		}, func(error) { panics++ })
		if runs != 3 || panics != 2 {
			t.Errorf("%d runs, %d panics", runs, panics)
		}
	})
}

func TestKeep_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	Keep(ctx, func(context.Context) { panic("a broken record") }, func(error) {})
}
