package parquet

import (
	"fmt"
	"strings"
)

// The columns that are needed, as indices. The first three must be
// there.
const (
	bucketColumn = iota
	keyColumn
	sizeColumn
	etagColumn
	latestColumn
	deletedColumn
	needed // how many they are
)

// columns are the names of the needed columns without underscores, and
// the physical types of their values.
var columns = [needed]struct {
	name string
	kind []int64
}{
	{"bucket", []int64{typeByteArray}},
	{"key", []int64{typeByteArray}},
	{"size", []int64{typeInt64, typeInt32}},
	{"etag", []int64{typeByteArray}},
	{"islatest", []int64{typeBoolean}},
	{"isdeletemarker", []int64{typeBoolean}},
}

// indexOf returns the index of a needed column, or -1.
func indexOf(name string) int {
	name = strings.ToLower(strings.ReplaceAll(name, "_", ""))
	for i, c := range columns {
		if c.name == name {
			return i
		}
	}
	return -1
}

// MissingError says that a report lacks a column.
type MissingError struct{ Column string }

// Error implements error.
func (e *MissingError) Error() string { return "it has no column " + e.Column }

// pick returns the needed columns of a schema. Those that it does not
// have are zero.
func pick(leaves []leaf) (wanted [needed]leaf, err error) {
	for _, l := range leaves {
		if l.children > 0 {
			return wanted, fmt.Errorf("the column %.100q is nested", l.name)
		}
		i := indexOf(l.name)
		if i < 0 {
			continue
		}
		fits := false
		for _, kind := range columns[i].kind {
			fits = fits || kind == l.kind
		}
		if !fits || l.repeated {
			return wanted, fmt.Errorf("the column %s has another type than in S3's reports", l.name)
		}
		wanted[i] = l
	}
	for i := range etagColumn {
		if wanted[i].name == "" {
			return wanted, &MissingError{columns[i].name}
		}
	}
	return wanted, nil
}
