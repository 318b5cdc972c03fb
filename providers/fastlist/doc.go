// Package fastlist lists a large bucket in several streams at once, and
// returns the objects in the bucket's own order, each once.
//
// It knows providers.Bucket and keys. It knows no cloud and no network.
//
// # The problem
//
// A cloud lists a bucket in pages of about 1,000 objects. Each page
// starts after the last key of the page before, so one stream needs
// 1,000 requests, one after the other, for a million objects. Listing
// from several places at once is faster. But where do the places lie?
// Nobody knows the keys before they are listed.
//
// # The idea
//
// Keys are read as numbers. The keys that were seen so far tell which
// bytes occur at which position (keyModel), and how far apart in that
// number space two pages are (pageSpan). Words of different lengths
// shift the positions behind them, so it also counts which bytes came
// before (contexts). From that follows a guess: the key four pages
// further on is about here. Another stream starts to list at the guess,
// and the first stream ends there. A wrong guess costs requests, never
// an object: every key between two guesses is listed by exactly one
// stream.
//
// # The order of the bucket
//
// Guesses are made for the order of bytes. In another order a guess may
// lie elsewhere than thought, and often the order is not even known. So
// no stream decides by comparing keys where its range ends. It lists on
// until it meets the very key with which the next stream has begun
// (listing.reach). If it must have passed that key without meeting it,
// it lists the next stream's range too (listing.absorb).
//
// # An example
//
// A bucket holds img-000001 to img-040000, and a caller allows 16
// streams. One stream lists the first three pages (soloObjects). Their
// last keys are
//
//	img-001000   img-002000   img-003000
//
// The first and the last of them differ from position 6 on, counted
// from 0: the thousands. From there on only the bytes 0 to 9 were seen.
// As numbers in units of that position the keys are
//
//	1.000        2.000        3.000
//
// so one page spans 1.0 units. A piece shall have four pages
// (pagesPerPiece), so the first guess is 3 + 4 = 7.0. A guess need not
// be exact, so its last digits are left out (pointPrecision): img-0070.
// The second guess is 7 + 4 = 11.0. A position has only ten digits, so
// one is carried to the position before: img-0110.
//
// Now there are three segments, and each has a stream:
//
//	(img-003000, img-0070]   (img-0070, img-0110]   (img-0110, end)
//
// The caller takes pages from the first segment. Pages of the later
// ones wait in a buffer. The first page of the last segment shows where
// its keys really lie, so the segment can be split again, into more
// pieces than before because the last guess was good.
//
// Where no further key is known, nothing is guessed. A stream then
// starts behind the directory, or the word, that the last pages have in
// common (listing.pieces): whatever comes there, it is in the right
// place.
//
// # What bounds it
//
//   - At most as many requests at once as the caller allows. Segments near
//     the caller's position have priority (listing.mayRequest).
//   - At most eight pages a stream wait in the buffer, on average, and four
//     more of those that the caller needs soon. A stream that would exceed
//     it waits (buffer).
//   - At most 40 percent more requests than one stream would make, and one
//     more for each stream: a piece costs up to one request, and the number
//     of pieces is bounded (splitter.allowance). After an empty piece, fewer
//     are split off at a time.
//   - If a stream fails, or the server does not start where it was asked
//     to, one stream alone lists the rest, and its error is the listing's
//     (listing.takeOver).
package fastlist
