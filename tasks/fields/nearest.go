package fields

import "strings"

// Nearest returns the name that is spelled most like a misspelt one. It
// returns an empty text when none is spelled nearly so. Case, dashes
// and underscores do not count: "accessKeyId" means "access_key_id".
func Nearest(misspelt string, names []string) string {
	const longest = 64
	if len(misspelt) > longest {
		return ""
	}
	want := plain(misspelt)
	nearest, least := "", (len(want)+2)/3+1
	for _, name := range names {
		if d := distance(want, plain(name)); d < least {
			nearest, least = name, d
		}
	}
	return nearest
}

// Suggest returns "; did you mean NAME?" for the nearest name, and an
// empty text when no name is near.
func Suggest(misspelt string, names []string) string {
	if near := Nearest(misspelt, names); near != "" && misspelt != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
}

// distance counts the bytes to insert, drop, replace or swap with their
// neighbour that turn one name into another.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 0
			if a[i-1] != b[j-1] {
				cost = 1
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
