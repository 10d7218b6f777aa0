package reference

// Bug is one mistake that a store can make on purpose.
type Bug int

// None is the store without a mistake.
const None Bug = 0

// The mistakes, in the order of the rules that they break.
const (
	_ Bug = iota
	Discards
	CostForgotten
	LoadedForgotten
	SecondsOnly
	AbsentIsMiss
	MissIsError
	ManyHoldsMisses
	RepeatsAreErrors
	ManyUnchecked
	EmptyIsMiss
	TextOnly
	ValuesCapped
	KeysEndAtNUL
	TagsFolded
	FirstWins

	NeverExpires
	ZeroIsForever
	FreshIsExpiry
	ForeverOverflows

	KeyKept
	FirstTagOnly
	LateTagsDropped
	OneMember
	StopsAtUnknownKey
	StopsAtUnknownTag
	RemovesPrefix
	TagClearsAll
	TagsAreKeys
	Tombstone
	GuardAsleep

	AbsentKeyIgnored
	PresentKeyOnlyRemoved
	KnownTagsUnwatched
	UnusedTagIgnored
	LateTagsUnwatched
	UndeclaredUnwatched
	LateTagsRefused
	TagReborn
	TokenOfClient
	CutConsumed
	StoredEndsWatch
	KeyEpoch
	TagEpoch
	AllOrNothing
	MalformedTagStored

	SlotsMixed
	NilIsAbsent
	CountUnchecked
	NeverDone
	StoresWhenDone
	CancelStores
	FoundNothing
	FoundGhost
	FoundUnchecked

	ValidatesKeys
	ValidatesKnownTags
	ValidatesLateTags
	ValidatesFoundTags
	ValidatesHeld
	ValidatesPeers
	LossValidates

	OldValueKept
	EarlyFillsStore
	LateFillsStore
	NothingPasses
	PassesAfterRelease
	PassesInvalidated
	WriterNeverStores
	LastWriterWins
	FirstWriterWins
	FirstReleaseLifts
	InvalidateSpares
	InvalidateLifts
	CancelRestores
	NilRestores
	HoldsForever
	CancelHolds
	WriterTagsUnwatched
	WriterLateUnwatched
	TaintSpreads
	WriterFinds
	PutKeepsOld
	WriterTakesOver

	UnstorableUnsaid
	UnstorableVouched
	HeldVouched
	WriterVouched
	VouchedUnguarded

	HookThrough
	HookHolds
	HookKeepsOld

	HandlesApart
	PeerUnseenByFills
	PeerUnseenByReads
	PeerNotTold
	PeerUnseenInTags
	PeerHoldsAlone

	LossIsError
	LossForgetsKeys
	LossBlindsKeys
	LossForgetsTags
	LossForgetsLateTags
	LossRevives
	LossFreesEarlyFills
	LossKeepsRivals
	LossFreesFills
	LossLiftsNext
	LossLiftsRival

	OpenAfterClose
	CheckThenStore
	CheckThenStoreOnLoss

	bugs
)

