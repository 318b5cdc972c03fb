// Package sts emulates AWS's Security Token Service as far as
// assuming roles needs it: AssumeRole and GetCallerIdentity.
//
// The credentials of a session are those of an IAM user that is made
// for it with the role's policy, and removed when the session ends.
package sts

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/gateway"
)

const minSessionSeconds = 900

// Server is the service. Its endpoint is POST /sts.
type Server struct {
	users *gateway.Users
	roles *roles
}

// New returns a service without roles. Sessions end when ctx ends at
// the latest.
func New(ctx context.Context, iam gateway.IAM, users *gateway.Users) *Server {
	return &Server{users: users, roles: newRoles(ctx, iam)}
}

// Register adds the service's endpoint, and the control of roles:
//
//	POST   /sts
//	POST   /roles/NAME   makes a role, from its JSON; answers its ARN
//	GET    /roles/NAME   answers how many sessions were opened and how many are alive
//	DELETE /roles/NAME   removes the role and its sessions
func (s *Server) Register(mux *http.ServeMux) {
	mux.Handle("POST /sts", s)
	s.roles.register(mux)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		failure{http.StatusBadRequest, "MalformedInput", err.Error()}.write(w)
		return
	}
	caller, failed := s.authenticate(r)
	if failed != nil {
		failed.write(w)
		return
	}

	switch action := r.PostForm.Get("Action"); action {
	case "GetCallerIdentity":
		reply(w, callerIdentity{ARN: caller.ARN, UserID: caller.ID, Account: gateway.Account})
	case "AssumeRole":
		session, failed := s.assume(r.Context(), caller, r)
		if failed != nil {
			failed.write(w)
			return
		}
		reply(w, session)
	default:
		message := "Could not find operation " + action + " for version 2011-06-15"
		failure{http.StatusBadRequest, "InvalidAction", message}.write(w)
	}
}

// find returns the user or the session with this access key.
func (s *Server) find(accessKeyID string) (gateway.Identity, bool) {
	if user, ok := s.users.Find(accessKeyID); ok {
		return user, true
	}
	return s.roles.findSession(accessKeyID)
}

// assume opens a session if the role's trust policy allows it. As AWS
// does, it gives the same message for every reason to refuse.
func (s *Server) assume(
	ctx context.Context, caller gateway.Identity, r *http.Request,
) (assumedRole, *failure) {
	arn, name := r.PostForm.Get("RoleArn"), r.PostForm.Get("RoleSessionName")
	role, ok := s.roles.find(arn)
	if !ok || !role.trusts(caller.Keys.AccessKeyID, r.PostForm.Get("ExternalId")) {
		message := "User: " + caller.ARN +
			" is not authorized to perform: sts:AssumeRole on resource: " + arn
		return assumedRole{}, &failure{http.StatusForbidden, "AccessDenied", message}
	}

	seconds, err := strconv.Atoi(r.PostForm.Get("DurationSeconds"))
	if err != nil || seconds < minSessionSeconds || seconds > role.MaxSeconds {
		return assumedRole{}, &failure{
			http.StatusBadRequest, "ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
		}
	}
	if role.Seconds > 0 {
		seconds = role.Seconds
	}

	session, err := s.roles.open(ctx, arn, name, time.Duration(seconds)*time.Second)
	if err != nil {
		return assumedRole{}, &failure{
			http.StatusInternalServerError, "InternalFailure", err.Error(),
		}
	}
	return session.answer(), nil
}
