package strict_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/strict"
)

type common struct {
	Tenant string `json:"tenant,omitempty"`
}

type part struct {
	Name  string          `json:"name"`
	Parts []part          `json:"parts,omitempty"`
	Marks map[string]int  `json:"marks,omitempty"`
	Other *part           `json:"other,omitempty"`
	Any   any             `json:"any,omitempty"`
	Raw   json.RawMessage `json:"raw,omitempty"`
	Bytes []byte          `json:"bytes,omitempty"`
	Until *time.Time      `json:"until,omitempty"`
	Hash  [2]byte         `json:"hash,omitzero"`
	Pair  [2]float64      `json:"pair,omitzero"`
	Small uint8           `json:"small,omitempty"`
	Skip  string          `json:"-"`
	Plain bool
	common
}

// What encoding/json reads without a fault is read here with the same
// result.
func TestDecodeReadsAsJSONDoes(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		"null", " {} \n", `{"NAME":"n","plain":true,"tenant":"t"}`, `{"parts":null,"until":null,"name":null}`,
		`{"parts":[{"parts":[{"name":"deep"}]}],"marks":{"a":1,"b":-2},"other":{"name":"o"}}`,
		`{"any":[1,{"x":2}],"raw":{"y":3},"bytes":"AQI=","until":"2026-11-23T08:00:00Z","pair":[1,2.5],"small":255,"hash":[1,2]}`,
		`{"name":"a","name":"b"}`,
	} {
		var want part
		if err := json.Unmarshal([]byte(data), &want); err != nil {
			t.Fatal(err)
		}
		got, faults := strict.Decode[part]([]byte(data))
		if len(faults) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", data, got, faults, want)
		}
	}
}

func TestDecodeNamesEachFault(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"nome":"a"}`:                          "nome: unknown field: did you mean name?",
		`{"parts":[{},{"other":{"zebra":1}}]}`:  "parts[1].other.zebra: unknown field: the fields are name, parts, marks, other, any, raw, bytes, until, hash, pair, small, Plain, tenant",
		`{"marks":{"a b":"x"}}`:                 "marks.a b: needs a number, not a string",
		`{"bytes":[1]}`:                         "bytes: needs a string, not an array",
		`{"bytes":"%"}`:                         "bytes: cannot be read as []uint8",
		`{"until":5}`:                           "until: needs a time with its zone, for example 2026-11-23T08:00:00Z",
		`{"small":256}`:                         "small: needs a whole number, not 256",
		`{"pair":{}}`:                           "pair: needs an array, [...], not an object",
		`{"other":"x","Skip":"y"}`:              "other: needs an object, {...}, not a string; Skip: unknown field: the fields are name",
		`{"a\nb":1}`:                            `"a\nb": unknown field`,
		`{"` + strings.Repeat("x", 99) + `":1}`: strings.Repeat("x", 60) + "...: unknown field",
		`{"name":` + strings.Repeat(`[`, 99) + strings.Repeat(`]`, 99) + `}`: "name: needs a string, not an array",
	} {
		_, faults := strict.Decode[part]([]byte(data))
		texts := make([]string, len(faults))
		for i, f := range faults {
			texts[i] = f.String()
		}
		if got := strings.Join(texts, "; "); !strings.HasPrefix(got, want) {
			t.Errorf("%s:\n  %s\nwant\n  %s", data, got, want)
		}
	}
}

// A payload of many faults does not make an answer of many faults.
func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	data := `{"parts":[` + strings.Repeat(`1,`, 100_000) + `1]}`
	if _, faults := strict.Decode[part]([]byte(data)); len(faults) != 50 {
		t.Errorf("%d faults", len(faults))
	}
}

// Values that lie too deep are refused, whatever they are.
func TestDecodeDeepValues(t *testing.T) {
	t.Parallel()
	const deep = 9_000
	data := strings.Repeat(`{"other":`, deep) + `{}` + strings.Repeat(`}`, deep)
	_, faults := strict.Decode[part]([]byte(data))
	if len(faults) != 1 || faults[0].Problem != "is nested too deeply" || len(faults[0].Field) > 600 {
		t.Errorf("%d faults", len(faults))
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"name":1}`, `{"parts":[{"marks":{"":0}}]}`, `{"pair":[1,"`, "\ufeff{}", `{"tenant":"\ud800"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		var want part
		dec := json.NewDecoder(strings.NewReader(data))
		dec.DisallowUnknownFields()
		if strings.Count(data, "{") > 20 { // deeper than is read
			return
		}
		accepted := dec.Decode(&want) == nil && json.Valid([]byte(data))
		got, faults := strict.Decode[part]([]byte(data))
		if accepted != (len(faults) == 0) || accepted && fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: encoding/json accepts it: %v; faults: %v", data, accepted, faults)
		}
	})
}
