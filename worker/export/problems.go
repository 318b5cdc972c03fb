package export

import (
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// The codes of this job's error lines, besides those of worker/job and
// worker/imagehead.
const (
	codeName        = "invalid-name"      // the image's name is no key that an archive could hold
	codeImage       = "invalid-image"     // the image's entry has no usable width and height
	codeUnsupported = "unsupported-shape" // COCO instances cannot hold such a shape
	codeLabel       = "undeclared-label"  // the shape's label is not among the document's labels
	codeShape       = "invalid-shape"     // a number or outline of the shape is missing or broken
	codeDegenerate  = "degenerate-shape"  // nothing of the shape is left inside the image (GEN-07)
	codeTooLarge    = "too-large"         // beyond a limit of this package
	codeSize        = "size-mismatch"     // the stored image is not as wide and high as its annotations say
)

// problem is one thing that went wrong with an image or one of its shapes. It
// is an error for parsing code's sake.
type problem struct {
	code, message string
}

// Error implements error.
func (p *problem) Error() string { return p.code + ": " + p.message }

func problemf(code, format string, args ...any) *problem {
	return &problem{code, fmt.Sprintf(format, args...)}
}

const maxProblems = 8 // per image are spelled out

// problems are those of one image; they become one line, since a line counts
// an object as failed.
type problems struct {
	list []*problem
	more int // beyond maxProblems, counted only
}

func (p *problems) add(one *problem) {
	if len(p.list) == maxProblems {
		p.more++
		return
	}
	p.list = append(p.list, one)
}

func (p *problems) empty() bool { return len(p.list) == 0 }

// line joins the problems under the code of the first.
func (p *problems) line(key string) tasks.ObjectError {
	texts := make([]string, len(p.list))
	for i, one := range p.list {
		texts[i] = one.message
		if one.code != p.list[0].code {
			texts[i] = one.Error()
		}
	}
	text := strings.Join(texts, "; ")
	if p.more > 0 {
		text += fmt.Sprintf("; and %d more", p.more)
	}
	return tasks.ObjectError{Key: key, Code: p.list[0].code, Message: text}
}
