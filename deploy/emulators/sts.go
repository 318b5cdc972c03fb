package main

import (
	"context"
	"encoding/xml"
	"net/http"
	"strconv"
	"time"
)

// account is where every user, role and worker of the emulated AWS lives.
const account = "123456789012"

// stsServer is AWS's Security Token Service, as far as assuming roles needs
// it: POST /sts with AssumeRole or GetCallerIdentity. The credentials it
// gives are those of an IAM user made for the session with the role's policy,
// which is removed when the session ends.
type stsServer struct {
	known func(accessKeyID string) (principal, bool)
	roles *roles
}

// principal is whoever can sign a request.
type principal struct {
	arn, id string
	keys    keys
}

// addSTS puts the STS and its control beside the other endpoints.
func (c *control) addSTS(ctx context.Context, g *gateway, mux *http.ServeMux) {
	r := &roles{iam: c.iam, base: ctx, specs: map[string]roleSpec{}, sessions: map[string]*session{}, opened: map[string]int{}}
	r.register(mux)
	mux.Handle("POST /sts", &stsServer{roles: r, known: func(id string) (principal, bool) {
		if id == g.access {
			return principal{arn: "arn:aws:iam::" + account + ":root", id: account, keys: keys{g.access, g.secret}}, true
		}
		if p, ok := c.user(id); ok {
			return p, true
		}
		return r.caller(id)
	}})
}

// user finds a user by access key ID.
func (c *control) user(id string) (principal, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, k := range c.users {
		if k.AccessKeyID == id {
			return principal{arn: "arn:aws:iam::" + account + ":user/" + name, id: "AIDA" + id, keys: k}, true
		}
	}
	return principal{}, false
}

func (s *stsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		refuse(w, stsError{http.StatusBadRequest, "MalformedInput", err.Error()})
		return
	}
	caller, err := s.authenticate(r)
	if err != nil {
		refuse(w, *err)
		return
	}
	switch action := r.PostForm.Get("Action"); action {
	case "GetCallerIdentity":
		reply(w, callerIdentity{Arn: caller.arn, UserID: caller.id, Account: account})
	case "AssumeRole":
		session, err := s.assume(r.Context(), caller, r)
		if err != nil {
			refuse(w, *err)
			return
		}
		reply(w, session)
	default:
		refuse(w, stsError{http.StatusBadRequest, "InvalidAction", "Could not find operation " + action + " for version 2011-06-15"})
	}
}

// assume checks what the role's trust policy asks for. As AWS does, it says
// the same whatever is wrong.
func (s *stsServer) assume(ctx context.Context, caller principal, r *http.Request) (assumed, *stsError) {
	arn, name := r.PostForm.Get("RoleArn"), r.PostForm.Get("RoleSessionName")
	role, ok := s.roles.find(arn)
	if !ok || !role.trusts(caller.keys.AccessKeyID) || role.ExternalID != "" && role.ExternalID != r.PostForm.Get("ExternalId") {
		return assumed{}, &stsError{
			http.StatusForbidden, "AccessDenied",
			"User: " + caller.arn + " is not authorized to perform: sts:AssumeRole on resource: " + arn,
		}
	}
	seconds, err := strconv.Atoi(r.PostForm.Get("DurationSeconds"))
	if err != nil || seconds < 900 || seconds > role.MaxSeconds {
		return assumed{}, &stsError{
			http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
		}
	}
	if role.Seconds > 0 {
		seconds = role.Seconds
	}
	session, err := s.roles.open(ctx, arn, name, time.Duration(seconds)*time.Second)
	if err != nil {
		return assumed{}, &stsError{http.StatusInternalServerError, "InternalFailure", err.Error()}
	}
	return assumed{
		Arn: session.arn, ID: session.id, Expiration: session.ends.UTC().Format(time.RFC3339),
		AccessKey: session.keys.AccessKeyID, Secret: session.keys.SecretAccessKey,
	}, nil
}

type callerIdentity struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Arn     string   `xml:"GetCallerIdentityResult>Arn"`
	UserID  string   `xml:"GetCallerIdentityResult>UserId"`
	Account string   `xml:"GetCallerIdentityResult>Account"`
}

type assumed struct {
	XMLName    xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleResponse"`
	Arn        string   `xml:"AssumeRoleResult>AssumedRoleUser>Arn"`
	ID         string   `xml:"AssumeRoleResult>AssumedRoleUser>AssumedRoleId"`
	AccessKey  string   `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
	Secret     string   `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
	Token      string   `xml:"AssumeRoleResult>Credentials>SessionToken"` // empty: the gateway takes tokens only from its own STS
	Expiration string   `xml:"AssumeRoleResult>Credentials>Expiration"`
}

type stsError struct {
	status        int
	code, message string
}

func refuse(w http.ResponseWriter, e stsError) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(e.status)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Type    string   `xml:"Error>Type"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
	}{Type: "Sender", Code: e.code, Message: e.message})
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "text/xml")
	_ = xml.NewEncoder(w).Encode(value)
}
