package tasks

import "strings"

// Setting identifies a setting of the workers, for advice to their operator:
// "Add 10.0.0.1/32 to the setting egress-allow". Only the program that reads
// the settings knows what they are called there. It puts those names into a
// text with NameSettings. Without that step the text is readable as it is.
type Setting string

// The settings that advice refers to.
const (
	SettingRedisURL       Setting = "redis-url"       // where Redis is; producers have it too
	SettingPublicKey      Setting = "public-key"      // producers seal secrets to it
	SettingPrivateKeys    Setting = "private-keys"    // keys that open sealed secrets
	SettingSecretsAllow   Setting = "secrets-allow"   // secrets that payloads may refer to
	SettingEgressAllow    Setting = "egress-allow"    // addresses that workers may connect to
	SettingFileRoots      Setting = "file-roots"      // directories that payloads may name
	SettingWorkerIdentity Setting = "worker-identity" // clouds where the worker's own identity may be used
	SettingSTSEndpoint    Setting = "sts-endpoint"    // where AWS roles are assumed
	SettingGCSTokenURL    Setting = "gcs-token-url"   // where Google keys are exchanged for tokens
	SettingPartsBudget    Setting = "parts-budget"    // bytes of Redis that the parts of a job may take
)

// Settings returns all settings that advice refers to, in a fixed order.
func Settings() []Setting {
	return []Setting{
		SettingRedisURL, SettingPublicKey, SettingPrivateKeys, SettingSecretsAllow, SettingEgressAllow,
		SettingFileRoots, SettingWorkerIdentity, SettingSTSEndpoint, SettingGCSTokenURL, SettingPartsBudget,
	}
}

// String returns the text that stands for the setting in advice, for example
// "the setting egress-allow".
func (s Setting) String() string { return "the setting " + string(s) }

// NameSettings returns the text with every setting under the name that the
// operator knows: "Add 10.0.0.1/32 to STEVEDORE_EGRESS_ALLOW". A nil name
// leaves the text as it is.
func NameSettings(text string, name func(Setting) string) string {
	if name == nil || !strings.Contains(text, "the setting ") {
		return text
	}
	var pairs []string
	for _, s := range Settings() {
		pairs = append(pairs, s.String(), name(s))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
