package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/worker/inventory/csvfile"
)

const (
	// maxManifest is how long a manifest.json may be, in bytes: one with
	// 15,000 files is.
	maxManifest = 4 << 20
	// manifestMemory is how many bytes of memory a byte of it takes at
	// most: the text, the parsed text, and the list of files.
	manifestMemory = 4
	// maxFiles is how many files a report may have.
	maxFiles = 20_000
)

// report is a parsed manifest.json.
type report struct {
	created time.Time // when AWS began to make the report
	format  string
	columns csvfile.Columns
	files   []file
}

// file is a data file of a report.
type file struct {
	Key  string `json:"key"`
	Size int64  `json:"size"`
	MD5  string `json:"MD5checksum"`
}

// The formats of data files, as manifests name them.
const (
	formatCSV     = "CSV"
	formatORC     = "ORC"
	formatParquet = "Parquet"
)

// parse reads a manifest.json of a report of a bucket.
func parse(text []byte, bucket string) (report, error) {
	var m struct {
		SourceBucket      string      `json:"sourceBucket"`
		CreationTimestamp json.Number `json:"creationTimestamp"`
		FileFormat        string      `json:"fileFormat"`
		FileSchema        string      `json:"fileSchema"`
		Files             fileList    `json:"files"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return report{}, fmt.Errorf("it is no manifest.json of S3 Inventory: %w", err)
	}
	if m.SourceBucket == "" || m.FileFormat == "" {
		return report{}, errors.New("it is no manifest.json of S3 Inventory: " +
			"it has no sourceBucket or no fileFormat")
	}
	if m.SourceBucket != bucket {
		return report{}, &adviceError{
			fmt.Errorf("the report is of the bucket %.100q, and the source is %.100q",
				m.SourceBucket, bucket),
			"Name a report of the source's bucket in inventory.",
		}
	}
	r := report{format: m.FileFormat, files: m.Files}
	if ms, err := m.CreationTimestamp.Int64(); err == nil {
		r.created = time.UnixMilli(ms)
	}
	for _, f := range r.files {
		if f.Key == "" || f.Size < 0 {
			return report{}, errors.New("files has a file without a key, or with a negative size")
		}
	}
	return r, r.setColumns(m.FileSchema)
}

const adviceFields = "Add the optional field Size to the inventory's configuration, and ETag, " +
	"and use its next report."

// setColumns checks the format, and finds the columns of CSV files.
func (r *report) setColumns(schema string) (err error) {
	switch {
	case strings.EqualFold(r.format, formatCSV):
		r.format = formatCSV
		if r.columns, err = csvfile.ParseSchema(schema); err != nil {
			return &adviceError{err, adviceFields}
		}
		return nil
	case strings.EqualFold(r.format, formatParquet):
		r.format = formatParquet
		return nil
	case strings.EqualFold(r.format, formatORC):
		return &adviceError{
			errors.New("the format of the report is ORC, which is not supported"),
			"Set the format of the inventory's configuration to CSV or Parquet, " +
				"and use its next report.",
		}
	}
	return fmt.Errorf("the format of the report is %.40q, and only CSV and Parquet are supported",
		r.format)
}

// fileList reads files one by one, so that a hostile list takes no more
// memory than its text.
type fileList []file

// UnmarshalJSON implements json.Unmarshaler.
func (l *fileList) UnmarshalJSON(text []byte) error {
	*l = nil
	list := json.NewDecoder(bytes.NewReader(text))
	if first, err := list.Token(); err != nil || first != json.Delim('[') {
		return errors.New("files is no list")
	}
	for list.More() {
		if len(*l) == maxFiles {
			return fmt.Errorf("there are more than %d files", maxFiles)
		}
		var f file
		if err := list.Decode(&f); err != nil {
			return err
		}
		*l = append(*l, f)
	}
	return nil
}
