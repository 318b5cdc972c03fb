package parquet

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// maxColumns is how many columns a file may have. A report has at
	// most about 20.
	maxColumns = 256
	// maxGroups is how many row groups a file may have.
	maxGroups = 8 << 10
)

// The physical types of values (parquet.thrift, Type).
const (
	typeBoolean   = 0
	typeInt32     = 1
	typeInt64     = 2
	typeByteArray = 6
)

// leaf is a column of the schema.
type leaf struct {
	name     string
	kind     int64
	optional bool
	repeated bool
	children int64
}

// chunk is where the values of a column in a row group are.
type chunk struct {
	offset, size int64 // in the file
	codec        int64
	values       int64
}

// group is a row group. It has a chunk for each needed column of the
// file, in the order of the fields of columns.
type group struct {
	rows   int64
	chunks [needed]chunk
}

// metadata is what a file says of itself.
type metadata struct {
	leaves []leaf
	groups []group
}

// parseMetadata reads the footer of a file of a size.
func parseMetadata(text []byte, size int64) (m metadata, wanted [needed]leaf, err error) {
	c := &cursor{rest: text}
	var schema []leaf
	c.fields(func(number int16, kind byte) {
		switch {
		case number == 2 && kind == thriftList:
			c.list(maxColumns+1, func(byte) { schema = append(schema, parseLeaf(c)) })
		case number == 4 && kind == thriftList:
			c.list(maxGroups, func(byte) { m.groups = append(m.groups, parseGroup(c)) })
		default:
			c.skip(kind)
		}
	})
	if c.err != nil {
		return m, wanted, c.err
	}
	if len(schema) == 0 {
		return m, wanted, errors.New("it has no schema")
	}
	m.leaves = schema[1:]
	if wanted, err = pick(m.leaves); err != nil {
		return m, wanted, err
	}
	return m, wanted, m.check(wanted, size)
}

// parseLeaf reads a SchemaElement.
func parseLeaf(c *cursor) (l leaf) {
	c.fields(func(number int16, kind byte) {
		switch {
		case number == 4 && kind == thriftBinary:
			l.name = c.text()
		case kind < 4 || kind > 6:
			c.skip(kind)
		default:
			l.set(number, c.integer())
		}
	})
	return l
}

func (l *leaf) set(number int16, value int64) {
	switch number {
	case 1:
		l.kind = value
	case 3:
		l.optional, l.repeated = value == 1, value == 2
	case 5:
		l.children = value
	}
}

// parseGroup reads a RowGroup.
func parseGroup(c *cursor) (g group) {
	c.fields(func(number int16, kind byte) {
		switch {
		case number == 1 && kind == thriftList:
			c.list(maxColumns, func(byte) {
				name, found := parseChunk(c)
				if i := indexOf(name); i >= 0 {
					g.chunks[i] = found
				}
			})
		case number == 3 && kind == 6:
			g.rows = c.integer()
		default:
			c.skip(kind)
		}
	})
	return g
}

// parseChunk reads a ColumnChunk, and returns the name of its column.
func parseChunk(c *cursor) (name string, found chunk) {
	c.fields(func(number int16, kind byte) {
		if number == 3 && kind == thriftStruct {
			name, found = parseChunkMetadata(c)
			return
		}
		c.skip(kind)
	})
	return name, found
}

// parseChunkMetadata reads a ColumnMetaData.
func parseChunkMetadata(c *cursor) (name string, found chunk) {
	var data, dictionary int64
	c.fields(func(number int16, kind byte) {
		switch {
		case number == 3 && kind == thriftList:
			c.list(maxDepth, func(byte) { name += "." + c.text() })
		case number == 4 && kind == 5:
			found.codec = c.integer()
		case number == 5 && kind == 6:
			found.values = c.integer()
		case number == 7 && kind == 6:
			found.size = c.integer()
		case number == 9 && kind == 6:
			data = c.integer()
		case number == 11 && kind == 6:
			dictionary = c.integer()
		default:
			c.skip(kind)
		}
	})
	found.offset = data
	if dictionary > 0 && dictionary < data {
		found.offset = dictionary
	}
	return strings.TrimPrefix(name, "."), found
}

// check checks that the chunks of the wanted columns are in the file.
func (m metadata) check(wanted [needed]leaf, size int64) error {
	for n, g := range m.groups {
		if g.rows < 0 {
			return fmt.Errorf("row group %d has %d rows", n, g.rows)
		}
		for i, l := range wanted {
			c := g.chunks[i]
			if l.name == "" || g.rows == 0 {
				continue
			}
			if c.offset < 4 || c.size <= 0 || c.offset > size || c.size > size-c.offset {
				return fmt.Errorf("row group %d: the column %s is outside the file", n, l.name)
			}
			if c.values != g.rows {
				return fmt.Errorf("row group %d: the column %s has %d values for %d rows",
					n, l.name, c.values, g.rows)
			}
		}
	}
	return nil
}
