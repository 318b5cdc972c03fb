package hostile

import (
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/hostile/tongue"
)

const (
	pause = 3 * time.Second // between two bytes of a slow answer
	many  = 100_000         // of what an answer may repeat
)

// table lists the behaviours. To add one, add its line: a name, what
// it does, the operations that it does it to, and how. For each
// operation of a line, cmd/stevedore's test runs the jobs that use it,
// on each cloud.
func table() []behaviour {
	list := []tongue.Op{tongue.List}
	get := []tongue.Op{tongue.Get}
	reads := []tongue.Op{tongue.List, tongue.Stat, tongue.Get}
	stored := []tongue.Op{tongue.Put, tongue.Start, tongue.Part, tongue.Finish}
	writes := append([]tongue.Op{tongue.Token}, stored...)
	documents := append([]tongue.Op{tongue.List}, writes...) // answers that are XML or JSON
	any := append(writes, reads...)
	image, text := []tongue.Op{Image}, []tongue.Op{Document}

	return []behaviour{
		{"honest", "nothing is wrong", any, exchange.honest, nil},

		// Without end, or slow.
		{"endless", "the right answer, then its last piece again and again", any, exchange.endlessItems, nil},
		{"endless-spaces", "the right answer, then spaces without end", documents, exchange.endlessSpaces, nil},
		{"endless-refusal", "403 with a message without end", any, exchange.endlessRefusal, nil},
		{"endless-failure", "500 with a message without end", reads, exchange.endlessFailure, nil},
		{"endless-header", "a header without end", any, exchange.endlessHeader, nil},
		{"endless-interim", "answers with status 103 without end", any, exchange.endlessInterim, nil},
		{"slow", "the right answer, a byte every 3 seconds", any, exchange.slowBody, nil},
		{"slow-header", "a header, a byte every 3 seconds", any, exchange.slowHeader, nil},
		{"slow-refusal", "403, a byte every 3 seconds", any, exchange.slowRefusal, nil},
		{"silent", "no answer", any, exchange.silent, nil},
		{"deaf", "no answer, and the request is not read", stored, exchange.deaf, nil},

		// Listings.
		{"endless-objects", "a page with objects without end", list, exchange.endlessObjects, nil},
		{"endless-nothing", "a page with empty objects without end", list, exchange.endlessNothing, nil},
		{"endless-key", "a key without end", list, exchange.endlessKey, nil},
		{"endless-pages", "pages of 1,000 objects without end", list, exchange.endlessPages, nil},
		{"long-keys", "pages of keys of 300 kB without end", list, exchange.longKeys, nil},
		{"limit-keys", "pages of keys of 1,024 bytes without end", list, exchange.limitKeys, nil},
		{"empty-pages", "empty pages without end", list, exchange.emptyPages, nil},
		{"same-token", "empty pages with the same token", list, exchange.sameToken, nil},
		{"same-page", "the same objects on each page", list, exchange.samePage, nil},
		{"same-key", "a key 100,000 times", list, exchange.sameKey, nil},
		{"falling-keys", "keys in falling order", list, exchange.fallingKeys, nil},
		{"foreign-keys", "keys outside of the prefix", list, exchange.foreignKeys, nil},
		{"odd-keys", "keys with control characters and dots", list, exchange.oddKeys, nil},
		{"negative-sizes", "sizes below zero", list, sizes("-1"), nil},
		{"huge-sizes", "sizes of 8 EiB", list, sizes("9223372036854775807"), nil},
		{"impossible-sizes", "sizes that no integer holds", list, sizes("99999999999999999999"), nil},
		{"wordy-sizes", "sizes that are no numbers", list, sizes("many"), nil},
		{"huge-images", "sizes that are not those of the objects", list, sizes("1099511627776"), nil},

		// Missing, nested, repeated.
		{"null", "null, or an empty body", documents, exchange.null, nil},
		{"null-items", "null in place of each item, or empty elements", documents, exchange.nullItems, nil},
		{"hollow", "the right answer without its items", documents, exchange.hollow, nil},
		{"no-headers", "the right answer without its headers", any, exchange.noHeaders, nil},
		{"nested", "a million elements in each other", documents, exchange.nested, nil},
		{"attributes", "an element with 100,000 attributes", documents, exchange.attributes, nil},
		{"entities", "entities that stand for others", documents, exchange.entities, nil},
		{"web-page", "200 with a web page", any, exchange.webPage, nil},

		// Lengths, compression, early ends.
		{"too-long", "more bytes than the header says", any, exchange.tooLong, nil},
		{"too-short", "fewer bytes than the header says", any, exchange.tooShort, nil},
		{"huge-length", "the header says 8 EiB, and bytes follow without end", reads, exchange.hugeLength, nil},
		{"negative-length", "the header says -1 bytes", any, exchange.negativeLength, nil},
		{"other-range", "another range than was asked for", get, exchange.otherRange, nil},
		{"other-version", "another version at each request", reads, exchange.otherVersion, nil},
		{"gzip", "a compressed body of 10 GB", any, exchange.gzip, nil},
		{"reset", "the connection ends in the middle of the body", any, exchange.reset, nil},
		{"half-header", "the connection ends in the middle of the header", any, exchange.halfHeader, nil},
		{"no-http", "an answer that is not HTTP", any, exchange.noHTTP, nil},
		{"huge-headers", "200 kB of headers", any, exchange.hugeHeaders, nil},

		// Refusals.
		{"redirect", "a redirect to itself", any, exchange.redirect, nil},
		{"wait", "503, and a wish to wait for a year", any, exchange.wait, nil},
		{"changed", "412: the object has changed", any, exchange.changed, nil},
		{"no-progress", "a part is never taken", stored, exchange.noProgress, nil},

		// Content.
		{"pixels", "images of 20,000 x 20,000 pixels in a few bytes", image, nil, pixels(20_000, 3)},
		{"progressive", "progressive CMYK images of 9,000 x 9,000 pixels", image, nil, pixels(9_000, 4)},
		{"no-image", "images that are zeros", image, nil, zeros},
		{"nested-annotations", "a million elements in each other", text, nil, nestedAnnotations},
		{"long-name", "an image name of many directories", text, nil, longName},
		{"attribute-names", "an element with one attribute 8,000 times", text, nil, attributeNames},
		{"masks", "masks of 80 bytes that claim 134 million pixels", text, nil, masks},
		{"polygon", "a polygon with a million corners", text, nil, polygon},
		{"many-images", "100,000 images that do not exist", text, nil, manyImages},
	}
}
