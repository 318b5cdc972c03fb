package annotation

import "fmt"

// The codes of problems with shapes. They appear in the job's error
// list.
const (
	CodeUnsupportedShape = "unsupported-shape" // the reader or the writer cannot handle its kind
	CodeUndeclaredLabel  = "undeclared-label"  // the document does not declare its label
	CodeInvalidShape     = "invalid-shape"     // a number or an outline is missing or broken
	CodeDegenerateShape  = "degenerate-shape"  // no part of it is inside the image (GEN-07)
	CodeTooLarge         = "too-large"         // it exceeds a limit
)

// Problem is why a shape or an image cannot be exported as it is. The
// export continues without that shape or image.
type Problem struct {
	Code    string
	Message string
}

// Problemf makes a problem.
func Problemf(code, format string, args ...any) *Problem {
	return &Problem{code, fmt.Sprintf(format, args...)}
}

// String returns the code and the message.
func (p *Problem) String() string { return p.Code + ": " + p.Message }

// DocumentError is why a document cannot be used at all.
type DocumentError struct {
	Code   string
	Line   int    // where in the document, from 1; 0 if unknown
	Image  string // that is being read; empty if none
	Detail string
	Fix    string // what the user can do
}

// Error returns the line, the image and the detail.
func (e *DocumentError) Error() string {
	text := e.Detail
	if e.Image != "" {
		text = fmt.Sprintf("image %.200q: %s", e.Image, text)
	}
	if e.Line > 0 {
		text = fmt.Sprintf("line %d: %s", e.Line, text)
	}
	return text
}
