package storage

import "github.com/stevedore-jobs/stevedore/tasks/fields"

// The ways to authenticate that only Azure Blob Storage has.
const (
	AuthSAS              = "sas"               // account and SAS token (or its account key)
	AuthAccountKey       = "account-key"       // account and its key
	AuthConnectionString = "connection-string" // names the account itself
	AuthServicePrincipal = "service-principal" // tenant, client and client secret
)

var azureForm = form{
	name: "azure",
	methods: []method{
		{name: AuthSAS, needs: []string{"sas_token"}},
		{name: AuthAccountKey, needs: []string{"account_key"}},
		{name: AuthConnectionString, needs: []string{"connection_string"}},
		{name: AuthServicePrincipal, needs: []string{"tenant_id", "client_id", "client_secret"}},
		workerIdentity,
		anonymous,
	},
	fields: []string{"account", "endpoint"},
	check: func(errs *fields.Errors, s Storage) {
		if s.Auth.Method != AuthConnectionString {
			errs.Need("account", s.Account)
		}
	},
}
