package payloads

import (
	"fmt"
	"strings"
	"testing"
)

func TestCache_ForgetsTheOldest(t *testing.T) {
	t.Parallel()
	c := New(100)
	text := func(n int) []byte { return []byte(strings.Repeat("x", n)) }
	for i := range 4 {
		c.Put(fmt.Sprint(i), Payload{"1", text(30)})
	}
	c.Put("1", Payload{"2", text(40)})
	c.Put("large", Payload{"1", text(101)})
	for job, want := range map[string]int{"0": 0, "1": 40, "2": 30, "3": 30, "large": 0} {
		if got := len(c.Get(job).Text); got != want {
			t.Errorf("%s: %d bytes, want %d", job, got, want)
		}
	}
	if c.Get("1").Version != "2" || c.size != 100 || len(c.order) != 3 || len(c.payloads) != 3 {
		t.Errorf("%d bytes of %v", c.size, c.order)
	}
}
