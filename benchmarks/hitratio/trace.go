package main

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// trace is a sequence of requests for keys that are numbered from 0 on.
type trace struct {
	name string
	ids  []uint32
	keys int
}

// read reads a trace in the compact format of larder simulate, in gzip: unsigned
// varints, the number of requests, then for each of them 0 for a new key or 1 plus
// the id of a known one.
func read(path string) (trace, error) {
	t := trace{name: strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".gz"), ".trc")}
	f, err := os.Open(path)
	if err != nil {
		return t, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return t, fmt.Errorf("%s: %w", path, err)
	}
	r := bufio.NewReader(z)
	n, err := binary.ReadUvarint(r)
	for i := uint64(0); i < n && err == nil; i++ {
		var x uint64
		if x, err = binary.ReadUvarint(r); err != nil {
			break
		}
		switch {
		case x > uint64(t.keys):
			err = fmt.Errorf("request %d is for a key that is not known yet", i)
		case x > 0:
			t.ids = append(t.ids, uint32(x-1))
		case t.keys == math.MaxInt32:
			err = fmt.Errorf("there are too many keys")
		default:
			t.ids = append(t.ids, uint32(t.keys))
			t.keys++
		}
	}
	if err == nil && len(t.ids) == 0 {
		err = fmt.Errorf("there is no request")
	}
	if err != nil {
		return t, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// capacities are 1, 5, 10 and 25 % of the keys, at least 100.
func (t trace) capacities() []int {
	var all []int
	for _, percent := range []int{1, 5, 10, 25} {
		if n := max(100, t.keys*percent/100); len(all) == 0 || all[len(all)-1] != n {
			all = append(all, n)
		}
	}
	return all
}
