package client

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"golang.org/x/text/transform"
)

// A key may have control characters, which XML 1.0 cannot hold. AWS
// encodes keys in listings so that they can be listed all the same.
// A server that does not encode them sends XML that no parser
// reads, and one such key would make its whole bucket unusable. So
// the characters are replaced before the answer is parsed, and
// restored in the keys.

// replacement plus a control character is what replaces it: a
// character of a private use area, which keys hardly ever have.
const replacement = 0x10ff00

// readableListings makes the answers to listings readable for an
// XML parser.
type readableListings struct {
	next interface {
		Do(r *http.Request) (*http.Response, error)
	}
}

// Do implements the SDK's HTTPClient.
func (l readableListings) Do(r *http.Request) (*http.Response, error) {
	answer, err := l.next.Do(r)
	if err != nil || answer.StatusCode != http.StatusOK ||
		awsmiddleware.GetOperationName(r.Context()) != "ListObjectsV2" {
		return answer, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{transform.NewReader(answer.Body, controlReplacer{}), answer.Body}
	return answer, nil
}

// restoreControls restores the control characters of a key.
func restoreControls(key string) string {
	if !strings.Contains(key, "\xf4\x8f\xbc") { // how replacements begin in UTF-8
		return key
	}
	return strings.Map(func(r rune) rune {
		if r >= replacement && isControl(r-replacement) {
			return r - replacement
		}
		return r
	}, key)
}

// isControl reports whether XML 1.0 cannot hold a character below
// the space.
func isControl(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' }

// controlReplacer replaces control characters, and references to
// them such as "&#x1;".
type controlReplacer struct{ transform.NopResetter }

// maxReference is the longest reference that is looked at, in
// bytes.
const maxReference = len("&#x0010ffff;")

// Transform implements transform.Transformer.
func (controlReplacer) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		run := plainRun(src[nSrc:])
		n := copy(dst[nDst:], src[nSrc:nSrc+run])
		nDst, nSrc = nDst+n, nSrc+n
		if n < run {
			return nDst, nSrc, transform.ErrShortDst
		}
		if nSrc == len(src) {
			break
		}
		control, size, err := controlAt(src[nSrc:], atEOF)
		if err != nil {
			return nDst, nSrc, err
		}
		if len(dst)-nDst < utf8.UTFMax {
			return nDst, nSrc, transform.ErrShortDst
		}
		if control < 0 {
			dst[nDst] = src[nSrc]
			nDst, nSrc = nDst+1, nSrc+1
			continue
		}
		nDst += utf8.EncodeRune(dst[nDst:], replacement+control)
		nSrc += size
	}
	return nDst, nSrc, nil
}

// plainRun returns how many bytes there are before the next control
// character or reference.
func plainRun(src []byte) int {
	for i, c := range src {
		if c == '&' || isControl(rune(c)) {
			return i
		}
	}
	return len(src)
}

// controlAt returns the control character at the start of a text,
// as it is or as a reference, and how many bytes that takes. If the
// text does not begin with one, the character is negative.
func controlAt(src []byte, atEOF bool) (control rune, size int, err error) {
	if src[0] != '&' {
		return rune(src[0]), 1, nil
	}
	text := string(src[:min(len(src), maxReference)])
	reference, _, complete := strings.Cut(text, ";")
	if !complete {
		if len(text) < maxReference && !atEOF {
			return 0, 0, transform.ErrShortSrc
		}
		return -1, 0, nil
	}
	if value, ok := referenced(reference); ok {
		return value, len(reference) + 1, nil
	}
	return -1, 0, nil
}

// referenced returns the control character that a reference without
// its semicolon stands for.
func referenced(reference string) (control rune, ok bool) {
	number, ok := strings.CutPrefix(reference, "&#")
	if !ok {
		return 0, false
	}
	base := 10
	if hex, isHex := strings.CutPrefix(number, "x"); isHex {
		number, base = hex, 16
	}
	value, err := strconv.ParseUint(number, base, 8)
	return rune(value), err == nil && isControl(rune(value))
}
