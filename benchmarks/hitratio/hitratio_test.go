package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, name string, numbers ...uint64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for _, n := range numbers {
		z.Write(binary.AppendUvarint(nil, n))
	}
	z.Close()
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRead(t *testing.T) {
	got, err := read(write(t, "some.trc.gz", 5, 0, 0, 1, 2, 0))
	if err != nil || got.name != "some" || got.keys != 3 || !slices.Equal(got.ids, []uint32{0, 1, 0, 1, 2}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, numbers := range [][]uint64{{}, {0}, {2, 0}, {1, 1}, {2, 0, 2}} {
		if got, err := read(write(t, "bad", numbers...)); err == nil {
			t.Errorf("%v was read as %v", numbers, got.ids)
		}
	}
}

func TestOptimum(t *testing.T) {
	for _, c := range []struct {
		ids      []uint32
		capacity int
		want     int
	}{
		{[]uint32{0, 1, 2, 0, 1, 2, 0, 1, 2}, 2, 4},
		{[]uint32{0, 1, 2, 0, 1, 2, 0, 1, 2}, 3, 6},
		{[]uint32{0, 0, 0, 1}, 1, 2},
		{[]uint32{0, 1, 1, 0}, 1, 1},
	} {
		if got := optimum(c.ids, 3, c.capacity); got != c.want {
			t.Errorf("%v with %d: %d hits, not %d", c.ids, c.capacity, got, c.want)
		}
	}
}

func TestTheReportHasAllColumnsAndNoPaths(t *testing.T) {
	numbers := []uint64{3000}
	for i := range uint64(3000) {
		if i < 300 {
			numbers = append(numbers, 0)
		} else {
			numbers = append(numbers, 1+i%300)
		}
	}
	path := write(t, "loop.trc.gz", numbers...)
	var b bytes.Buffer
	if err := report(&b, []string{path}); err != nil {
		t.Fatal(err)
	}
	for _, want := range append([]string{"| loop | 3000 | 300 |", "| loop | 100 | 0.00 |", "| 30.00 |", "gap closed"}, names()...) {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), filepath.Dir(path)) {
		t.Error("it tells where the file is")
	}
	if err := report(&b, nil); err == nil {
		t.Error("no trace is no error")
	}
}

func names() (all []string) {
	for _, p := range policies {
		all = append(all, "| "+p.name+" |")
	}
	return all
}
