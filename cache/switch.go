package cache

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
)

// Mode is what a Switch does with a key. The later ones are the stricter.
type Mode uint8

const (
	// ModeOn reads through the cache.
	ModeOn Mode = iota
	// ModeShadow fills the cache and compares, but answers from the origin: every
	// read is a load, and one whose value is not what the cache would have said,
	// although nothing was invalidated meanwhile, is observed as ShadowDiffered.
	ModeShadow
	// ModeBypass reads from the origin, and neither reads nor fills the cache.
	ModeBypass
	modes
)

var modeNames = [modes]string{"on", "shadow", "bypass"}

// String returns the name of the mode in lower case.
func (m Mode) String() string {
	if m < modes {
		return modeNames[m]
	}
	return "unknown"
}

// Switch takes a cache out of the way of its readers, or has it compared with the
// origin, while the program runs: all of it, or a part of the keys. The zero Switch
// is on. One Switch may be given to many Loaders. Its methods may be called at once
// from many goroutines.
//
// It stands between readers and the cache only: invalidations and writes reach
// the cache in every mode, so that it can be switched on again at any time without
// an old value coming back.
//
// A read costs one atomic load for the Switch and for each of its parents while they
// are on, and a hash of the key otherwise.
type Switch struct {
	parent *Switch
	state  atomic.Uint64 // the mode, and below it the bits of the percentage as a float32; 0 is on
}

// NewSwitch returns a Switch that is on. With a parent, such as that of a whole
// space, the stricter mode of the two applies to a key; nil is none.
func NewSwitch(parent *Switch) *Switch { return &Switch{parent: parent} }

// Set gives a part of the keys a mode, and all others ModeOn. It applies to reads
// that start later. The same keys are chosen in all processes, and those of a
// smaller part are among those of a larger. An error names what is wrong, and
// changes nothing.
func (s *Switch) Set(mode Mode, percent float64) error {
	switch {
	case mode >= modes:
		return fmt.Errorf("larder: Switch.Set: there is no mode %d", mode)
	case !(percent >= 0 && percent <= 100):
		return fmt.Errorf("larder: Switch.Set: percent is %v: it must be between 0 and 100", percent)
	}
	state := uint64(mode)<<32 | uint64(math.Float32bits(float32(percent)))
	if mode == ModeOn || float32(percent) == 0 {
		state = 0
	}
	s.state.Store(state)
	return nil
}

// Mode returns what was Set last, without regard to the parent: ModeOn is for 100
// percent of the keys.
func (s *Switch) Mode() (mode Mode, percent float64) {
	state := s.state.Load()
	if state == 0 {
		return ModeOn, 100
	}
	return Mode(state >> 32), float64(math.Float32frombits(uint32(state)))
}

// ModeOf returns the mode of a key; a nil Switch is on.
//
// A key is chosen by the FNV-1a hash of its text, which is that of fmt.Sprint but
// for types with a String method that are strings or integers. What has no text that
// is the same everywhere, as a pointer has not, is not chosen stably.
func ModeOf[K comparable](s *Switch, key K) Mode {
	mode := ModeOn
	place := -1.0
	for ; s != nil; s = s.parent {
		state := s.state.Load()
		if state == 0 || Mode(state>>32) <= mode {
			continue
		}
		if place < 0 {
			place = placeOf(key)
		}
		if place < float64(math.Float32frombits(uint32(state))) {
			mode = Mode(state >> 32)
		}
	}
	return mode
}

// String returns what MarshalText does.
func (s *Switch) String() string {
	mode, percent := s.Mode()
	if percent == 100 {
		return mode.String()
	}
	return mode.String() + ":" + strconv.FormatFloat(percent, 'f', -1, 32) + "%"
}

// MarshalText returns what was Set last as text: "on", "bypass", "shadow:10%".
func (s *Switch) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is Set for a text such as MarshalText returns. Without a percentage
// it is for all keys.
//
//	flag.Func("cache", "`mode` of the cache: on, bypass, shadow:10%", func(s string) error {
//		return usersSwitch.UnmarshalText([]byte(s))
//	})
func (s *Switch) UnmarshalText(text []byte) error {
	name, part, parted := strings.Cut(strings.TrimSpace(string(text)), ":")
	mode, percent := ModeOn, 100.0
	for mode < modes && mode.String() != name {
		mode++
	}
	if mode == modes {
		return fmt.Errorf("larder: Switch: %q is no mode: it must be on, shadow or bypass", name)
	}
	if parted {
		number, ok := strings.CutSuffix(part, "%")
		p, err := strconv.ParseFloat(number, 64)
		switch {
		case !ok || err != nil:
			return fmt.Errorf("larder: Switch: %q is no percentage, such as 10%%", part)
		case mode == ModeOn:
			return fmt.Errorf("larder: Switch: %q: on is for all keys that are not shadow or bypass", text)
		}
		percent = p
	}
	return s.Set(mode, percent)
}
