package sts

import (
	"encoding/xml"
	"net/http"
)

type callerIdentity struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	ARN     string   `xml:"GetCallerIdentityResult>Arn"`
	UserID  string   `xml:"GetCallerIdentityResult>UserId"`
	Account string   `xml:"GetCallerIdentityResult>Account"`
}

type assumedRole struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleResponse"`
	ARN       string   `xml:"AssumeRoleResult>AssumedRoleUser>Arn"`
	ID        string   `xml:"AssumeRoleResult>AssumedRoleUser>AssumedRoleId"`
	AccessKey string   `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
	Secret    string   `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
	// Token stays empty: versitygw accepts tokens only from its own
	// STS.
	Token      string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	Expiration string `xml:"AssumeRoleResult>Credentials>Expiration"`
}

// reply writes the answer of an action that succeeded.
func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "text/xml")
	_ = xml.NewEncoder(w).Encode(value)
}

// failure is an error as STS writes it.
type failure struct {
	status        int
	code, message string
}

func (f failure) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(f.status)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Type    string   `xml:"Error>Type"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
	}{Type: "Sender", Code: f.code, Message: f.message})
}
