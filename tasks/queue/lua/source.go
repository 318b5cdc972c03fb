package lua

import (
	"fmt"
	"strings"
)

// header is what the comment at the top of a file declares.
type header struct{ keys, args, uses []string }

// more ends the name of an argument that is a list.
const more = "..."

// read returns a script after the shared files that it uses.
func read(path string) (source string, h header, err error) {
	var b strings.Builder
	h, err = include(&b, path, map[string]bool{})
	return b.String(), h, err
}

// include appends a file after those that it uses, each once.
func include(b *strings.Builder, path string, done map[string]bool) (header, error) {
	if done[path] {
		return header{}, nil
	}
	done[path] = true
	text, err := files.ReadFile(path)
	if err != nil {
		return header{}, fmt.Errorf("read a script: %w", err)
	}

	h := parseHeader(string(text))
	for _, name := range h.uses {
		if _, err := include(b, "shared/"+name+".lua", done); err != nil {
			return h, err
		}
	}
	b.Write(text)
	return h, nil
}

// parseHeader reads the comment at the top of a file. A list goes
// on in a line that is indented.
func parseHeader(text string) (h header) {
	var list *[]string
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "--")
		if !ok {
			break
		}
		names := comment
		for label, field := range map[string]*[]string{
			" KEYS:": &h.keys, " ARGV:": &h.args, " USES:": &h.uses,
		} {
			if rest, ok := strings.CutPrefix(comment, label); ok {
				list, names = field, rest
			}
		}
		if names == comment && !strings.HasPrefix(comment, "   ") {
			list = nil
		}
		if list != nil {
			*list = append(*list, splitNames(names)...)
		}
	}
	return h
}

func splitNames(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}
