package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Probe implements providers.Prober. It needs no right but those that the storage is to be used with.
func (b *bucket) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	api, err := b.api(ctx)
	key := ""
	if err == nil {
		key, err = b.firstKey(ctx, api)
	}
	listed := b.check("list", err, "the bucket can be listed")
	checks := []tasks.Check{listed}
	// Without the right to list, reading and writing can still be told; without a server or a user they cannot.
	hopeless := err != nil && providers.KindOf(b.fail("list", "", err)) != providers.Denied
	for _, probe := range []struct {
		id     string
		wanted bool
		run    func() tasks.Check
	}{
		{"read", need.Read, func() tasks.Check { return b.probeRead(ctx, api, key, listed.Status) }},
		{"write", need.Write, func() tasks.Check { return b.probeWrite(ctx, api) }},
	} {
		switch {
		case probe.wanted && hopeless:
			checks = append(checks, tasks.Check{ID: probe.id, Status: tasks.CheckSkipped, Evidence: "the bucket could not be reached"})
		case probe.wanted:
			checks = append(checks, probe.run())
		}
	}
	return checks
}

func fewAttempts(o *sdk.Options) { o.Retryer = retryer(probeAttempts) }

// firstKey lists a little with the storage's prefix, because policies may be limited to it. It prefers an object with
// content, and is empty when there is none at all.
func (b *bucket) firstKey(ctx context.Context, api *sdk.Client) (key string, err error) {
	in := b.listInput(providers.ListOptions{Prefix: b.storage.Prefix})
	in.MaxKeys = aws.Int32(20)
	out, err := api.ListObjectsV2(ctx, in, fewAttempts)
	if err == nil && out.Name == nil {
		err = notS3()
	}
	if err != nil {
		return "", err
	}
	for _, o := range out.Contents {
		name, err := keyOf(out, o)
		if err != nil {
			return "", err
		}
		if key == "" || aws.ToInt64(o.Size) > 0 {
			key = name
		}
		if aws.ToInt64(o.Size) > 0 {
			break
		}
	}
	return key, nil
}

// probeRead reads one byte of an object. Without one it asks for a key that does not exist: who may list and read is told
// so, who may not read is refused.
func (b *bucket) probeRead(ctx context.Context, api *sdk.Client, key string, listed tasks.CheckStatus) tasks.Check {
	existing := key != ""
	if !existing {
		key = b.randomKey()
	}
	out, err := api.GetObject(ctx, &sdk.GetObjectInput{Bucket: b.name(), Key: aws.String(key), Range: aws.String("bytes=0-0")}, fewAttempts)
	if err == nil {
		_ = out.Body.Close()
		return tasks.Check{ID: "read", Status: tasks.CheckOK, Evidence: "read a byte of " + key}
	}
	e := b.fault("get", key, err)
	switch {
	case e.Status == http.StatusRequestedRangeNotSatisfiable:
		return tasks.Check{ID: "read", Status: tasks.CheckOK, Evidence: "read " + key + ", which is empty"}
	case !existing && e.Kind == providers.NotFound && e.Code != "NoSuchBucket":
		return tasks.Check{ID: "read", Status: tasks.CheckOK, Evidence: "there is no object to read; reading one would be allowed"}
	case !existing && listed != tasks.CheckOK && e.Kind == providers.Denied:
		return tasks.Check{
			ID: "read", Status: tasks.CheckUnknown, Code: e.Code,
			Evidence: "without the right to list, S3 does not tell a missing object from a forbidden one",
		}
	}
	return b.check("read", e, "")
}

// probeWrite puts one byte to a new key with a wrong checksum. A server checks the right to write first, then the
// condition and the checksum, and stores nothing.
func (b *bucket) probeWrite(ctx context.Context, api *sdk.Client) tasks.Check {
	key := b.randomKey()
	_, err := api.PutObject(ctx, &sdk.PutObjectInput{
		Bucket: b.name(), Key: aws.String(key), Body: bytes.NewReader([]byte("x")),
		IfNoneMatch: aws.String("*"), ContentMD5: aws.String("AAAAAAAAAAAAAAAAAAAAAA=="),
	}, fewAttempts, func(o *sdk.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired })
	if err == nil {
		return b.stored(ctx, api, key)
	}
	e := b.fault("put", key, err)
	switch {
	case e.Code == "BadDigest", e.Kind == providers.Conflict:
		return tasks.Check{ID: "write", Status: tasks.CheckOK, Code: e.Code, Evidence: "a write with a wrong checksum was refused only for its checksum"}
	case e.Kind == providers.Denied, e.Kind == providers.Unauthenticated, e.Kind == providers.NotFound, e.Kind == providers.Blocked:
		return b.check("write", e, "")
	}
	return tasks.Check{ID: "write", Status: tasks.CheckUnknown, Code: e.Code, Evidence: e.Error(), Fix: e.Fix}
}

// stored deals with a server that took the write, wrong checksum and all.
func (b *bucket) stored(ctx context.Context, api *sdk.Client, key string) tasks.Check {
	c := tasks.Check{
		ID: "write", Status: tasks.CheckWarn, Code: "ChecksumIgnored",
		Evidence: "the server does not check checksums: it stored the probe as " + key,
		Fix:      "Use a server that checks Content-MD5, or damage on the way stays unseen.",
	}
	if _, err := api.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: b.name(), Key: aws.String(key)}, fewAttempts); err != nil {
		c.Fix = fmt.Sprintf("Delete %s. %s", key, c.Fix)
	} else {
		c.Evidence += " and removed it again"
	}
	return c
}

func (b *bucket) randomKey() string {
	return b.storage.Dir() + ".stevedore-probe-" + strings.ToLower(rand.Text())
}

func (b *bucket) check(id string, err error, evidence string) tasks.Check {
	if err == nil {
		return tasks.Check{ID: id, Status: tasks.CheckOK, Evidence: evidence}
	}
	var e *providers.Error
	if !errors.As(err, &e) {
		e = b.fault(id, "", err)
	}
	return tasks.Check{ID: id, Status: tasks.CheckFail, Code: e.Code, Evidence: e.Error(), Fix: e.Advice()}
}
