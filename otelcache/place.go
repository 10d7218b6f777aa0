package otelcache

import (
	"strings"

	"github.com/larder-cache/larder/cache"
)

// levels is a set of levels.
type levels uint8

const (
	origin levels = 1 << cache.Origin
	memory levels = 1 << cache.Memory
	shared levels = 1 << cache.Shared
	all           = origin | memory | shared
)

func (l levels) has(level cache.Level) bool { return l&(1<<level) != 0 }

// family is a metric that counts events of one kind, or of several that an attribute
// tells apart.
type family struct{ name, unit, text, label string }

// The families, and where they are in the list.
const (
	hits = iota
	misses
	loads
	stale
	fills
	invalidations
	events
	nowhere = -1
)

var families = [...]family{
	hits:          {"hits", "{hit}", "Valid entries that were returned.", ""},
	misses:        {"misses", "{miss}", "Reads without a valid entry, by reason.", "reason"},
	loads:         {"loads", "{key}", "Keys that the origin was asked for.", ""},
	stale:         {"stale_served", "{value}", "Values that were returned although they are past their time or cannot be vouched for, by reason.", "reason"},
	fills:         {"fills", "{value}", "Loaded values, by what the store did with them: all but the stored are lost.", "outcome"},
	invalidations: {"invalidations", "{name}", "Keys and tags that were invalidated.", ""},
	events:        {"events", "{event}", "Everything else that happens, by kind.", "kind"},
}

// place is where a kind of event is counted: a family, the value of its attribute, and
// the levels that have it also while it is zero.
type place struct {
	family int
	value  string
	at     levels
}

var places = map[cache.Kind]place{
	cache.Hit:         {hits, "", memory | shared},
	cache.Miss:        {misses, "absent", memory | shared},
	cache.MissExpired: {misses, "expired", memory | shared},
	cache.MissTag:     {misses, "tag", memory | shared},
	cache.MissWriter:  {misses, "writer", memory | shared},
	cache.MissCorrupt: {misses, "corrupt", shared},
	cache.MissSchema:  {misses, "schema", shared},
	cache.MissKey:     {misses, "key", shared},
	cache.MissApart:   {misses, "apart", memory},

	cache.Load:         {loads, "", origin},
	cache.StaleServed:  {stale, "refreshing", origin},
	cache.StaleOnError: {stale, "error", origin},
	cache.BehindServed: {stale, "apart", memory},

	cache.FillStored:  {fills, "stored", memory | shared},
	cache.FillRefused: {fills, "refused", memory | shared},
	cache.FillPassed:  {fills, "passed", memory | shared},

	cache.Invalidated: {invalidations, "", memory | shared},

	cache.LoadPanic:      {events, "load_panic", origin},
	cache.HookPanic:      {events, "hook_panic", origin},
	cache.RefreshStarted: {events, "refresh_started", origin},
	cache.RefreshSkipped: {events, "refresh_skipped", origin},
	cache.NotModified:    {events, "not_modified", origin},
	cache.LoadTimeout:    {events, "load_timeout", origin},
	cache.LoadRefused:    {events, "load_refused", origin},
	cache.LoadSpared:     {events, "load_spared", origin},
	cache.Direct:         {events, "direct", origin},
	cache.ShadowAgreed:   {events, "shadow_agreed", origin},
	cache.ShadowDiffered: {events, "shadow_differed", origin},
	cache.Unavailable:    {events, "unavailable", origin | shared},
	cache.EncodeFailed:   {events, "encode_failed", shared},
	cache.QuarantineLost: {events, "quarantine_lost", shared},
	cache.Skipped:        {events, "skipped", shared},
	cache.BreakerOpened:  {events, "breaker_opened", shared},
	cache.BreakerClosed:  {events, "breaker_closed", shared},
	cache.LockWaited:     {events, "lock_waited", shared},
	cache.LockLost:       {events, "lock_lost", shared},
	cache.ProblemFound:   {events, "problem_found", shared},
	cache.ProblemSolved:  {events, "problem_solved", shared},
	cache.WriteInDoubt:   {events, "write_in_doubt", origin},
	cache.WriteSettled:   {events, "write_settled", origin},

	cache.Evicted: {family: nowhere}, // by reason: see Stats.Evicted
	cache.Trip:    {family: nowhere}, // in histograms: see Observer
	cache.Heard:   {family: nowhere}, // the same
}

// placeOf returns the place of a kind. Kinds that are newer than this module are
// other events, and expected at all levels.
func placeOf(k cache.Kind) place {
	if p, known := places[k]; known {
		return p
	}
	return place{events, strings.ReplaceAll(k.String(), " ", "_"), all}
}
