package tasks

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// The orders of a manifest's entries. They are CVAT's sorting
// methods.
const (
	// SortingLexicographical is the order of the names by code
	// points.
	SortingLexicographical = "lexicographical"
	// SortingNatural has numbers in names by their value, so that
	// img2.jpg comes before img10.jpg. Case does not count.
	SortingNatural = "natural"
	// SortingPredefined is the order that the payload gives.
	SortingPredefined = "predefined"
)

var sortings = []string{SortingLexicographical, SortingNatural, SortingPredefined}

// ManifestOrder is a predefined order of a manifest's entries: a
// list of keys, or an object with one key a line. The keys are
// complete, as the bucket lists them. A key that comes again does
// not count. Entries that the order does not name come after the
// others, in lexicographical order.
type ManifestOrder struct {
	Keys []string `json:"keys,omitempty"`
	// Storage is where the object is; the source when absent.
	Storage *Storage `json:"storage,omitempty"`
	// Key is the key of the object.
	Key string `json:"key,omitempty"`
}

// OrderSource returns where the object with the predefined order
// is: the storage and the key. The key is empty if there is no such
// object.
func (j BuildManifest) OrderSource() (Storage, string) {
	if j.Order == nil {
		return Storage{}, ""
	}
	return destination(j.Source, j.Order.Storage), j.Order.Key
}

func (j BuildManifest) checkSorting(errs *fields.Errors) {
	if j.Sorting != "" {
		errs.OneOf("sorting", j.Sorting, sortings)
	}
	switch predefined := j.Sorting == SortingPredefined; {
	case predefined && j.Order == nil:
		errs.Add("order", "missing: sorting %q needs the keys in their order", j.Sorting)
	case !predefined && j.Order != nil:
		errs.Add("order", "only for sorting %q", SortingPredefined)
	case predefined:
		j.checkOrder(errs.In("order"))
	}
}

func (j BuildManifest) checkOrder(errs *fields.Errors) {
	o := j.Order
	if (len(o.Keys) > 0) == (o.Key != "") {
		errs.Add("", "give either keys or key")
		return
	}
	if i := slices.IndexFunc(o.Keys, notKey); i >= 0 {
		errs.Add(fmt.Sprintf("keys[%d]", i), "%q is no key: it is empty or not UTF-8", o.Keys[i])
	}
	if o.Key == "" {
		if o.Storage != nil {
			errs.Add("storage", "only with key")
		}
		return
	}
	if o.Storage != nil {
		o.Storage.Check(errs.In("storage"))
	}
	from, key := j.OrderSource()
	errs.Key("key", key)
	errs.Inside("key", from.Dir(), key)
}

func notKey(key string) bool { return key == "" || !utf8.ValidString(key) }
