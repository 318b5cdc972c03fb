package policy

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// azure is a SAS of the container with the letters alone that the uses need,
// in the order that Azure signs them in. A SAS of a container cannot be
// limited to a prefix; old versions show with the right to list.
func azure(s tasks.Storage, u Uses) []Section {
	account := quote(cmp.Or(s.Account, "ACCOUNT"))
	letters := sasLetters(u)
	sections := []Section{{
		"SAS of the container, for 7 days (the longest that a login can sign): permissions sp=" + letters + ", resource sr=c, https only",
		fmt.Sprintf("az storage container generate-sas --account-name %s --name %s --permissions %s --https-only --auth-mode login --as-user"+
			` --expiry "$(date -u -d '+7 days' +%%Y-%%m-%%dT%%H:%%MZ)" --output tsv`, account, quote(s.Bucket), letters),
	}}
	if s.Auth.Method == tasks.AuthServicePrincipal || s.Auth.Method == tasks.AuthWorkerIdentity {
		sections = []Section{azureRole(s, u, account)}
	}
	if u.CORS != nil {
		sections = append(sections, Section{
			"CORS of the account's blob service: it holds for all containers",
			fmt.Sprintf("az storage cors add --account-name %s --services b --origins %s --methods %s --allowed-headers %s --exposed-headers %s --max-age %d",
				account, quote(u.CORS.Origin), quoteAll(methods(u.CORS)), quoteAll(headers(u.CORS)), quoteAll(exposed()), corsSeconds),
		})
	}
	return sections
}

// sasLetters: writing needs create for a new blob and write to replace one.
func sasLetters(u Uses) string {
	letters := ""
	if u.Read {
		letters += "r"
	}
	if u.Write {
		letters += "cw"
	}
	return letters + "l"
}

func azureRole(s tasks.Storage, u Uses, account string) Section {
	role := "Storage Blob Data Reader" // the least of Azure's own that lists
	if u.Write {
		role = "Storage Blob Data Contributor"
	}
	return Section{
		"Role of the service principal on the container alone",
		fmt.Sprintf(`az role assignment create --assignee %s --role %s --scope "$(az storage account show --name %s --query id --output tsv)/blobServices/default/containers/"%s`,
			quote(cmp.Or(s.Auth.ClientID, "CLIENT_ID")), quote(role), account, quote(s.Bucket)),
	}
}

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}
