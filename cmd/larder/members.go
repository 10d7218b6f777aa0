package main

import (
	"maps"
	"slices"
	"time"

	"github.com/larder-cache/larder/redisstore"
)

// member is a process, over all lanes.
type member struct {
	ID     string        `json:"id"`
	Ago    time.Duration `json:"ago_ns"` // the oldest of its last beats
	Behind int64         `json:"behind"` // messages, of all lanes; -1: it follows another log
	Lanes  int           `json:"lanes"`
}

func membersOf(s redisstore.SpaceInspection) []member {
	byID := map[string]member{}
	for _, l := range s.Lanes {
		for _, m := range l.Members {
			all := byID[m.ID]
			all.ID, all.Ago = m.ID, max(all.Ago, m.Ago)
			all.Lanes++
			if m.Behind < 0 || all.Behind < 0 {
				all.Behind = -1
			} else {
				all.Behind += m.Behind
			}
			byID[m.ID] = all
		}
	}
	out := make([]member, 0, len(byID))
	for _, id := range sortedKeys(byID) {
		out = append(out, byID[id])
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
