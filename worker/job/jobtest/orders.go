package jobtest

import (
	"fmt"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// InEachOrder runs a test with each order of keys.
func InEachOrder(t *testing.T, test func(t *testing.T, order keyorder.Order)) {
	t.Helper()
	for _, order := range keyorder.Unknown.Each() {
		t.Run(order.String(), func(t *testing.T) {
			t.Parallel()
			test(t, order)
		})
	}
}

// DifferingKeys returns n keys of JPEG files, or a few more, that each
// order sorts in another way.
func DifferingKeys(n int) (keys []string) {
	stems := []string{
		"a/%s", "a-b/%s", "a.jpg/%s", "a%s", "a-%s", "（１）%s", "😀%s", "ﾊ%s", "𠮷野/%s", "（２）/%s",
		"a/b/%s", "a/b-c/%s", "a/（%s）", "a/😀/%s", "é%s", "z %s",
	}
	for i := 0; len(keys) < n; i++ {
		for _, stem := range stems {
			keys = append(keys, fmt.Sprintf(stem, fmt.Sprintf("%06d", i))+".jpg")
		}
	}
	return keys
}
