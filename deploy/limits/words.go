package main

import (
	"regexp"
	"strings"
)

// unwanted matches words that comments must not use: readers with
// English as a second language stumble over them.
var unwanted = regexp.MustCompile(`(?i)\b(whoever|lest|affair|besides|told|is none|be it)\b`)

// wordCount counts comment lines and the words on them.
type wordCount struct{ words, lines int }

func (c *wordCount) add(other wordCount) {
	c.words += other.words
	c.lines += other.lines
}

func (c *wordCount) perLine() float64 {
	if c.lines == 0 {
		return 0
	}
	return float64(c.words) / float64(c.lines)
}

// countWords counts the lines that hold nothing but a comment, and
// their words. Directives such as //nolint are no comments.
func countWords(lines []string) wordCount {
	var c wordCount
	for _, line := range lines {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "// "); ok {
			c.lines++
			c.words += len(strings.Fields(text))
		}
	}
	return c
}

// checkWording checks the comments of a file for unwanted words.
func (r *report) checkWording(f *file) {
	for _, group := range f.tree.Comments {
		for _, comment := range group.List {
			first := f.line(comment.Pos())
			for i, line := range strings.Split(comment.Text, "\n") {
				if word := unwanted.FindString(line); word != "" {
					r.violation("%s:%d: the comment says %q, use plainer words",
						f.path, first+i, word)
				}
			}
		}
	}
}
