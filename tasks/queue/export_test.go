package queue

// RunOf returns the lease of a run that has not begun with StartShard: for
// tests of what such a run writes late, or twice.
func RunOf(s Store, ref ShardRef, token string) ShardLease {
	return ShardLease{Ref: ref, run: token, store: s}
}
