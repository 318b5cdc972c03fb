package imagehead

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Naming is what the name of an object says about it. Like CVAT, the jobs
// choose by name and read content only then.
type Naming int

// The namings.
const (
	NotImage   Naming = iota // no image
	Image                    // an image that CVAT takes and Pillow, with which it reads, opens
	Unreadable               // an image by its name that makes CVAT fail a whole task, because Pillow does not open it
)

// ByName tells what an object is by its key's extension, in any case. The
// lists were taken from CVAT 2.73: what CVAT's media.mimetypes and Python's
// mimetypes call an image, without SVG, split by whether Pillow has a reader
// for it.
func ByName(key string) Naming { return namings[strings.ToLower(Extension(key))] }

var namings = tabulate()

func tabulate() map[string]Naming {
	table := map[string]Naming{}
	for name := range strings.FieldsSeq(`apng avif bmp cur dds emf eps fits gif icb icns ico jfif jp2 jpe jpeg jpf jpg jpx pbm
		pcx pgm png pnm ppm psd ras rgb sgi tga tif tiff vda vst webp wmf xbm xpm`) {
		table["."+name] = Image
	}
	for name := range strings.FieldsSeq(`3ds arw cr2 djvu dng dwg dxf exr hdr heic heif jxl nef orf pict raf raw rw2 xcf`) {
		table["."+name] = Unreadable
	}
	return table
}

// Extension is the extension of a key with its dot, by the rules of Python's
// os.path.splitext, which CVAT uses: from the last dot of the last path
// segment, whose leading dots do not count. It may be empty.
func Extension(key string) string {
	name := key[strings.LastIndexByte(key, '/')+1:]
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 || strings.Trim(name[:dot], ".") == "" {
		return ""
	}
	return name[dot:]
}

// FirstRead is how many bytes of an image to read first, going by its name.
// 16 KiB are enough for seven JPEGs in eight, as cameras put a preview before
// the size; the others have the size at the very front.
func FirstRead(key string) int64 {
	switch written(key) {
	case JPEG, "":
		return 16 << 10
	}
	return 4 << 10
}

// Blame names the cause of an error of Read better where the name of the
// object helps: content that is no known type is a broken image in a .jpg,
// but a type that is not read yet in a .tga, which has no mark to know it by.
func Blame(key string, err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeCorrupt || e.Type != "" {
		return err
	}
	if t := written(key); t == JPEG || t == PNG {
		return err
	}
	return &Error{Code: CodeUnsupported, Detail: fmt.Sprintf("%s is not read yet (there are jpeg, png), and %s", Extension(key), e.Detail)}
}

// written is the type that a key's extension stands for: JPEG, PNG, "other",
// or empty without an extension.
func written(key string) Type {
	switch strings.ToLower(Extension(key)) {
	case ".jpg", ".jpeg", ".jpe", ".jfif":
		return JPEG
	case ".png", ".apng":
		return PNG
	case "":
		return ""
	}
	return "other"
}

// maxKey is CVAT's MAX_FILENAME_LENGTH, in characters.
const maxKey = 1024

// CheckKey refuses the keys that labelling tools cannot name again (CVAT
// 2.73, cvat/utils/paths.py: problem_with_untrusted_path): those that are no
// canonical relative path, hold a backslash, which CVAT turns into a slash,
// are no UTF-8, or are longer than 1024 characters. The error is an *Error
// with CodeUnusableKey.
func CheckKey(key string) error {
	var problem string
	switch {
	case key == "":
		problem = "the key is empty"
	case !utf8.ValidString(key):
		problem = "the key is not valid UTF-8"
	case utf8.RuneCountInString(key) > maxKey:
		problem = fmt.Sprintf("the key is longer than %d characters", maxKey)
	case strings.ContainsRune(key, '\\'):
		problem = `the key holds a backslash, which CVAT turns into a slash`
	case strings.HasPrefix(key, "/"):
		problem = "the key starts with a slash"
	default:
		problem = badSegment(key)
	}
	if problem == "" {
		return nil
	}
	return &Error{Code: CodeUnusableKey, Detail: problem}
}

func badSegment(key string) string {
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Sprintf("the key has the path segment %q", segment)
		}
	}
	return ""
}
