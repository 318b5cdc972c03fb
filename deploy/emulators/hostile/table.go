package hostile

import (
	"slices"
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
)

const (
	pause = 3 * time.Second // between two bytes of a slow answer
	many  = 100_000         // of what an answer may repeat
)

// operations are those that a behaviour happens to.
type operations []tongue.Op

func listings() operations { return operations{tongue.List} }

func reads() operations { return operations{tongue.List, tongue.Stat, tongue.Get} }

func uploads() operations {
	return operations{tongue.Put, tongue.Start, tongue.Part, tongue.Finish}
}

// documents are the operations whose answer is XML or JSON.
func documents() operations {
	return append(uploads(), tongue.Token, tongue.List)
}

func all() operations {
	return append(uploads(), tongue.Token, tongue.List, tongue.Stat, tongue.Get)
}

// behaviours lists what can be wrong with answers. To add a behaviour,
// add its line: a name, what it does, to which operations, and how. For
// each operation of a line, cmd/stevedore's test runs the jobs that use
// it, on each cloud.
func behaviours() []behaviour {
	return slices.Concat(streams(), pages(), shapes(), lengths())
}

func streams() []behaviour {
	return []behaviour{
		{"honest", "nothing is wrong", all(), honest},
		{"endless", "the last piece of the answer is repeated without end", all(), endless},
		{"endless-spaces", "spaces without end follow the answer", documents(), endlessSpaces},
		{"endless-refusal", "403 with a message without end", all(), endlessRefusal},
		{"endless-failure", "500 with a message without end", reads(), endlessFailure},
		{"endless-header", "a header without end", all(), endlessHeader},
		{"endless-interim", "answers with status 103 without end", all(), endlessInterim},
		{"slow", "the body comes as a byte every 3 seconds", all(), slow},
		{"drip", "the body comes as ten bytes a second", all(), drip},
		{"endless-drip", "the body goes on with 100 kB a second", all(), endlessDrip},
		{"tiny-chunks", "spaces without end, each in a chunk of its own", documents(), tinyChunks},
		{"chunk-extensions", "chunks with an extension of 1 kB each", all(), chunkExtensions},
		{"endless-trailer", "a trailer without end", all(), endlessTrailer},
		{"slow-header", "the header comes as a byte every 3 seconds", all(), slowHeader},
		{"slow-refusal", "403, whose body is a byte every 3 seconds", all(), slowRefusal},
		{"silent", "no answer", all(), silent},
		{"deaf", "no answer, and the request is not read", uploads(), deaf},
	}
}

func pages() []behaviour {
	return []behaviour{
		{"endless-objects", "a page with objects without end", listings(), endlessObjects},
		{"endless-nothing", "a page with empty objects without end", listings(), endlessNothing},
		{"endless-key", "a key without end", listings(), endlessKey},
		{"endless-pages", "pages of 1,000 objects without end", listings(), endlessPages},
		{"long-keys", "pages with keys of 300 kB without end", listings(), longKeys},
		{"limit-keys", "pages with keys of 1,024 bytes without end", listings(), limitKeys},
		{"deep-keys", "pages with keys of 500 directories", listings(), deepKeys},
		{"long-etags", "pages with ETags of 300 kB without end", listings(), longETags},
		{"long-token", "pages with tokens of 5 MB", listings(), longToken},
		{"empty-pages", "empty pages without end", listings(), emptyPages},
		{"same-token", "empty pages with the same token", listings(), sameToken},
		{"same-page", "the same objects on each page", listings(), samePage},
		{"same-key", "a key 100,000 times", listings(), sameKey},
		{"falling-keys", "keys in falling order", listings(), fallingKeys},
		{"foreign-keys", "keys outside of the prefix", listings(), foreignKeys},
		{"odd-keys", "keys with control characters and dots", listings(), oddKeys},
		{"negative-sizes", "sizes below zero", listings(), sizes("-1")},
		{"huge-sizes", "sizes of 8 EiB", listings(), sizes("9223372036854775807")},
		{"large-sizes", "sizes of 1 TB, which are not right", listings(), sizes("1000000000000")},
		{"too-huge-sizes", "sizes that no integer holds", listings(), sizes("1e30")},
		{"wordy-sizes", "sizes that are no numbers", listings(), sizes("many")},
	}
}

func shapes() []behaviour {
	return []behaviour{
		{"null", "null, or an empty body", documents(), null},
		{"null-items", "null, or empty elements, in place of items", documents(), nullItems},
		{"hollow", "the answer without its items", documents(), hollow},
		{"no-headers", "the answer without the headers of the API", all(), noHeaders},
		{"nested", "a million elements in each other", documents(), nested},
		{"attributes", "an element with 100,000 attributes", documents(), attributes},
		{"entities", "entities that stand for ten others each", documents(), entities},
		{"web-page", "200 with a web page", all(), webPage},
		{"redirect", "a redirect to itself", all(), redirect},
		{"elsewhere", "a redirect to the metadata service", all(), elsewhere},
		{"other-region", "a redirect to a new region each time", all(), otherRegion},
		{"upgrade", "101: another protocol", all(), upgrade},
		{"odd-status", "status 999", all(), oddStatus},
		{"encoding", "XML in an unknown encoding", documents(), encoding},
		{"numbers", "numbers with a million digits", documents(), numbers},
		{"wait", "503, and a wish to wait for a year", all(), wait},
		{"changed", "412: the object has changed", all(), changed},
		{"other-range", "another range than was asked for", operations{tongue.Get}, otherRange},
		{"other-version", "another version at each request", reads(), otherVersion},
		{"no-progress", "no part of an upload is taken", uploads(), noProgress},
	}
}

func lengths() []behaviour {
	return []behaviour{
		{"too-long", "more bytes than the header says", all(), tooLong},
		{"too-short", "fewer bytes than the header says", all(), tooShort},
		{"huge-length", "8 EiB by the header, and bytes without end", reads(), hugeLength},
		{"negative-length", "-1 bytes by the header", all(), negativeLength},
		{"compressed", "a compressed body of 10 GB", all(), compressed},
		{"two-lengths", "two different lengths in the header", all(), twoLengths},
		{"reset", "the connection ends in the middle of the body", all(), reset},
		{"half-header", "the connection ends in the middle of the header", all(), halfHeader},
		{"no-http", "an answer that is not HTTP", all(), noHTTP},
		{"huge-headers", "200 kB of headers", all(), hugeHeaders},
	}
}

// replacements lists what can be wrong with the content of objects. To
// add one, add its line: a name, what the content is, of which objects,
// and the content.
func replacements() []replacement {
	return []replacement{
		{"pixels", "images of 20,000 x 20,000 pixels in 64 kB", Image, pixels(20_000, 3)},
		{"progressive", "progressive CMYK of 9,000 x 9,000 pixels", Image, pixels(9_000, 4)},
		{"deep-png", "PNG of 8,000 x 8,000 pixels of 8 bytes in 1 MB", Image, deepPNG()},
		{"no-image", "images that are zeros", Image, zeros},
		{"nested-annotations", "a million elements in each other", Document, nestedAnnotations},
		{"long-name", "an image in 100,000 directories", Document, longName},
		{"same-attribute", "an attribute 8,000 times", Document, sameAttribute},
		{"masks", "600 masks that claim 134 million pixels", Document, masks},
		{"polygon", "a polygon with a million corners", Document, polygon},
		{"many-images", "100,000 images that do not exist", Document, manyImages},
	}
}
