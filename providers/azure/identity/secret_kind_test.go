package identity

import (
	"strings"
	"testing"
)

const someKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

// Secrets as users copy them, and where from.
func TestSecretKindOf(t *testing.T) {
	t.Parallel()
	const sas = "sv=2022-11-02&ss=b&srt=co&sp=rwl&se=2030-01-01T00:00:00Z&spr=https&sig=abc%3D"
	for text, want := range map[string]secretKind{
		"?" + sas:       kindSAS, // the portal
		sas:             kindSAS, // az storage account generate-sas
		`"` + sas + `"`: kindSAS, // the same, as JSON
		"&" + sas:       kindSAS,
		"sp=rl&st=2024-01-01T00:00:00Z&se=2030-01-01T00:00:00Z&sv=2022-11-02&sr=c&sig=abc%3D": kindSAS,
		"si=team&sv=2022-11-02&sr=c&sig=abc%3D":                                               kindSAS,
		strings.Replace(sas, "&sig=abc%3D", "", 1):                                            kindSAS, // without its signature
		"https://acct.blob.core.windows.net/?" + sas:                                          kindSASURL,
		"https://acct.blob.core.windows.net/c?" + sas:                                         kindSASURL,
		"https://acct.blob.core.windows.net/c":                                                kindUnknown,
		someKey:                                                                               kindKey,
		"'" + someKey + "'":                                                                   kindKey,
		someKey[:40]:                                                                          kindUnknown, // cut short
		"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=k;EndpointSuffix=core.windows.net": kindConnection,
		"BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=" + sas:                kindConnection,
		"SharedAccessSignature=" + sas + ";QueueEndpoint=https://a.queue.core.windows.net/":         kindConnection,
		"AccountName=a;AccountKey=" + someKey:                                                       kindConnection,
		"UseDevelopmentStorage=true":                                                                kindConnection,
		"password":                                                                                  kindUnknown,
		"":                                                                                          kindUnknown,
		"a=b&c=d":                                                                                   kindUnknown,
		"-----BEGIN PRIVATE KEY-----":                                                               kindUnknown,
		"AKIAIOSFODNN7EXAMPLE":                                                                      kindUnknown,
		`{"type": "service_account"}`:                                                               kindUnknown,
		"https://storage.example/b?X-Amz-Signature=1&X-Amz-Expires=2":                               kindUnknown,
		"https://acct.blob.core.windows.net/c?restype=container&comp=list&sv=2022-11-02&sig=abc%3D&x=y": kindSASURL,
	} {
		if got := secretKindOf(trimSecret(text)); got != want {
			t.Errorf("%.30q… has kind %q, want %q", text, got, want)
		}
	}
}

func TestConnectionString(t *testing.T) {
	t.Parallel()
	key := "AccountKey=" + someKey
	for text, want := range map[string]connection{
		"DefaultEndpointsProtocol=https;AccountName=acct;" + key + ";EndpointSuffix=core.windows.net": {account: "acct", key: someKey, endpoint: "https://acct.blob.core.windows.net"},
		"AccountName=acct;" + key + ";EndpointSuffix=core.chinacloudapi.cn;":                          {account: "acct", key: someKey, endpoint: "https://acct.blob.core.chinacloudapi.cn"},
		"AccountName=acct;" + key:                                                                                    {account: "acct", key: someKey},
		" accountname=acct ; accountkey=" + someKey + " ;":                                                           {account: "acct", key: someKey},
		"AccountName=acct;" + key + ";BlobEndpoint=http://127.0.0.1:10000/acct/":                                     {account: "acct", key: someKey, endpoint: "http://127.0.0.1:10000/acct"},
		"BlobEndpoint=https://acct.blob.core.windows.net/;QueueEndpoint=https://x/;SharedAccessSignature=sv=1&sig=2": {account: "acct", sas: "sv=1&sig=2", endpoint: "https://acct.blob.core.windows.net"},
		"BlobEndpoint=http://127.0.0.1:10000/acct;SharedAccessSignature=sv=1":                                        {account: "acct", sas: "sv=1", endpoint: "http://127.0.0.1:10000/acct"},
		"BlobEndpoint=https://acct-secondary.blob.core.windows.net;" + key:                                           {account: "acct", key: someKey, endpoint: "https://acct-secondary.blob.core.windows.net"},
		"BlobEndpoint=https://blobs.example.com;SharedAccessSignature=sv=1":                                          {sas: "sv=1", endpoint: "https://blobs.example.com"},
	} {
		if got, err := parseConnectionString(text); err != nil || got != want {
			t.Errorf("%.60q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", ";", "AccountName=acct", key, "AccountName=acct;" + key + ";SharedAccessSignature=sv=1", "AccountName", "AccountName=a;AccountName=b;" + key,
		"UseDevelopmentStorage=true;" + key, "BlobEndpoint=ftp://h;" + key, "BlobEndpoint=https://h?x=y;" + key, "BlobEndpoint=https://u:p@h;" + key, "BlobEndpoint=h;" + key,
		"AccountName=evil.example/x?;EndpointSuffix=core.windows.net;" + key, "AccountName=acct;EndpointSuffix=x/y;" + key,
		"AccountName=acct;EndpointSuffix=core.windows.net;DefaultEndpointsProtocol=file;" + key, "BlobEndpoint=https://blobs.example.com;" + key,
	} {
		if got, err := parseConnectionString(text); err == nil {
			t.Errorf("%.60q is parsed as %+v", text, got)
		}
	}
}

// For every text, parsing ends and no error repeats a secret.
func FuzzConnectionString(f *testing.F) {
	f.Add("DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=" + someKey + ";EndpointSuffix=core.windows.net")
	f.Add("BlobEndpoint=http://127.0.0.1:10000/a;SharedAccessSignature=sv=1&sig=2;;")
	f.Add("=;==;AccountKey=;BlobEndpoint=://")
	f.Add("BlobEndpoint=Http://0")
	f.Fuzz(func(t *testing.T, text string) {
		const canary = "CANARY"
		text = strings.ReplaceAll(text, canary, "")
		for _, given := range []string{text, text + ";AccountKey=" + canary, text + ";SharedAccessSignature=" + canary, strings.ReplaceAll(text, "=", "="+canary)} {
			_ = secretKindOf(trimSecret(given))
			c, err := parseConnectionString(given)
			switch {
			case err != nil && strings.Contains(err.Error(), canary):
				t.Errorf("the error repeats a value: %v", err)
			case err == nil && (c.key == "") == (c.sas == ""):
				t.Errorf("%q gives %+v", given, c)
			case err == nil && c.endpoint != "" && !strings.HasPrefix(c.endpoint, "http"):
				t.Errorf("%q gives endpoint %q", given, c.endpoint)
			}
		}
	})
}
