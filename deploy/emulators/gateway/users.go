package gateway

import (
	"io"
	"net/http"
	"sync"

	"github.com/stevedore-jobs/stevedore/deploy/emulators/web"
)

// Account is the account of every user, role and worker of the
// emulated AWS.
const Account = "123456789012"

// Identity is a user or a role session that can sign requests.
type Identity struct {
	ARN, ID string
	Keys    Keys
}

// Users creates and finds the users that tests ask for. Make it with
// NewUsers. It is safe for concurrent use.
type Users struct {
	iam  IAM
	root Keys

	mu    sync.Mutex
	users map[string]Keys // by name
}

// NewUsers returns the users of a gateway: none but root.
func NewUsers(g *Gateway) *Users {
	return &Users{iam: g.IAM(), root: g.root, users: map[string]Keys{}}
}

// Register adds the control of users:
//
//	POST   /users/NAME   makes a user; the body is its IAM policy, the answer its Keys
//	DELETE /users/NAME
func (u *Users) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /users/{name}", u.create)
	mux.HandleFunc("DELETE /users/{name}", u.remove)
}

// Find returns the user with this access key. The root account is a
// user too.
func (u *Users) Find(accessKeyID string) (Identity, bool) {
	if accessKeyID == u.root.AccessKeyID {
		return Identity{"arn:aws:iam::" + Account + ":root", Account, u.root}, true
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for name, k := range u.users {
		if k.AccessKeyID == accessKeyID {
			arn := "arn:aws:iam::" + Account + ":user/" + name
			return Identity{arn, "AIDA" + accessKeyID, k}, true
		}
	}
	return Identity{}, false
}

func (u *Users) create(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	policy, err := io.ReadAll(r.Body)
	var k Keys
	if err == nil {
		k, err = u.iam.CreateUser(r.Context(), name, string(policy))
	}
	if err == nil {
		u.mu.Lock()
		u.users[name] = k
		u.mu.Unlock()
	}
	web.Answer(w, k, err)
}

func (u *Users) remove(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	u.mu.Lock()
	id := u.users[name].AccessKeyID
	delete(u.users, name)
	u.mu.Unlock()
	web.Answer(w, struct{}{}, u.iam.DeleteUser(r.Context(), name, id))
}
