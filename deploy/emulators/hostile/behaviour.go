package hostile

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
)

// behaviour is something wrong that a server does to requests.
type behaviour struct {
	name string // lower-case letters and dashes
	does string // one line for people
	ops  []tongue.Op
	// do answers a request of one of ops.
	do func(exchange)
	// content, in place of do, returns the content of all images, or of
	// all annotations.
	content func() []byte
}

// Image and Document are operations like tongue.Get, but only on
// images and on annotations: what is wrong with them is the content.
const (
	Image    tongue.Op = "image"
	Document tongue.Op = "document"
)

// name is what the name of a bucket says: OPERATION-BEHAVIOUR-SUFFIX.
// The suffix makes the names of buckets different, and has no dash.
type name struct {
	op        tongue.Op
	behaviour string
}

func parseName(bucket string) name {
	op, rest, _ := strings.Cut(bucket, "-")
	behaviour := rest
	if end := strings.LastIndexByte(rest, '-'); end >= 0 {
		behaviour = rest[:end]
	}
	return name{tongue.Op(op), behaviour}
}
