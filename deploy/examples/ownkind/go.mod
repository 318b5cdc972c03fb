module example.com/ownkind

go 1.26.0

require github.com/stevedore-jobs/stevedore v0.0.0

require (
	github.com/google/go-cmp v0.7.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/stevedore-jobs/stevedore => ../../..
