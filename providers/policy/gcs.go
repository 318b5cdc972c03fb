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

const roleName = "stevedore"

// GCS writes what a bucket of Google Cloud Storage needs for its
// uses: a role with only the permissions that they need, granted on
// the bucket. The right to list includes old versions. The error is
// always nil.
func GCS(s tasks.Storage, u Uses) ([]Section, error) {
	project := cmp.Or(s.Project, "PROJECT_ID")
	role := gcsRole{
		Title:               "Stevedore",
		Description:         "What Stevedore does in a bucket, and no more",
		Stage:               "GA",
		IncludedPermissions: gcsPermissions(u),
	}
	create := fmt.Sprintf("gcloud iam roles create %s --project=%s --file=role.json",
		roleName, quote(project))
	sections := []Section{
		{"Role: save this as role.json", indented(role)},
		{"Make the role", create},
		{"Grant it on the bucket (uniform bucket-level access must be on)", gcsBinding(s, project)},
	}
	if u.KMSKey != "" {
		sections = append(sections, Section{
			"Let the storage service agent of the bucket's project use the key: " +
				"it, not the account above, encrypts",
			fmt.Sprintf("gcloud storage service-agent --project=%s --authorize-cmek=%s",
				quote(project), quote(u.KMSKey)),
		})
	}
	if u.CORS == nil {
		return sections, nil
	}
	update := "gcloud storage buckets update " + quote("gs://"+s.Bucket) + " --cors-file=cors.json"
	return append(sections,
		Section{"CORS: save this as cors.json", indented([]gcsCORSRule{newGCSCORSRule(*u.CORS)})},
		Section{"Set it on the bucket", update}), nil
}

func gcsPermissions(u Uses) []string {
	permissions := []string{"storage.objects.list"}
	if u.Read {
		permissions = append(permissions, "storage.objects.get")
	}
	if u.Write {
		// To replace an object counts as deleting the old one
		// (reference of objects.insert).
		permissions = append(permissions, "storage.objects.create", "storage.objects.delete")
	}
	return permissions
}

// gcsBinding limits the grant to the prefix. A listing is of the
// bucket, so its prefix is an attribute of its own.
func gcsBinding(s tasks.Storage, project string) string {
	member := cmp.Or(s.Auth.ServiceAccount, "SERVICE_ACCOUNT_EMAIL")
	command := fmt.Sprintf("gcloud storage buckets add-iam-policy-binding %s --member=%s --role=%s",
		quote("gs://"+s.Bucket), quote("serviceAccount:"+member),
		quote("projects/"+project+"/roles/"+roleName))
	if s.Dir() == "" {
		return command + " --condition=None"
	}

	dir := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s.Dir())
	objects := fmt.Sprintf(`resource.name.startsWith("projects/_/buckets/%s/objects/%s")`, s.Bucket, dir)
	listing := fmt.Sprintf(`api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("%s")`, dir)
	// A condition with commas must be given as a file or with another
	// separator (gcloud topic escaping).
	condition := "^:::^title=stevedore-prefix:::expression=" + objects + " || " + listing
	return command + " --condition=" + quote(condition)
}
