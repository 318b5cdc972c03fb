package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/payload"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// withProfile returns an environment in which a profile counts more
// than the keys of the environment, as in the AWS tools.
func withProfile(environ []string, profile string) []string {
	if profile == "" {
		return environ
	}
	environ = slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{
			"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		}, name)
	})
	return append(environ, "AWS_PROFILE="+profile)
}

// findIdentities signs the person in at the clouds of a job. It fails
// before anything is done if there are no credentials.
func (l *local) findIdentities(ctx context.Context, j tasks.Job, schemes payload.Schemes) error {
	for _, s := range tasks.Storages(j) {
		own, ok := l.openers[s.Provider].(providers.OwnIdentity)
		if !ok || s.Auth.Method != tasks.AuthWorkerIdentity {
			continue
		}
		err := own.FindIdentity(ctx, s)
		if e := new(providers.Error); errors.As(err, &e) {
			place := schemes.Place(s, s.Prefix)
			return cli.Invalid(fmt.Errorf("%s: %s\n%s", place, e.Detail, e.Advice()))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
