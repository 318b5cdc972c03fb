package fields

import "net/url"

// Server checks the URL of a server, which may be empty. It refuses one
// that could hide credentials or another request. The faults do not
// repeat the text, which may hold a password.
func (e *Errors) Server(field, text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		e.Add(field, "not a URL")
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		e.Add(field, "must be http://host or https://host")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		e.Add(field, "must not hold a user, a query or a fragment")
	}
}

// Origin checks the origin of a web page.
func (e *Errors) Origin(field, text string) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.User != nil || u.Path+u.RawQuery+u.Fragment != "" {
		e.Add(field, "must be a scheme and a host, as browsers send it: https://app.example")
	}
}
