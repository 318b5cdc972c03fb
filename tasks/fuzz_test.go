package tasks_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Decoding and validating never panic. A payload that is valid means
// the same to the producer that writes it and to the worker that reads
// it.
func FuzzDecode(f *testing.F) {
	for _, payload := range []string{
		`{}`, `null`, `{"storage":{"provider":"mem","bucket":"b"},"need":{"read":true}}`,
		`{"source":{"provider":"s3","bucket":"b","prefix":"a/b","region":"r","endpoint":"http://h","auth":{"method":"access-key","access_key_id":"A","secret_access_key":"env:S","session_token":"file:/s"}}}`,
		`{"source":{"provider":"mem","bucket":"b"},"destination":{"provider":"file","bucket":"/d"},"manifest":"m.jsonl","exclude":["x","\ud800<>"]}`,
		`{"source":{"provider":"mem","bucket":"b","manifests":["m.jsonl"]},"directory":"t/","size":16,"quality":1,"exclude":[]}`,
		`{"source":{"provider":"mem","bucket":"b"},"annotations":{"key":"a.xml","format":"cvat-images-1.1","image_directory":"i/"},"format":"coco-instances","key":"k.zip","include_images":true}`,
		`{"source":{"provider":"gcs","bucket":"b","auth":{"method":"key-file","key_file":"sealed:813d8876ee574d4b:mzUR2kU3OHaL-YJZsdwPgTRNnIhP7F63-ussfXFG9ANvci0oI9xeketsZi7NsxZuqz_g6ic-J1acTb2VbjH_9HEKdQ"}}}`,
		`{"source":{"provider":"azure","bucket":"b","auth":{"method":"connection-string","connection_string":{"a":1}}}}`,
	} {
		f.Add([]byte(payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, k := range tasks.Kinds() {
			first, err := k.Decode(payload)
			if err != nil || first.Validate() != nil {
				continue
			}
			again := recode(t, k, first)
			if third := recode(t, k, again); !reflect.DeepEqual(again, third) {
				t.Errorf("%s: %+v became %+v", k.Name, again, third)
			}
			if a, b := encode(t, first), encode(t, again); a != b {
				t.Errorf("%s: %s became %s", k.Name, a, b)
			}
		}
	})
}

func recode(t *testing.T, k tasks.Kind, j tasks.Job) tasks.Job {
	t.Helper()
	again, err := k.Decode([]byte(encode(t, j)))
	if err != nil {
		t.Fatalf("an encoded payload does not decode: %v", err)
	}
	if err := again.Validate(); err != nil {
		t.Fatalf("a valid payload is not valid after decoding: %v", err)
	}
	return again
}

func encode(t *testing.T, j tasks.Job) string {
	t.Helper()
	data, err := json.Marshal(j)
	if err != nil {
		t.Fatalf("a valid job does not encode: %v", err)
	}
	return string(data)
}
