package driver

import (
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// Listing decides for each key that a server lists whether it belongs
// to a call of providers.Bucket.List. It finds out the order of the
// bucket from the keys. Make one for each call with NewListing.
//
// It does not expect the server to start where it was asked to, or to
// list only the prefix that it was asked for.
type Listing struct {
	// InCharacters says that the bucket limits its keys to 1,024
	// characters, not bytes.
	InCharacters bool

	opts  providers.ListOptions
	known *KnownOrder    // of the bucket
	order keyorder.Order // the orders that fit what is known, and this listing
	last  string         // the last key that the server listed
	begun bool           // the server has listed a key
	past  bool           // After lies behind
	done  bool

	startIgnored bool // the server has listed a key before After

	token string // of the page that comes next
	empty int    // pages without objects, one after the other
}

// NewListing makes a Listing. It teaches known what it finds out.
func NewListing(opts providers.ListOptions, known *KnownOrder) *Listing {
	l := &Listing{opts: opts, known: known, order: known.KeyOrder()}
	if opts.Order != 0 {
		l.order &= opts.Order
	}
	l.past = opts.After == "" || l.order.Before(opts.After, opts.Prefix)
	l.done = l.isBehindPrefix(opts.After)
	return l
}

// Done reports whether no key that follows can belong to the listing,
// so that no further page is needed.
func (l *Listing) Done() bool { return l.done }

// Directory returns the longest directory, with a slash at its end,
// that holds all keys of the listing; else an empty string. A listing
// of the directory alone has all of them: in every order the keys of a
// directory follow each other.
func (l *Listing) Directory() string {
	within := l.opts.Prefix
	if l.opts.Through != "" {
		both := keyorder.FirstDifference(l.opts.After, l.opts.Through)
		if both > len(within) {
			within = l.opts.Through[:both]
		}
	}
	return within[:strings.LastIndexByte(within, '/')+1]
}

// Restart reports whether it saves requests to list again, with another
// prefix: the server has ignored After, and the keys that are wanted
// are all in one directory below the prefix. The caller then begins a
// new listing of the server, with the prefix that Restart returns. Call
// it between two pages.
func (l *Listing) Restart(prefix string) (string, bool) {
	directory := l.Directory()
	if !l.startIgnored || l.past || len(directory) <= len(prefix) {
		return "", false
	}
	l.begun, l.token = false, ""
	return directory, true
}

// Take reports whether the next object that the server lists belongs to
// the listing. It fails as Invalid if no storage service can have such
// an object, for example because the key is longer than 1,024 bytes
// (KeyTooLong); if the keys are in no known order (UnorderedListing);
// or if the server ignores After and that is not allowed
// (StartIgnored).
func (l *Listing) Take(o providers.Object) (bool, error) {
	key := o.Key
	err := checkKey(key, l.InCharacters)
	if err == nil {
		err = CheckObject(o)
	}
	if err == nil {
		err = l.follow(key)
	}
	if err != nil {
		return false, err
	}
	opts := l.opts
	switch {
	case l.done:
		return false, nil
	case l.isBehindPrefix(key), opts.Through != "" && l.order.Before(opts.Through, key):
		l.done = true
		return false, nil
	}
	l.done = opts.Through != "" && key == opts.Through
	isPast, err := l.isPastStart(key)
	return isPast && strings.HasPrefix(key, opts.Prefix), err
}

// ShortPage is the number of objects that a listing asks for when a
// page of the usual length was too much (limits.IsTooMuch).
const ShortPage = 250

// maxEmptyPages bounds the pages without objects that follow each
// other. Servers send such pages while they pass objects that were
// deleted.
const maxEmptyPages = 1000

// Page takes note of a page that the server has sent: how many objects
// it has, and the token of the next page, which is empty if there is
// none. It fails as Invalid if the server would send empty pages
// forever (EndlessListing).
func (l *Listing) Page(objects int, next string) error {
	repeats := next == l.token && l.token != ""
	l.token = next
	if objects > 0 || next == "" {
		l.empty = 0
		return nil
	}
	l.empty++
	switch {
	case repeats:
		return endless("a page without objects, and the same token again for the next one")
	case l.empty > maxEmptyPages:
		return endless(fmt.Sprintf("more than %d pages without objects, one after the other",
			maxEmptyPages))
	}
	return nil
}

func endless(what string) error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "EndlessListing",
		Detail: "the server answers a listing with " + what,
		Fix:    "Check the server: its listing does not end.",
	}
}

// follow checks that a key follows the last one.
func (l *Listing) follow(key string) error {
	if l.order == 0 {
		return orderChanged(l.known.KeyOrder(), l.opts.Order)
	}
	if l.begun {
		order := l.order.Narrow(l.last, key)
		if order == 0 {
			return providers.Unordered(l.last, key)
		}
		l.order = order
		l.known.Learn(order)
	}
	l.last, l.begun = key, true
	return nil
}

// isPastStart reports whether a key comes after After, or may do so.
func (l *Listing) isPastStart(key string) (bool, error) {
	after := l.opts.After
	switch {
	case l.past:
		return true, nil
	case key == after:
		l.past = true
		return false, nil
	case l.order.Before(key, after):
		if l.opts.Direct {
			return false, StartIgnored()
		}
		l.startIgnored = true
		return false, nil
	}
	l.past = l.order.Before(after, key)
	return true, nil
}

// isBehindPrefix reports whether a position comes after all keys that
// start with the prefix. In every order these keys follow each other.
func (l *Listing) isBehindPrefix(at string) bool {
	return !strings.HasPrefix(at, l.opts.Prefix) && l.order.Before(l.opts.Prefix, at)
}

func orderChanged(known, earlier keyorder.Order) error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "OrderChanged",
		Detail: fmt.Sprintf("the bucket lists its keys in another order than earlier: %s, not %s",
			known, earlier),
		Fix: "Start the job again as a new one: its shards were cut in the earlier order.",
	}
}

// StartIgnored makes the error for a server that does not start a
// listing where it is asked to.
func StartIgnored() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "StartIgnored",
		Detail: "the server does not start a listing where it is asked to",
		Fix:    "List with one stream.",
	}
}
