package azure

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/order"
)

const version = "2021-12-02" // of the REST API

// server is the account behind a gate.
type server struct {
	Endpoint string `json:"endpoint"` // with the account in its path
	Account  string `json:"account"`
	Key      string `json:"key"` // in base64
}

// list returns all blobs of a container.
func (s server) list(ctx context.Context, container string) (all []order.Entry, err error) {
	for marker := ""; ; {
		page, err := s.page(ctx, container, marker)
		if err != nil {
			return nil, err
		}
		for _, b := range page.Blobs.Blob {
			all = append(all, order.Entry{Key: b.Name, Text: b.Text})
		}
		if marker = page.NextMarker; marker == "" {
			return all, nil
		}
	}
}

// enumeration is a page of List Blobs.
type enumeration struct {
	Blobs struct {
		Blob []struct {
			Name string
			Text string `xml:",innerxml"`
		}
	}
	NextMarker string
}

func (s server) page(ctx context.Context, container, marker string) (page enumeration, err error) {
	query := url.Values{
		"restype": {"container"}, "comp": {"list"}, "include": {"metadata"}, "marker": {marker},
	}
	target := s.Endpoint + "/" + container + "?" + query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return page, err
	}
	if err := s.sign(req); err != nil {
		return page, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return page, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return page, fmt.Errorf("list %s: %s", container, resp.Status)
	}
	return page, xml.NewDecoder(resp.Body).Decode(&page)
}

// sign signs a GET with the account's key. See "Authorize with Shared
// Key" of the REST reference.
func (s server) sign(r *http.Request) error {
	key, err := base64.StdEncoding.DecodeString(s.Key)
	if err != nil {
		return err
	}
	date := time.Now().UTC().Format(http.TimeFormat)
	r.Header.Set("X-Ms-Date", date)
	r.Header.Set("X-Ms-Version", version)
	text := r.Method + strings.Repeat("\n", 12) +
		"x-ms-date:" + date + "\nx-ms-version:" + version +
		"\n/" + s.Account + r.URL.EscapedPath()
	query := r.URL.Query()
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		text += "\n" + name + ":" + query.Get(name)
	}
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(text))
	r.Header.Set("Authorization", "SharedKey "+s.Account+":"+
		base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}
