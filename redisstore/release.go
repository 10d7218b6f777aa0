package redisstore

import (
	"cmp"
	"context"

	"github.com/larder-cache/larder/cache"
)

// settle ends the part of a writer: what was filled although the writer held it,
// because Redis had lost the quarantine, has to leave the memory of others. It returns the
// keys of which that, or their release, is not certain.
func (f *fill[K, V]) settle(ctx context.Context, writes []write, done []int64) (failed []string, err error) {
	s := f.store.space
	var lost, ended []string
	for i, w := range writes {
		switch done[i] {
		case notDone:
			failed = append(failed, w.key)
			continue
		case lostQuarantine:
			lost = append(lost, w.key)
		}
		ended = append(ended, w.key)
	}
	if lost != nil {
		f.store.tellApart(cache.Event{Kind: cache.QuarantineLost, N: 1}) // also in the background
		if err := s.invalidateKeys(ctx, lost); err != nil {
			return append(failed, ended...), err
		}
	}
	s.recent.add(ended, nil)
	if err := s.await(ctx, f.marks); err != nil {
		return append(failed, ended...), err
	}
	return failed, nil
}

// again has the quarantine of keys released until it succeeds.
func (f *fill[K, V]) again(keys []string) {
	left := keys
	f.store.space.control.RetryRelease(keys, func(ctx context.Context) error {
		writes := empties(left)
		done, err := f.send(ctx, writes)
		failed, err1 := f.settle(ctx, writes, done)
		if left = failed; len(left) == 0 {
			return nil
		}
		return cmp.Or(err, err1, errUnavailable)
	})
	f.store.space.control.ExpireKeys(hashes(keys)...)
}

// empties returns writes that store nothing.
func empties(keys []string) []write {
	out := make([]write, len(keys))
	for i, k := range keys {
		out[i] = write{key: k}
	}
	return out
}
