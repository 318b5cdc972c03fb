package servers

import (
	"maps"
	"net/url"
	"strings"
	"time"
)

const sasVersion = "2021-12-02"

// SAS makes an account SAS that lists, reads and writes for a month.
// parts change it: names and values in turn; an empty value removes a
// part. See "Create an account SAS" of the REST reference.
func (s AzureServer) SAS(parts ...string) string {
	f := sasFields{
		"ss": "b", "srt": "co", "sp": "rwl", "se": SASTime(30 * 24 * time.Hour),
		"spr": "https,http", "sv": sasVersion,
	}
	f.change(parts)
	toSign := []string{s.Account}
	toSign = append(toSign, f.values("sp", "ss", "srt", "st", "se", "sip", "spr", "sv")...)
	return s.signed(f, append(toSign, "", ""))
}

// ContainerSAS makes a service SAS of one container in the same way.
// See "Create a service SAS" of the REST reference.
func (s AzureServer) ContainerSAS(container string, parts ...string) string {
	f := sasFields{"sr": "c", "sp": "rwl", "se": SASTime(30 * 24 * time.Hour), "sv": sasVersion}
	f.change(parts)
	toSign := append(f.values("sp", "st", "se"), "/blob/"+s.Account+"/"+container)
	toSign = append(toSign, f.values("si", "sip", "spr", "sv", "sr")...)
	return s.signed(f, append(toSign, "", "", "", "", "", "", ""))
}

// SASTime returns a time from now on, for the parts st and se of a
// SAS.
func SASTime(from time.Duration) string {
	return time.Now().UTC().Add(from).Format(time.RFC3339)
}

// sasFields holds the parts of a SAS.
type sasFields map[string]string

func (f sasFields) change(parts []string) {
	for i := 0; i+1 < len(parts); i += 2 {
		f[parts[i]] = parts[i+1]
	}
	maps.DeleteFunc(f, func(_, value string) bool { return value == "" })
}

func (f sasFields) values(names ...string) []string {
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = f[name]
	}
	return values
}

func (s AzureServer) signed(f sasFields, toSign []string) string {
	query := url.Values{}
	for name, value := range f {
		query.Set(name, value)
	}
	query.Set("sig", s.sign(strings.Join(toSign, "\n")))
	return query.Encode()
}
