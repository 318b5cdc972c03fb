package storage

// The ways to authenticate that only Google Cloud Storage has.
const (
	AuthKeyFile       = "key-file"      // service-account key, the JSON file
	AuthImpersonation = "impersonation" // the worker's own identity acts as a service account
)

var gcsForm = form{
	name: "gcs",
	methods: []method{
		{name: AuthKeyFile, needs: []string{"key_file"}},
		{name: AuthImpersonation, needs: []string{"service_account"}},
		workerIdentity,
		anonymous,
	},
	fields: []string{"location", "project", "endpoint"},
}
