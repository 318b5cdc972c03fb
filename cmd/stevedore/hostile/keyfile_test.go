package hostile

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"sync"
	"testing"
)

var privateKey = sync.OnceValues(func() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), err
})

// keyFile returns the key file of a service account of Google.
func keyFile(t testing.TB, account string) string {
	t.Helper()
	key, err := privateKey()
	if err != nil {
		t.Error(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": account + "@example.iam.gserviceaccount.com",
		"private_key_id": "1", "private_key": key,
	})
	if err != nil {
		t.Error(err)
	}
	return string(text)
}
