package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// document and statement are written in IAM's policy language.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid       string
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    []string
	Resource  []string                     `json:",omitempty"`
	Condition map[string]map[string]string `json:",omitempty"`
}

const languageVersion = "2012-10-17" // of IAM's policy language: the newest there is

var (
	keyARN    = regexp.MustCompile(`^arn:(aws[a-z-]*):kms:([a-z0-9-]+):[0-9]{12}:(key|alias)/\S+$`)
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
)

// S3Identity returns the IAM policy of the user or role that a
// storage is used with, in one line.
func S3Identity(s tasks.Storage, u Uses) string {
	text, err := json.Marshal(document{languageVersion, s3Identity(s, u)})
	if err != nil {
		return err.Error() // only of values that this package does not make
	}
	return string(text)
}

// S3 writes what a bucket of AWS S3 needs for its uses. The error
// names uses that are not valid.
func S3(s tasks.Storage, u Uses) ([]Section, error) {
	if err := u.checkS3(); err != nil {
		return nil, err
	}
	sections := []Section{{
		"IAM policy of the user or role that the storage is used with",
		indented(document{languageVersion, s3Identity(s, u)}),
	}}
	if u.TrustAccount != "" {
		sections = append(sections, Section{
			"Trust policy of the role that the workers assume (IAM, Roles, Trust relationships)",
			indented(document{languageVersion, []statement{s3Trust(s, u)}}),
		})
	}
	if u.KMSKey != "" {
		sections = append(sections, Section{
			"If the key is of another account: this statement in its key policy too, " +
				"with a Principal, the user's or role's ARN",
			indented(s3Key(u)),
		})
	}
	if u.CORS != nil {
		sections = append(sections, Section{
			"CORS of the bucket (Permissions, Cross-origin resource sharing)",
			indented([]s3CORSRule{newS3CORSRule(*u.CORS)}),
		})
	}
	return sections, nil
}

func (u Uses) checkS3() error {
	switch {
	case u.KMSKey != "" && !keyARN.MatchString(u.KMSKey):
		return fmt.Errorf("%q is not the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID",
			u.KMSKey)
	case u.TrustAccount != "" && !accountID.MatchString(u.TrustAccount):
		return fmt.Errorf("%q is not an AWS account ID of 12 digits", u.TrustAccount)
	case (u.TrustAccount == "") != (u.ExternalID == ""):
		return errors.New("a role that workers assume needs both: " +
			"the account to trust and an external ID")
	}
	return nil
}

// s3Identity grants exactly the calls that the uses make. The right
// to list only a prefix is enough to see which of its keys exist.
func s3Identity(s tasks.Storage, u Uses) []statement {
	bucket, dir := S3Resource(s), literal(s.Dir())
	list := statement{
		Sid:      "List",
		Effect:   "Allow",
		Action:   []string{"s3:ListBucket"},
		Resource: []string{bucket},
	}
	if u.Versions {
		list.Action = append(list.Action, "s3:ListBucketVersions")
	}
	if dir != "" {
		list.Condition = map[string]map[string]string{"StringLike": {"s3:prefix": dir + "*"}}
	}
	statements := []statement{list}

	objects := statement{
		Sid:      "Objects",
		Effect:   "Allow",
		Resource: []string{S3Objects(s) + dir + "*"},
	}
	if u.Read {
		objects.Action = append(objects.Action, "s3:GetObject")
	}
	if u.Write {
		// Without the second right, an upload that breaks off leaves
		// parts behind that no listing shows and that cost money.
		objects.Action = append(objects.Action, "s3:PutObject", "s3:AbortMultipartUpload")
	}
	if len(objects.Action) > 0 {
		statements = append(statements, objects)
	}
	if u.KMSKey != "" {
		statements = append(statements, s3Key(u))
	}
	return statements
}

// S3Resource returns the ARN of a storage's bucket, or of its access
// point if the storage names that by its ARN.
func S3Resource(s tasks.Storage) string {
	if isARN(s.Bucket) {
		return s.Bucket
	}
	return "arn:" + partition(s) + ":s3:::" + s.Bucket
}

// S3Objects returns what the ARNs of a storage's objects begin with.
// The key follows.
func S3Objects(s tasks.Storage) string {
	if isARN(s.Bucket) {
		return s.Bucket + "/object/"
	}
	return S3Resource(s) + "/"
}

func isARN(bucket string) bool { return strings.HasPrefix(bucket, "arn:") }

// s3Key allows the use of the KMS key only through S3. Writing needs
// both actions, because a multipart upload reads its parts again.
func s3Key(u Uses) statement {
	st := statement{
		Sid:      "Key",
		Effect:   "Allow",
		Action:   []string{"kms:Decrypt"},
		Resource: []string{u.KMSKey},
	}
	if u.Write {
		st.Action = append(st.Action, "kms:GenerateDataKey")
	}
	if m := keyARN.FindStringSubmatch(u.KMSKey); m != nil {
		domain := "amazonaws.com"
		if m[1] == "aws-cn" {
			domain += ".cn"
		}
		st.Condition = map[string]map[string]string{
			"StringEquals": {"kms:ViaService": "s3." + m[2] + "." + domain},
		}
	}
	return st
}

func s3Trust(s tasks.Storage, u Uses) statement {
	account := "arn:" + partition(s) + ":iam::" + u.TrustAccount + ":root"
	return statement{
		Sid:       "Stevedore",
		Effect:    "Allow",
		Principal: map[string]string{"AWS": account},
		Action:    []string{"sts:AssumeRole"},
		Condition: map[string]map[string]string{
			"StringEquals": {"sts:ExternalId": u.ExternalID},
		},
	}
}

func partition(s tasks.Storage) string {
	switch {
	case strings.HasPrefix(s.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(s.Region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// literal keeps the characters of a key from being wildcards or
// variables of IAM's language.
func literal(key string) string {
	return strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}").Replace(key)
}
