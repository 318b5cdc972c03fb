package keyorder

// Every order compares keys by the first byte at which they differ. It
// is defined by the ranks of the bytes there.
type definition struct {
	order Order
	name  string
	rank  func(b byte) int
}

var definitions = []definition{
	{Bytes, "bytes", byteRank},
	{UTF16, "utf-16", utf16Rank},
	{Directories, "directories", slashFirst(byteRank)},
	{DirectoriesUTF16, "directories-utf-16", slashFirst(utf16Rank)},
}

// byteRank has bytes in ascending order.
func byteRank(b byte) int { return int(b) }

// utf16Rank has the first bytes of U+E000 to U+FFFF after those of all
// higher code points. UTF-16 writes the higher ones with units that are
// less than U+E000. Bytes that start no character stay behind.
func utf16Rank(b byte) int {
	if b == 0xee || b == 0xef {
		return int(b) + 0x100
	}
	return int(b)
}

// slashFirst has the slash before all bytes of another order.
func slashFirst(rank func(b byte) int) func(b byte) int {
	return func(b byte) int {
		if b == '/' {
			return -1
		}
		return rank(b)
	}
}

// before holds, for each two bytes, the orders in which the first one
// comes before the second.
var before = newTable()

func newTable() *[256][256]Order {
	var t [256][256]Order
	for _, d := range definitions {
		for a := range t {
			for b := range t {
				if d.rank(byte(a)) < d.rank(byte(b)) {
					t[a][b] |= d.order
				}
			}
		}
	}
	return &t
}
