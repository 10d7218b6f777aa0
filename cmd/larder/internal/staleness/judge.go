package staleness

import "sort"

// read is what a process was given.
type read struct {
	begin, end int64
	version    uint64
}

// change is a new version of a row.
type change struct {
	Version uint64
	Commit  int64 // when it was in the database
	Ack     int64 // when its invalidation had returned nil; 0 if it did not
}

// finding is what is to be said of the reads of one process, or of several.
type finding struct {
	Reads int64
	// Ages are, of reads that gave what had been replaced before they began, for how
	// long.
	Ages []int64
	// Late are those of them that began after the replacement was acknowledged: when,
	// and how long after that.
	Late []late
	// Delays are how long after the commit of each version it, or a newer one, was first
	// given. Of those that never were, Unseen of them, it is until the end.
	Delays []int64
	Unseen int64
	// Old counts keys of which not the newest acknowledged version was given at the end.
	Old int64
}

// late is a read that began after an acknowledgement and gave what was before it.
type late struct{ At, Over int64 }

// judge compares the reads of a key, in their order, with its history. end is when
// nobody reads any more.
func judge(reads []read, history []change, end int64) (f finding) {
	f.Reads = int64(len(reads))
	// earliest has, for each change, when it or a newer one was first acknowledged.
	earliest := make([]int64, len(history))
	var ack int64
	for i := len(history) - 1; i >= 0; i-- {
		if a := history[i].Ack; a != 0 && (ack == 0 || a < ack) {
			ack = a
		}
		earliest[i] = ack
	}
	for _, r := range reads {
		i := sort.Search(len(history), func(i int) bool { return history[i].Version > r.version })
		if i == len(history) {
			continue
		}
		if history[i].Commit <= r.begin {
			f.Ages = append(f.Ages, r.begin-history[i].Commit)
		}
		if a := earliest[i]; a != 0 && a <= r.begin {
			f.Late = append(f.Late, late{r.begin, r.begin - a})
		}
	}
	at := 0
	for _, c := range history {
		// Versions that are given need not rise: the first is looked for.
		for at < len(reads) && reads[at].version < c.Version {
			at++
		}
		if at == len(reads) {
			f.Unseen++
			f.Delays = append(f.Delays, max(end-c.Commit, 0))
			continue
		}
		f.Delays = append(f.Delays, max(reads[at].end-c.Commit, 0))
	}
	if n := len(reads); n > 0 {
		for _, c := range history {
			if c.Ack != 0 && c.Version > reads[n-1].version {
				f.Old = 1
			}
		}
	}
	return f
}

// add adds what another has found.
func (f *finding) add(o finding) {
	f.Reads += o.Reads
	f.Ages, f.Late, f.Delays = append(f.Ages, o.Ages...), append(f.Late, o.Late...), append(f.Delays, o.Delays...)
	f.Unseen += o.Unseen
	f.Old += o.Old
}

// beyond counts the late reads that began more than d after an acknowledgement.
func (f *finding) beyond(d int64) (n int) {
	for _, l := range f.Late {
		if l.Over > d {
			n++
		}
	}
	return n
}
