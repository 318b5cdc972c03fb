// Package azure stands in front of an emulated Azure account and lists
// its blobs in another order, as the accounts of Azure's data lake do
// (hierarchical namespace). It passes on all other requests unchanged.
package azure

import (
	"context"
	"encoding/xml"
	"io"
	"log" //nolint:depguard // the type that httputil.ReverseProxy takes
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/order"
	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// gate is a proxy. The server behind it checks each request first: only
// the answers to listings are replaced.
type gate struct {
	server  server
	compare order.Compare
	// directories shows directories as blobs with the metadata
	// hdi_isfolder, and says that the namespace is hierarchical.
	directories bool
}

func (g *gate) serve(ctx context.Context) (string, error) {
	at, err := url.Parse(g.server.Endpoint)
	if err != nil {
		return "", err
	}
	gateURL, err := web.Serve(ctx, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = at.Scheme, at.Host, r.In.Host
			r.Out.URL.RawQuery = r.In.URL.RawQuery // signed, so it must not be normalised
		},
		ModifyResponse: g.modify,
		ErrorLog:       log.New(io.Discard, "", 0),
	})
	return gateURL + at.Path, err
}

func (g *gate) modify(resp *http.Response) error {
	query := resp.Request.URL.Query()
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil
	case query.Get("restype") == "account":
		resp.Header.Set("X-Ms-Is-Hns-Enabled", strconv.FormatBool(g.directories))
	case resp.Request.Method == http.MethodGet && query.Get("comp") == "list" &&
		query.Get("restype") == "container":
		body, err := g.list(resp.Request.Context(), path.Base(resp.Request.URL.Path), query)
		web.Replace(resp, body)
		return err
	}
	return nil
}

// list returns a page of a container's blobs.
func (g *gate) list(ctx context.Context, container string, query url.Values) ([]byte, error) {
	all, err := g.server.list(ctx, container)
	if err != nil {
		return nil, err
	}
	if g.directories {
		all = append(all, directories(all)...)
	}
	most, _ := strconv.Atoi(query.Get("maxresults"))
	r := order.Range{Prefix: query.Get("prefix"), From: query.Get("startFrom"), Max: most}
	if marker := query.Get("marker"); marker != "" {
		r.After, r.From = marker, ""
	}
	page := g.compare.Select(all, r)

	var text strings.Builder
	text.WriteString(xml.Header + "<EnumerationResults><Blobs>")
	next := ""
	for _, e := range page.Entries {
		text.WriteString("<Blob>" + e.Text + "</Blob>")
		if page.More {
			next = e.Key
		}
	}
	text.WriteString("</Blobs><NextMarker>")
	err = xml.EscapeText(&text, []byte(next))
	text.WriteString("</NextMarker></EnumerationResults>")
	return []byte(text.String()), err
}

// directories returns the entries of all directories that hold blobs.
func directories(all []order.Entry) (found []order.Entry) {
	seen := map[string]bool{}
	for _, e := range all {
		for dir := path.Dir(e.Key); dir != "." && dir != "/" && !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
			var name strings.Builder
			_ = xml.EscapeText(&name, []byte(dir)) // a strings.Builder never fails
			found = append(found, order.Entry{Key: dir, Text: "<Name>" + name.String() + "</Name>" +
				"<Properties><Content-Length>0</Content-Length><Etag>0x1</Etag></Properties>" +
				"<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>"})
		}
	}
	return found
}
