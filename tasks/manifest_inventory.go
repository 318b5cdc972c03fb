package tasks

import "github.com/stevedore-jobs/stevedore/tasks/fields"

// Inventory names a report of S3 Inventory, which lists the objects of
// a bucket.
type Inventory struct {
	// Storage is where the report is; the source when absent.
	Storage *Storage `json:"storage,omitempty"`
	// Key is the key of the manifest.json of the report.
	Key string `json:"key"`
}

// InventorySource returns where the report is that lists the objects:
// the storage and the key. The key is empty if the bucket is listed.
func (j BuildManifest) InventorySource() (Storage, string) {
	if j.Inventory == nil {
		return Storage{}, ""
	}
	return destination(j.Source, j.Inventory.Storage), j.Inventory.Key
}

func (j BuildManifest) checkInventory(errs *fields.Errors) {
	if j.Inventory == nil {
		return
	}
	in := errs.In("inventory")
	if j.Inventory.Storage != nil {
		j.Inventory.Storage.Check(in.In("storage"))
	}
	from, key := j.InventorySource()
	if in.Need("key", key) {
		in.Key("key", key)
		in.Inside("key", from.Dir(), key)
	}
	switch j.Source.Provider {
	case "gcs", "azure", "file":
		errs.Add("inventory", "S3 Inventory lists buckets of S3 only, and the source is of %s",
			j.Source.Provider)
	}
}
