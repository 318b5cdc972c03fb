package boundedxml

import "bytes"

// state is where in a token a document is.
type state int

const (
	inText        state = iota
	atMark              // behind the "<" that begins a tag
	inTag               // of an element's start, outside of values
	inValue             // of an attribute
	inEndTag            // of an element's end
	inInstruction       // <? ... ?>
	atDeclaration       // behind <! or <!-
	inComment           // <!-- ... -->
	inCDATA             // <![CDATA[ ... ]]>
	inDirective         // <! and anything else, such as a DOCTYPE
)

// closers are what must be before the ">" that ends a token.
var closers = map[state]string{inInstruction: "?", inComment: "--", inCDATA: "]]"}

// token is the current tag, comment or piece of text.
type token struct {
	state  state
	size   int     // bytes so far
	names  int     // bytes of a tag outside of values
	fields int     // attributes so far
	quote  byte    // ends the current value
	recent [2]byte // the last bytes since the state began

	opened, closed int // elements that began and ended; the caller sets them to 0
}

// pass takes in one or more bytes of p, up to where the state changes.
// It returns how many.
func (t *token) pass(p []byte) int {
	switch t.state {
	case atMark, atDeclaration:
		t.passMark(p[0])
		return 1
	case inText:
		n, found := t.upTo(p, bytes.IndexByte(p, '<'))
		if found {
			t.begin(atMark)
		}
		return n
	case inTag:
		return t.passTag(p)
	case inValue:
		n, found := t.upTo(p, bytes.IndexByte(p, t.quote))
		if found {
			t.enter(inTag)
		}
		return n
	}
	n, found := t.upTo(p, bytes.IndexByte(p, '>'))
	switch {
	case found && bytes.HasSuffix(t.recent[:], []byte(closers[t.state])):
		if t.state == inEndTag {
			t.closed++
		}
		t.begin(inText)
	case found:
		t.recent = [2]byte{}
	}
	return n
}

// begin begins the next token.
func (t *token) begin(s state) { *t = token{state: s, opened: t.opened, closed: t.closed} }

// enter goes to another state of the same token.
func (t *token) enter(s state) { t.state, t.recent = s, [2]byte{} }

// upTo takes in p up to its byte i, or all of p if i is negative. It
// returns how many bytes that is, and whether i is one of them. recent
// is then what comes before that byte.
func (t *token) upTo(p []byte, i int) (n int, found bool) {
	before := p
	if i >= 0 {
		before = p[:i]
	}
	switch last := len(before) - 1; {
	case last >= 1:
		t.recent = [2]byte{before[last-1], before[last]}
	case last == 0:
		t.recent = [2]byte{t.recent[1], before[0]}
	}
	n = len(p)
	if i >= 0 {
		n = i + 1
	}
	t.size += n
	return n, i >= 0
}

// passMark takes in a byte that decides what a tag is.
func (t *token) passMark(b byte) {
	t.size++
	dashes := t.recent[1] == '-'
	switch {
	case t.state == atDeclaration && b == '-' && !dashes:
		t.recent[1] = b
	case t.state == atDeclaration && (b == '-' || dashes): // <!-x is refused by encoding/xml
		t.enter(inComment)
	case t.state == atDeclaration && b == '[': // only CDATA[ can follow
		t.enter(inCDATA)
	case t.state == atDeclaration:
		t.enter(inDirective)
	case b == '/':
		t.enter(inEndTag)
	case b == '?':
		t.enter(inInstruction)
	case b == '!':
		t.enter(atDeclaration)
	default:
		t.opened++
		t.names++ // this byte begins the name
		t.enter(inTag)
	}
}

// passTag takes in a part of an element's start.
func (t *token) passTag(p []byte) int {
	n, found := t.upTo(p, indexTagEnd(p))
	t.names += n
	switch {
	case !found:
	case p[n-1] != '>':
		t.fields++
		t.quote = p[n-1]
		t.enter(inValue)
	default:
		if t.recent[1] == '/' {
			t.closed++
		}
		t.begin(inText)
	}
	return n
}

// indexTagEnd returns where a quote or ">" is in p, or -1.
func indexTagEnd(p []byte) int {
	for i, b := range p {
		if b == '"' || b == '\'' || b == '>' {
			return i
		}
	}
	return -1
}
