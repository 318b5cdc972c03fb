package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Syntax says why data is not one JSON value, with line and column. It
// returns an empty text when it is one.
func Syntax(data []byte) string {
	if len(bytes.TrimSpace(data)) == 0 {
		return "is empty: give a JSON object"
	}
	var syntax *json.SyntaxError
	var raw json.RawMessage
	err := json.Unmarshal(data, &raw)
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &syntax):
		return "is not JSON: " + err.Error()
	case err.Error() == "unexpected end of JSON input":
		return "is not JSON: it ends before its last brace or bracket"
	}
	before := data[:max(0, min(int(syntax.Offset)-1, len(data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("is not JSON: line %d, column %d: %v", line, column, err)
}
