package hostile

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
)

// behaviour is something wrong that a server does to requests.
type behaviour struct {
	name string // lower-case letters and dashes
	does string // one line for people
	ops  operations
	do   func(exchange) // answers a request
}

// replacement is wrong content of all objects of a type.
type replacement struct {
	name    string
	does    string
	op      tongue.Op // Image or Document
	content func() []byte
}

// Image and Document are not operations of a cloud. They say that the
// content of all images, or of all annotations, is wrong.
const (
	Image    tongue.Op = "image"
	Document tongue.Op = "document"
)

// replaces reports whether the content of a key is wrong.
func (r replacement) replaces(key string) bool {
	ending := map[tongue.Op]string{Image: ".jpg", Document: ".xml"}[r.op]
	return ending != "" && strings.HasSuffix(key, ending)
}

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
