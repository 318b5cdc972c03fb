package frames

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// The longest texts of a line of the error list, in bytes. No cloud
// has longer keys, but documents can name any.
const (
	maxKey     = 1024
	maxCode    = 64
	maxMessage = 2048
)

// Shorten returns an error list whose texts are not too long to be
// kept. A text that was cut ends with an ellipsis. The list itself
// does not change.
func Shorten(list []tasks.ObjectError) []tasks.ObjectError {
	short := make([]tasks.ObjectError, len(list))
	for i, e := range list {
		e.Key, e.Code = cut(e.Key, maxKey), cut(e.Code, maxCode)
		e.Message = cut(e.Message, maxMessage)
		short[i] = e
	}
	return short
}

func cut(text string, limit int) string {
	const ellipsis = "…"
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len(ellipsis)], "") + ellipsis
}
