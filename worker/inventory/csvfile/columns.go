package csvfile

import (
	"fmt"
	"strings"
)

// Columns says which column of a file holds what. A column that the
// report does not have is -1.
type Columns struct {
	count                 int
	bucket, key, size     int
	etag, latest, deleted int
}

// ParseSchema reads the fileSchema of a manifest, such as "Bucket, Key,
// Size, ETag". It fails if Bucket, Key or Size is missing.
func ParseSchema(schema string) (Columns, error) {
	names := strings.Split(schema, ",")
	if len(names) > maxFields {
		return Columns{}, errFields
	}
	at := map[string]int{}
	for i, name := range names {
		at[strings.ToLower(strings.TrimSpace(name))] = i
	}
	column := func(name string) int {
		if i, ok := at[name]; ok {
			return i
		}
		return -1
	}
	c := Columns{
		count: len(names), bucket: column("bucket"), key: column("key"), size: column("size"),
		etag: column("etag"), latest: column("islatest"), deleted: column("isdeletemarker"),
	}
	for i, name := range []string{"Bucket", "Key", "Size"} {
		if []int{c.bucket, c.key, c.size}[i] < 0 {
			return c, fmt.Errorf("the schema %.200q has no column %s", schema, name)
		}
	}
	return c, nil
}
