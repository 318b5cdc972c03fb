package policy

import (
	"cmp"
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Azure writes what a container needs for its uses: a SAS of the
// container with only the letters that they need, in the order that
// Azure signs them in. A SAS of a container cannot be limited to a
// prefix. The right to list includes old versions. The error is
// always nil.
func Azure(s tasks.Storage, u Uses) ([]Section, error) {
	account := cmp.Or(s.Account, "ACCOUNT")
	rights := azureSAS(s, u, account)
	if s.Auth.Method == tasks.AuthServicePrincipal || s.Auth.Method == tasks.AuthWorkerIdentity {
		rights = azureRole(s, u, account)
	}
	sections := []Section{rights}
	if u.CORS != nil {
		sections = append(sections, Section{
			"CORS of the account's blob service: it holds for all containers",
			azureCORSCommand(account, *u.CORS),
		})
	}
	return sections, nil
}

func azureSAS(s tasks.Storage, u Uses, account string) Section {
	letters := sasLetters(u)
	return Section{
		"SAS of the container, for 7 days (the longest that a login can sign): " +
			"permissions sp=" + letters + ", resource sr=c, https only",
		fmt.Sprintf("az storage container generate-sas --account-name %s --name %s"+
			" --permissions %s --https-only --auth-mode login --as-user"+
			` --expiry "$(date -u -d '+7 days' +%%Y-%%m-%%dT%%H:%%MZ)" --output tsv`,
			quote(account), quote(s.Bucket), letters),
	}
}

// sasLetters returns the permissions of a SAS. Writing needs create
// for a new blob and write to replace one.
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
	role := "Storage Blob Data Reader" // the least of Azure's own roles that can list
	if u.Write {
		role = "Storage Blob Data Contributor"
	}
	return Section{
		"Role of the service principal on the container alone",
		fmt.Sprintf(`az role assignment create --assignee %s --role %s`+
			` --scope "$(az storage account show --name %s --query id --output tsv)/blobServices/default/containers/"%s`,
			quote(cmp.Or(s.Auth.ClientID, "CLIENT_ID")), quote(role),
			quote(account), quote(s.Bucket)),
	}
}
