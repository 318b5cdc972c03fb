package tongue

import (
	"net/http"
	"strings"
)

// azure is the API of Azure Blob Storage, with the account in the
// path.
type azure struct{}

// Parse implements Tongue.
func (azure) Parse(r *http.Request) Call {
	q := r.URL.Query()
	c := Call{Prefix: q.Get("prefix"), After: q.Get("startFrom"), Token: q.Get("marker")}
	_, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	c.Bucket, c.Key, _ = strings.Cut(rest, "/")
	c = c.withRange(r.Header.Get("X-Ms-Range"))
	c.Op = azureOp(r.Method, c.Key == "", q.Get("comp"))
	return c
}

func azureOp(method string, container bool, comp string) Op {
	switch {
	case container && comp == "list":
		return List
	case container:
		return Other
	case method == http.MethodPut && comp == "block":
		return Part
	case method == http.MethodPut && comp == "blocklist":
		return Finish
	case comp != "":
		return Other
	}
	return map[string]Op{
		http.MethodGet: Get, http.MethodHead: Stat, http.MethodPut: Put,
	}[method]
}

func azureHeader() map[string]string {
	return map[string]string{
		"ETag": etag, "Last-Modified": modified, "X-Ms-Request-Id": "0f34c4e6",
		"X-Ms-Version": "2021-12-02", "Content-Type": "application/xml",
	}
}

// Page implements Tongue.
func (azure) Page(_ Call, objects []Object, next string) Answer {
	a := Answer{
		Status: http.StatusOK, Header: azureHeader(),
		Head: `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>`,
		Tail: `</Blobs><NextMarker>` + next + `</NextMarker></EnumerationResults>`,
	}
	for _, o := range objects {
		a.Items = append(a.Items, `<Blob><Name>`+escape(o.Key)+`</Name><Properties><Etag>`+o.ETag+
			`</Etag><Content-Length>`+o.Size+`</Content-Length><Last-Modified>`+modified+
			`</Last-Modified><BlobType>BlockBlob</BlobType></Properties></Blob>`)
	}
	return a
}

// Object implements Tongue.
func (azure) Object(c Call, content []byte) Answer {
	header := azureHeader()
	header["X-Ms-Blob-Type"] = "BlockBlob"
	return c.content(content, header)
}

// Stored implements Tongue.
func (azure) Stored(Call, int64) Answer {
	return Answer{Status: http.StatusCreated, Header: azureHeader()}
}

// Nothing implements Tongue.
func (azure) Nothing(bool) string {
	return `<Blob><Properties/></Blob>`
}

// Refusal implements Tongue.
func (azure) Refusal(c Call, status int, message string) Answer {
	code := map[int]string{
		403: "AuthorizationPermissionMismatch", 404: "BlobNotFound", 503: "ServerBusy",
	}[status]
	header := azureHeader()
	header["X-Ms-Error-Code"] = code
	a := Answer{
		Status: status, Header: header,
		Head:  `<?xml version="1.0" encoding="utf-8"?><Error><Code>` + code + `</Code><Message>`,
		Items: []string{message},
		Tail:  `</Message></Error>`,
	}
	if c.Op == Stat {
		a.Head, a.Items, a.Tail = "", nil, ""
	}
	return a
}
