package fastlist

import (
	"fmt"
	"strings"
	"testing"
)

// Behind the beginning of a word comes the rest of it, in each place of
// a key. Which words there are is known only where several beginnings
// had them.
func TestContexts(t *testing.T) {
	t.Parallel()
	words := strings.Fields("car dog elephant lemon")
	var m keyModel
	for _, first := range words {
		for _, second := range words {
			for i := range 10 {
				m.learn(fmt.Sprintf("%s/%s-%d.jpg", first, second, 7*i))
			}
		}
	}
	for beginning, want := range map[string]string{
		"car/ele":      "p",
		"elephant/l":   "e",
		"elephant/d":   "o",
		"dog/lemon":    "-",
		"lemon/car-":   "0123456789.", // what numbers have
		"lemon/car-1":  "0123456789.",
		"lemon/car-1.": "j",
		"dog/":         "cdel",
	} {
		var bytes byteSet
		for i := range len(want) {
			bytes = bytes.with(want[i])
		}
		if got := m.digits(beginning+"?", len(beginning)); got != bytes {
			t.Errorf("%d bytes behind %s, want %s", got.count(), beginning, want)
		}
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	if a, b := tailOf("img_17", 6, 3, 1), tailOf("pic_2", 5, 3, 1); a == b {
		t.Error("_17 is _2")
	}
	if a, b := tailOf("img_17", 6, 2, 1), tailOf("img_4", 5, 2, 1).withDecimal(); a != b {
		t.Errorf("%x, want %x", b, a)
	}
	if a, b := tailOf("a/b", 3, 1, 1), tailOf("b", 1, 1, 0); a == b {
		t.Error("the number of words does not count")
	}
}
