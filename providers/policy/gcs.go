package policy

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

type gcsRole struct {
	Title               string   `json:"title"`
	Description         string   `json:"description"`
	Stage               string   `json:"stage"`
	IncludedPermissions []string `json:"includedPermissions"`
}

type gcsRule struct {
	Origin         []string `json:"origin"`
	Method         []string `json:"method"`
	ResponseHeader []string `json:"responseHeader"`
	MaxAgeSeconds  int      `json:"maxAgeSeconds"`
}

const roleName = "stevedore"

// gcs is a role with the permissions alone that the uses need, bound to the
// bucket. Old versions show with the right to list.
func gcs(s tasks.Storage, u Uses) []Section {
	project := cmp.Or(s.Project, "PROJECT_ID")
	role := gcsRole{"Stevedore", "What Stevedore does in a bucket, and no more", "GA", gcsPermissions(u)}
	sections := []Section{
		{"Role: save this as role.json", indent(role)},
		{"Make the role", fmt.Sprintf("gcloud iam roles create %s --project=%s --file=role.json", roleName, quote(project))},
		{"Grant it on the bucket (uniform bucket-level access must be on)", gcsBinding(s, project)},
	}
	if u.KMSKey != "" {
		sections = append(sections, Section{
			"Let the storage service agent of the bucket's project use the key: it, not the account above, encrypts",
			fmt.Sprintf("gcloud storage service-agent --project=%s --authorize-cmek=%s", quote(project), quote(u.KMSKey)),
		})
	}
	if u.CORS == nil {
		return sections
	}
	rule := gcsRule{[]string{u.CORS.Origin}, methods(u.CORS), append(headers(u.CORS), exposed()...), corsSeconds}
	return append(sections,
		Section{"CORS: save this as cors.json", indent([]gcsRule{rule})},
		Section{"Set it on the bucket", "gcloud storage buckets update " + quote("gs://"+s.Bucket) + " --cors-file=cors.json"})
}

func gcsPermissions(u Uses) []string {
	permissions := []string{"storage.objects.list"}
	if u.Read {
		permissions = append(permissions, "storage.objects.get")
	}
	if u.Write {
		// To replace an object counts as deleting the old one (reference of
		// objects.insert).
		permissions = append(permissions, "storage.objects.create", "storage.objects.delete")
	}
	return permissions
}

// gcsBinding limits the grant to the prefix. A listing is of the bucket, so
// its prefix is an attribute of its own.
func gcsBinding(s tasks.Storage, project string) string {
	member := cmp.Or(s.Auth.ServiceAccount, "SERVICE_ACCOUNT_EMAIL")
	command := fmt.Sprintf("gcloud storage buckets add-iam-policy-binding %s --member=%s --role=%s",
		quote("gs://"+s.Bucket), quote("serviceAccount:"+member), quote("projects/"+project+"/roles/"+roleName))
	if s.Dir() == "" {
		return command + " --condition=None"
	}
	dir := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s.Dir())
	condition := fmt.Sprintf(`resource.name.startsWith("projects/_/buckets/%s/objects/%s") || api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("%[2]s")`,
		s.Bucket, dir)
	// A condition with commas must be given as a file or with another
	// separator (gcloud topic escaping).
	return command + " --condition=" + quote("^:::^title=stevedore-prefix:::expression="+condition)
}

// quote makes a word safe for a POSIX shell.
func quote(word string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@=", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !safe(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
