package inventory

import (
	"fmt"
	"strconv"
	"strings"
)

// place is where a row is in a report.
type place struct {
	file int
	row  int64 // how many rows of the file come before
}

func (p place) String() string { return fmt.Sprintf("%d:%d", p.file, p.row) }

// parsePlace reads what String has made.
func parsePlace(text string) (p place, err error) {
	file, row, ok := strings.Cut(text, ":")
	if ok {
		if p.file, err = strconv.Atoi(file); err == nil {
			p.row, err = strconv.ParseInt(row, 10, 64)
		}
	}
	if !ok || err != nil || p.file < 0 || p.row < 0 {
		return p, fmt.Errorf("%.40q is no place in a report", text)
	}
	return p, nil
}

// shown returns a key for an error.
func shown(key string) string { return fmt.Sprintf("%.200q", key) }
