// Package driver holds what the author of a provider needs and the
// author of a job does not: readers that check what a server sent,
// the body of an upload, a cache of authenticated sessions, and the
// reading of errors that are the same for every cloud.
//
// It knows HTTP, the types of package providers, and the errors of
// package egress. It knows no cloud.
package driver
