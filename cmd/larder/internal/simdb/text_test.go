package simdb

import (
	"bytes"
	"compress/flate"
	"testing"
)

func TestTextHasItsSizeAndIsAsCompressibleAsAsked(t *testing.T) {
	packed := func(share float64) float64 {
		body := Text(1, func(id uint32) int { return int(id) * 100 }, 1000, share)
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, flate.BestSpeed)
		n := 0
		for id := range uint32(2000) {
			s := body(id % 10)
			if len(s) != int(id%10)*100 {
				t.Fatalf("row %d has %d bytes", id, len(s))
			}
			if id < 10 {
				w.Write([]byte(s))
				n += len(s)
			}
		}
		w.Close()
		return float64(b.Len()) / float64(n)
	}
	if none, half, all := packed(0), packed(0.5), packed(1); none < 0.7 || half > none*0.65 || half < none*0.35 || all > 0.05 {
		t.Errorf("compressed to %.2f, half of it compressible to %.2f, all of it to %.2f", none, half, all)
	}
	if body := Text(1, func(uint32) int { return 99 }, 10, 0); len(body(3)) != 10 {
		t.Error("a text is longer than the longest")
	}
}
