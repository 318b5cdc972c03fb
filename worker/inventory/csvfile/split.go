package csvfile

import (
	"bytes"
	"errors"
)

var errQuotes = errors.New("the quotes of a value do not match")

// maxFields is how many values a row may have.
const maxFields = 200

var errFields = errors.New("there are too many values")

// split appends the values of a line to fields. It may change the line,
// and the values are parts of it.
func split(line []byte, fields [][]byte) ([][]byte, error) {
	for {
		if len(fields) == maxFields {
			return fields, errFields
		}
		var value []byte
		if len(line) > 0 && line[0] == '"' {
			var err error
			if value, line, err = quoted(line[1:]); err != nil {
				return fields, err
			}
		} else if i := bytes.IndexByte(line, ','); i >= 0 {
			value, line = line[:i], line[i:]
		} else {
			value, line = line, nil
		}
		fields = append(fields, value)
		if len(line) == 0 {
			return fields, nil
		}
		line = line[1:] // the comma
	}
}

// quoted returns the value up to its closing quote, and the rest of the
// line, which is empty or begins with a comma. Two quotes in a value
// stand for one.
func quoted(line []byte) (value, rest []byte, err error) {
	value = line[:0]
	for {
		i := bytes.IndexByte(line, '"')
		if i < 0 {
			return nil, nil, errQuotes
		}
		value = append(value, line[:i]...)
		line = line[i+1:]
		switch {
		case len(line) == 0 || line[0] == ',':
			return value, line, nil
		case line[0] != '"':
			return nil, nil, errQuotes
		}
		value = append(value, '"')
		line = line[1:]
	}
}
