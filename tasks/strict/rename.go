package strict

import "encoding/json"

// Rename gives fields of an object the names that they stand for. It
// leaves a field as it is if the object has one of the other name too,
// so that Decode reports it. Data that is no object stays as it is.
func Rename(data []byte, names map[string]string) []byte {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil {
		return data
	}
	changed := false
	for alias, name := range names {
		if object[alias] != nil && object[name] == nil {
			object[name] = object[alias]
			delete(object, alias)
			changed = true
		}
	}
	if !changed {
		return data
	}
	renamed, err := json.Marshal(object)
	if err != nil {
		return data
	}
	return renamed
}
