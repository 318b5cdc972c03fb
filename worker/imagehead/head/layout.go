package head

// Layout is how an image's pixels are stored, as far as that decides
// how much memory decoding takes.
type Layout struct {
	Components  int         // samples of a pixel; 0 if the head is cut off
	Bits        int         // of a sample
	Passes      bool        // a progressive JPEG or an interlaced PNG
	RGB         bool        // a JPEG's three components are red, green and blue
	Palette     bool        // a PNG's samples are indexes of colours
	Transparent bool        // a PNG names a transparent colour
	Sampling    [4]Sampling // of a JPEG's components
}

// Sampling is how many samples of a component a JPEG has for each block
// of pixels, across and down: 1 to 4 in a valid file.
type Sampling struct{ H, V int }
