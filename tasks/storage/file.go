package storage

// fileForm is for directories on the worker, memForm for buckets in the
// memory of one process. Neither asks who the caller is.
var (
	fileForm = form{name: "file", methods: []method{noMethod}, directories: true}
	memForm  = form{name: "mem", methods: []method{noMethod}, tests: true}
)