var sentences = [bugs]string{
	Discards:              "a commit stores nothing and says Stored",
	CostForgotten:         "the cost of an entry is forgotten",
	LoadedForgotten:       "when an entry was loaded is forgotten",
	SecondsOnly:           "times are rounded to seconds",
	AbsentIsMiss:          "an absent entry is returned as a miss",
	MissIsError:           "a miss is an error",
	ManyHoldsMisses:       "GetMany returns nil entries for misses",
	RepeatsAreErrors:      "GetMany of a repeated key is an error",
	ManyUnchecked:         "GetMany does not check tags",
	EmptyIsMiss:           "the empty value is a miss",
	TextOnly:              "bytes that are no UTF-8 are replaced",
	ValuesCapped:          "values are cut at 64 KiB",
	KeysEndAtNUL:          "keys end at their first NUL",
	TagsFolded:            "tags are compared in lower case",
	FirstWins:             "a value that is there is not replaced",
	NeverExpires:          "entries do not expire",
	ZeroIsForever:         "an entry that has expired at its commit lives forever",
	FreshIsExpiry:         "entries expire when they become stale",
	ForeverOverflows:      "Forever plus a little is in the past",
	KeyKept:               "Invalidate refuses fills, but removes nothing",
	FirstTagOnly:          "only the first tag of an entry counts",
	LateTagsDropped:       "only the tags named at Reserve count",
	OneMember:             "a tag removes only one of its entries",
	StopsAtUnknownKey:     "Invalidate stops at the first key that is not there",
	StopsAtUnknownTag:     "the invalidation of tags stops at the first that no entry carries",
	RemovesPrefix:         "Invalidate removes every key that begins like the one it was given",
	TagClearsAll:          "the invalidation of a tag removes all entries",
	TagsAreKeys:           "the invalidation of a tag also removes the key of that name",
	Tombstone:             "a key that was invalidated is never stored again",
	GuardAsleep:           "guards are always valid",
	AbsentKeyIgnored:      "Invalidate of a key without a value does nothing",
	PresentKeyOnlyRemoved: "Invalidate of a key with a value removes it, and refuses no fill",
	KnownTagsUnwatched:    "tags named at Reserve are not checked by Commit",
	UnusedTagIgnored:      "the invalidation of a tag that no entry carries does nothing",
	LateTagsUnwatched:     "late tags are not checked by Commit",
	UndeclaredUnwatched:   "tags that the slot did not announce are not checked by Commit",
	LateTagsRefused:       "late tags are always refused",
	TagReborn:             "storing an entry with a tag forgets that the tag was invalidated",
	TokenOfClient:         "Reserve gives open fills of the key their right back",
	CutConsumed:           "an invalidation refuses only the first fill",
	StoredEndsWatch:       "a fill is not checked once another has stored the key",
	KeyEpoch:              "Invalidate refuses the fills of all keys",
	TagEpoch:              "the invalidation of a tag refuses all fills",
	AllOrNothing:          "one refused slot refuses the whole fill",
	MalformedTagStored:    "an entry with a tag that cannot be invalidated is stored",
	SlotsMixed:            "entries go into the slots in reverse",
	NilIsAbsent:           "a nil entry is stored as an absent one",
	CountUnchecked:        "missing entries are nil, and surplus ones dropped",
	NeverDone:             "a fill can be ended twice",
	StoresWhenDone:        "a commit after the end is an error, and stores",
	CancelStores:          "Cancel stores absent entries",
	FoundNothing:          "Found is always nil",
	FoundGhost:            "Found of an empty key is an empty entry",
	FoundUnchecked:        "Found does not check tags",
	ValidatesKeys:         "Validate does not look at keys",
	ValidatesKnownTags:    "Validate does not look at tags named at Reserve",
	ValidatesLateTags:     "Validate does not look at tags that may come late",
	ValidatesFoundTags:    "Validate does not look at the tags of what was found",
	ValidatesHeld:         "Validate does not look at writers",
	ValidatesPeers:        "Validate through another handle sees nothing that was invalidated",
	LossValidates:         "Validate does not notice a loss",
	OldValueKept:          "Quarantine leaves the old value",
	EarlyFillsStore:       "Quarantine does not refuse the fills that are open",
	LateFillsStore:        "fills reserved during a quarantine are stored",
	NothingPasses:         "fills reserved during a quarantine are always refused",
	PassesAfterRelease:    "fills reserved during a quarantine pass after its end",
	PassesInvalidated:     "fills reserved during a quarantine pass whatever was invalidated",
	WriterNeverStores:     "the fill of a quarantine stores nothing",
	LastWriterWins:        "of several writers, the last to commit stores",
	FirstWriterWins:       "of several writers, the first to commit stores",
	FirstReleaseLifts:     "the first of several writers to commit ends the quarantine",
	InvalidateSpares:      "Invalidate does not touch a quarantine",
	InvalidateLifts:       "Invalidate ends a quarantine",
	CancelRestores:        "Cancel of a quarantine brings the old value back",
	NilRestores:           "a nil entry brings the value from before the quarantine back",
	HoldsForever:          "Commit does not end a quarantine",
	CancelHolds:           "Cancel does not end a quarantine",
	WriterTagsUnwatched:   "tags named at Quarantine are not checked by Commit",
	WriterLateUnwatched:   "late tags are not checked by the commit of a quarantine",
	TaintSpreads:          "one key touched by another writer refuses all keys of a quarantine",
	WriterFinds:           "Found of a quarantine is the old value",
	PutKeepsOld:           "Quarantine counts the old value as another writer",
	WriterTakesOver:       "Quarantine takes the key away from the writer who holds it",
	UnstorableUnsaid:      "a commit of what the store cannot hold is no error",
	UnstorableVouched:     "what the store cannot hold is vouched for although something was invalidated",
	HeldVouched:           "what the store cannot hold is vouched for although a writer holds the key",
	WriterVouched:         "what a writer cannot store is vouched for although another writer was there",
	VouchedUnguarded:      "an entry that is vouched for has no guard",
	HookThrough:           "a panic of a codec goes on in the caller",
	HookHolds:             "a commit whose codec does not return ends no quarantine",
	HookKeepsOld:          "Invalidate tells its Observer first, and removes nothing if that panics",
	HandlesApart:          "another handle sees nothing of this one",
	PeerUnseenByFills:     "what another handle invalidates refuses no fill here",
	PeerUnseenByReads:     "what another handle invalidates stays readable",
	PeerNotTold:           "another handle goes on reading what was invalidated here",
	PeerUnseenInTags:      "another handle does not check tags",
	PeerHoldsAlone:        "the quarantine of another handle holds nobody here",
	LossIsError:           "after a loss every Get is an error",
	LossForgetsKeys:       "a loss forgets which keys were invalidated",
	LossBlindsKeys:        "after a loss Invalidate overlooks keys without a value",
	LossForgetsTags:       "a loss forgets which tags were invalidated",
	LossForgetsLateTags:   "a loss forgets which tags were invalidated, for those that come late",
	LossRevives:           "a loss takes the marks of invalidated tags and leaves the entries",
	LossFreesEarlyFills:   "after a loss, fills from before a quarantine are stored",
	LossKeepsRivals:       "a writer whose quarantine was lost leaves what it finds at its commit",
	LossFreesFills:        "a writer whose quarantine was lost refuses no fill at its commit",
	LossLiftsNext:         "a writer whose quarantine was lost takes one from the count of writers when it ends, so that the next one holds nobody",
	LossLiftsRival:        "a writer whose quarantine was lost ends that of another writer",
	OpenAfterClose:        "a closed store answers as before",
	CheckThenStore:        "Commit checks, and stores a moment later",
	CheckThenStoreOnLoss:  "a loss is noticed a moment after it happened",
}

// String says what the store does wrong.
func (b Bug) String() string {
	if b > None && b < bugs {
		return sentences[b]
	}
	return "nothing is wrong"
}

// Bugs returns every mistake there is.
func Bugs() []Bug {
	out := make([]Bug, 0, bugs-1)
	for b := Bug(1); b < bugs; b++ {
		out = append(out, b)
	}
	return out
}
